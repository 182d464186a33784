//! GGUF files to be made smaller.

use irtune_model::quantise::{Scheme, quantise};

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What `irtune quantize` reads.
pub const TARGET: Target = Target { name: "quantise", names_files: true, usual: 600, run };

fn run(place: &Place, random: &mut Random) -> Said {
    let scheme: Scheme = random.one_of(&["q8_0", "q4_k_m", "f32", "bf16"]).parse().map_err(refused)?;
    place.with_damage(random, &["base.gguf", "small.gguf"], |path| {
        quantise(path, &place.path("out.gguf"), scheme, &mut |_, _| {}).map(drop).map_err(refused)
    })
}
