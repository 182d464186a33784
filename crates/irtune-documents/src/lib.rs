//! Drafts as documents: reading them, cutting them into sentences, and finding which sentences belong together.
//!
//! [`read`] makes a [`Document`] of a draft: of plain text, Markdown, LaTeX or a Word document. A Word document with
//! tracked changes is two drafts in one file: [`read_tracked`] makes both. [`align`] finds which sentences of the new
//! draft belong to which of the old one, and what became of them: a [`Revision`]. A person who knows better joins
//! ([`join`]) or parts ([`take_apart`]) them. [`write_tracked`] makes a Word document of both.
//!
//! The crate knows no models, prints nothing and opens no files: it is given bytes.
//!
//! ```
//! use irtune_documents::{Format, RevisionKind, align, read};
//!
//! let old = read("old.md", b"# Plan\n\nWe goes home. It is late.", Format::Markdown)?;
//! let new = read("new.md", b"# Plan\n\nWe go home. It is late.", Format::Markdown)?;
//! let revisions = align(&old, &new);
//! let kinds: Vec<_> = revisions.iter().map(|revision| revision.kind).collect();
//! assert_eq!(kinds, [RevisionKind::Unchanged, RevisionKind::Modified, RevisionKind::Unchanged]);
//! assert_eq!(revisions[1].revised.as_ref().unwrap().text, "We go home.");
//! # Ok::<(), irtune_documents::DocumentError>(())
//! ```
#![forbid(unsafe_code)]

mod align;
mod block;
mod document;
mod error;
mod format;
mod passage;
mod read;
mod realign;
mod revision;
mod sentences;
mod write;

pub use align::{align, align_while};
pub use block::{Block, BlockKind};
pub use document::Document;
pub use error::DocumentError;
pub use format::{Format, UnknownFormat};
pub use passage::Passage;
pub use read::docx::{Tracked, read_tracked};
pub use read::read;
pub use realign::{RealignError, in_order, join, take_apart};
pub use revision::{Revision, RevisionKind};
pub use sentences::sentences;
pub use write::{Item, Piece, write_tracked};
