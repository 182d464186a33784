//! A tensor of a base's files.

use irtune_device::Format;
use std::ops::Range;

/// Where a tensor lies and how it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// transformers' name for it.
    pub name: String,
    /// Sizes of its axes, slowest first.
    pub shape: Vec<usize>,
    /// How its values are stored.
    pub format: Format,
    /// Which of the files.
    pub file: usize,
    /// Where in the file.
    pub bytes: Range<usize>,
    /// Width of a head, if the rows of each are stored with the halves of a rotary pair side by side.
    pub interleaved_head: Option<usize>,
    /// What is added to the stored values: some files hold a norm's weight with 1 added to it.
    pub shift: f32,
}
