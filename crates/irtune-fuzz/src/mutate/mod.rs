//! Damage: small changes at random, which know the form of a file where bytes alone would hardly pass its first check.

mod bytes;
mod gguf;
mod json;
mod lines;
mod package;
mod safetensors;
pub mod sealed;

use crate::random::Random;

pub use bytes::change as bytes;
pub use bytes::text;

/// A file damaged by the ending of its name.
pub fn file(random: &mut Random, name: &str, whole: &[u8]) -> Vec<u8> {
    let ending = name.rsplit('.').next().unwrap_or_default();
    let by_form = !random.one_in(4);
    let changed = match ending {
        "json" if by_form => json::document(random, whole),
        "jsonl" if by_form => Some(lines::change(random, whole)),
        "safetensors" if by_form => safetensors::header(random, whole),
        "docx" | "xlsx" if by_form => package::part(random, whole),
        "gguf" => Some(gguf::change(random, whole)),
        _ => None,
    };
    changed.unwrap_or_else(|| {
        let mut changed = whole.to_vec();
        bytes::change(random, &mut changed);
        changed
    })
}
