//! Revision pairs from rows to token ids: readers, corpora, prompts, encoding, and what is drawn from them.
//!
//! ```text
//! file ─ or ─ rows in memory ── Pairs ── Pair ─┐
//!                                              ├─ Encoder ── Example { tokens, target } ── EpochOrder ── batches
//! Template + LabelSet ── Prompt ───────────────┘
//! ```
//!
//! Five folders, each of which uses only those named before it: `reader` (pairs one by one), `encoding` (prompts, token
//! ids), `sampling` (hold-out, folds, subsets, order), `corpus` (all pairs of a source), `survey` (what a corpus holds).
//!
//! The crate knows no model. It reaches the tokenizer only through [`Encode`].
#![forbid(unsafe_code)]

mod corpus;
mod encoding;
mod error;
mod id;
mod label_set;
mod number;
mod pair;
mod pair_kind;
mod place;
mod reader;
mod row;
mod sampling;
mod survey;
mod target;
mod votes;

pub use corpus::Corpus;
pub use corpus::source::{CorpusSource, is_pipe};
pub use encoding::change::Change;
pub use encoding::change::counters::COUNTERS;
pub use encoding::change::hunk::{Hunk, HunkContent, HunkKind};
pub use encoding::chat::PromptChoice;
pub use encoding::encode::{Encode, EncodeError};
pub use encoding::encoder::{Encoded, Encoder};
pub use encoding::ending::Ending;
pub use encoding::example::{Example, ExampleChange};
pub use encoding::passages::Passages;
pub use encoding::prompt::{Prompt, Segment};
pub use encoding::related::related;
pub use encoding::shots::Shot;
pub use encoding::template::Template;
pub use encoding::turns::{Chat, ChatFailure, Speaker, Turn};
pub use encoding::verbalizer::Verbalizer;
pub use error::{DataError, Quoted};
pub use id::Id;
pub use label_set::LabelSet;
pub use pair::Pair;
pub use pair_kind::PairKind;
pub use place::Place;
pub use reader::columns::{Columns, Preset};
pub use reader::{Labels, LeftOut, Pairs};
pub use row::Row;
pub use sampling::draw_shots::draw_shots;
pub use sampling::epoch::EpochOrder;
pub use sampling::folds::folds;
pub use sampling::hold_out::{HoldOut, hold_out};
pub use sampling::subset::subset;
pub use survey::contents::{Contents, LabelCount};
pub use survey::leaks::{Leak, Leaks, NearLeak, same_pairs};
pub use survey::lengths::Quantiles;
pub use survey::repeats::{Conflict, Repeat, Repeats};
pub use target::Target;
pub use votes::{Votes, VotesError};
