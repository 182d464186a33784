//! Revision pairs from file to token ids: readers, label set, prompts, encoding, splits and batch order.
//!
//! ```text
//! file ── Pairs (streaming) ── Pair ─┐
//!                                    ├─ Encoder ── Example { tokens, label } ── EpochOrder ── batches
//! Template + LabelSet ── Prompt ─────┘
//! ```
//!
//! The crate knows no model. It reaches the tokenizer only through [`Encode`].
#![forbid(unsafe_code)]

mod change;
mod columns;
mod corpus;
mod encode;
mod epoch;
mod error;
mod example;
mod fold;
mod label_set;
mod label_words;
mod pair;
mod prompt;
mod random;
mod reader;
mod related;
mod shorten;
mod shots;
mod split;
mod subset;
mod summary;
mod template;

pub use columns::{Columns, Preset};
pub use corpus::Corpus;
pub use encode::{Encode, EncodeError};
pub use epoch::EpochOrder;
pub use error::{DataError, Quoted};
pub use example::{Encoded, Encoder, Example};
pub use fold::folds;
pub use label_set::LabelSet;
pub use label_words::LabelWords;
pub use pair::Pair;
pub use prompt::{Prompt, Segment};
pub use reader::{Labels, Pairs};
pub use related::related;
pub use shots::{Shot, draw_shots};
pub use split::{Split, split};
pub use subset::subset;
pub use summary::Summary;
pub use template::Template;
