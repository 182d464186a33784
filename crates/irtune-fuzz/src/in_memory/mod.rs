//! Readers of bytes in memory, which both kinds of fuzzing use: damage by the number, and libFuzzer in `coverage/`.
//!
//! Each is given what errors shall call the bytes, and says whether they were read or refused. Where there are ways to
//! read the same bytes, their last byte chooses.

mod chat;
mod config;
mod documents;
mod gguf;
mod pairs;
mod template;
mod tokenizer;

pub use chat::chat;
pub use config::config;
pub use documents::{documents, word};
pub use gguf::gguf;
pub use pairs::pairs;
pub use template::template;
pub use tokenizer::tokenizer;

/// What an error says, as a refusal.
fn refused(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// One of several ways, by the last byte.
fn way(bytes: &[u8], ways: usize) -> usize {
    bytes.last().map_or(0, |&last| usize::from(last) % ways)
}
