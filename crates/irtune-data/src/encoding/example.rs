//! A pair as token ids.

/// A pair ready for the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Example {
    /// The begin token, where there is one, and the ids of the rendered prompt.
    pub tokens: Vec<u32>,
    /// The class of the pair's label.
    pub label: Option<u32>,
    /// The share of each class in what the pair's annotators said, where that is to be learned.
    pub distribution: Option<Vec<f32>>,
    /// Something of the pair was left out to stay within the limit.
    pub shortened: bool,
}

impl AsRef<[u32]> for Example {
    fn as_ref(&self) -> &[u32] {
        &self.tokens
    }
}
