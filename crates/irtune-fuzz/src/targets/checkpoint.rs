//! Checkpoints.

use irtune_train::checkpoint;

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What a run continues from, read alone.
pub const TARGET: Target = Target { name: "checkpoint", names_files: true, usual: 1000, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["begun/checkpoints"], |folder| {
        for path in checkpoint::list(folder).map_err(refused)? {
            checkpoint::load(&path).map_err(refused)?;
        }
        Ok(())
    })
}
