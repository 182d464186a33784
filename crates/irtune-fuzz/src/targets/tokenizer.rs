//! Tokenizers.

use irtune_model::Tokenizer;

use crate::in_memory;
use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// `tokenizer.json`.
pub const TARGET: Target = Target { name: "tokenizer", names_files: false, usual: 1500, run };

fn run(place: &Place, random: &mut Random) -> Said {
    if !random.one_in(4) {
        let (path, bytes) = place.damaged(random, &["base/tokenizer.json"]);
        return in_memory::tokenizer(&path, &bytes);
    }
    place.with_damage(random, &["base/tokenizer.json"], |path| {
        let tokenizer = Tokenizer::from_file(path).map_err(refused)?;
        let text = "The river are old. \u{1F600} <|end|> é \0";
        tokenizer.encode(text).map_err(refused)?;
        tokenizer.offsets(text).map(drop).map_err(refused)
    })
}
