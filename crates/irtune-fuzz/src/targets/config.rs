//! Configurations of models.

use irtune_model::ModelConfig;

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// `config.json` of a base or a merged model, in memory.
pub const TARGET: Target = Target { name: "config", names_files: true, usual: 4000, run };

fn run(place: &Place, random: &mut Random) -> Said {
    let (path, bytes) = place.damaged(random, &["base/config.json", "merged/config.json"]);
    ModelConfig::parse_json(&bytes, &path).map(drop).map_err(refused)
}
