//! A tensor of a base's files.

use std::{ops::Range, sync::Arc};

use irtune_device::{Format, weight::Scales};

/// Where a tensor lies and how it is stored.
#[derive(Debug, Clone)]
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
    /// What its bytes are multiplied by, where its format has its scales in other tensors.
    pub scales: Option<Arc<Scales>>,
}

/// A tensor whose type isn't read. It only matters if something asks for it.
#[derive(Debug, Clone)]
pub(crate) struct UnreadTensor {
    /// transformers' name for it.
    pub(crate) name: String,
    /// Which of the files.
    pub(crate) file: usize,
    /// The name of its type.
    pub(crate) found: String,
    /// Where in the file.
    pub(crate) bytes: Range<usize>,
}

/// What files hold.
#[derive(Debug, Default)]
pub(crate) struct Tensors {
    pub(crate) known: Vec<Tensor>,
    pub(crate) unread: Vec<UnreadTensor>,
}

impl Tensors {
    /// Adds those of another file.
    pub(crate) fn extend(&mut self, other: Self) {
        self.known.extend(other.known);
        self.unread.extend(other.unread);
    }
}
