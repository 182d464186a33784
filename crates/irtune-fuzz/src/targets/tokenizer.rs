//! Tokenizers.

use irtune_model::Tokenizer;

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// `tokenizer.json`.
pub const TARGET: Target = Target { name: "tokenizer", names_files: false, usual: 1500, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["base/tokenizer.json"], |path| {
        let tokenizer = Tokenizer::from_file(path).map_err(refused)?;
        let text = "The river are old. \u{1F600} <|end|> é \0";
        tokenizer.encode(text).map_err(refused)?;
        tokenizer.offsets(text).map(drop).map_err(refused)
    })
}
