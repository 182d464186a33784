//! Cross-validations.

use irtune::suspects::Suspects;
use irtune_train::HeldOut;

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What `irtune data --suspects` reads.
pub const TARGET: Target = Target { name: "folds", names_files: false, usual: 800, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["folds"], |folder| {
        let found = Suspects::of(&HeldOut::read(folder).map_err(refused)?);
        assert!(!found.to_string().is_empty(), "nothing is said of suspects");
        Ok(())
    })
}
