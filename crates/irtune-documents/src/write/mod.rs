//! Making files of documents.

mod docx;
mod item;
mod package;

pub use docx::write_tracked;
pub use item::{Item, Piece};
