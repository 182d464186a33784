//! GGUF files.

use irtune_model::Base;

use crate::in_memory;
use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// A header in memory; sometimes a whole base.
pub const TARGET: Target = Target { name: "gguf", names_files: true, usual: 4000, run };

const FILES: [&str; 2] = ["base.gguf", "small.gguf"];

fn run(place: &Place, random: &mut Random) -> Said {
    if random.one_in(4) {
        return place.with_damage(random, &FILES, |path| {
            let base = Base::open(path).map_err(refused)?;
            let encoded = base.tokenizer.encode("The river are old. \u{1F600}<|end|>");
            encoded.map(drop).map_err(|error| format!("{}: {error}", path.display()))
        });
    }
    let (path, bytes) = place.damaged(random, &FILES);
    in_memory::gguf(&path, &bytes)
}
