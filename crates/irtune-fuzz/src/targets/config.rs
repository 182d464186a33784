//! Configurations of models.

use crate::in_memory;
use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target};

/// `config.json` of a base or a merged model, in memory.
pub const TARGET: Target = Target { name: "config", names_files: true, usual: 4000, run };

fn run(place: &Place, random: &mut Random) -> Said {
    let (path, bytes) = place.damaged(random, &["base/config.json", "merged/config.json"]);
    in_memory::config(&path, &bytes)
}
