//! Adapter folders, with their heads.

use irtune_model::{Base, read_adapter, read_tuned_weights};

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What was trained, as PEFT or we write it.
pub const TARGET: Target = Target { name: "adapter", names_files: true, usual: 800, run };

fn run(place: &Place, random: &mut Random) -> Said {
    let config = Base::open(&place.path("base")).map_err(refused)?.config;
    place.with_damage(random, &["pooled/adapter", "run/adapter", "tuned/weights"], |folder| {
        if folder.ends_with("weights") {
            return read_tuned_weights(folder, &config).map(drop).map_err(refused);
        }
        read_adapter(folder, &config).map(drop).map_err(refused)
    })
}
