//! A pair as token ids.

/// A pair ready for the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The begin token, where there is one, and the ids of the rendered prompt.
    pub tokens: Vec<u32>,
    /// The class of the pair's label.
    pub label: Option<u32>,
    /// Something of the pair was left out to stay within the limit.
    pub shortened: bool,
}

impl AsRef<[u32]> for Example {
    fn as_ref(&self) -> &[u32] {
        &self.tokens
    }
}
