//! Causal grouped-query attention over packed examples that share beginnings, forward and backward.
//!
//! The packed rows are segments, one after the other. A segment continues its parent, and so on up to a root. Its
//! queries see all rows of the segments above it and, causally, its own. Queries may be fewer than keys, as the last
//! layer asks for one an example: they are then the *last* rows of their segment.
//!
//! A task is one key head of one segment. It computes the scores of 12 queries at a time against all visible keys, then
//! the softmax, then the sums of values. The backward recomputes the probabilities from the kept logsumexp. A task's
//! working memory grows with the length of an example, not with its square.

mod backward;
mod forward;
mod head;
mod inputs;

pub use backward::{Gradients, backward};
pub use forward::forward;
pub use inputs::Inputs;
