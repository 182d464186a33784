//! The definition of a comparison.

use irtune::compare::{Overrides, Plan, read};

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What `irtune compare --config` reads.
pub const TARGET: Target = Target { name: "comparison", names_files: false, usual: 800, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["compare.toml"], |path| {
        let out = place.path("comparison");
        let definition = read(&out, Some(path), Overrides::default()).map_err(refused)?;
        Plan::new(definition, &out).map(drop).map_err(refused)
    })
}
