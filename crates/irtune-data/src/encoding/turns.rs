//! What this crate needs of a model's chat template.

/// Who speaks in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Nobody: what the assistant is told beforehand.
    System,
    /// Who asks.
    User,
    /// Who answers.
    Assistant,
}

/// What is said before somebody else speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who says it.
    pub speaker: Speaker,
    /// What is said.
    pub text: String,
}

/// Writes conversations as a model has learnt them.
pub trait Chat {
    /// The text of a conversation up to where the assistant is about to speak, its begin token included where the model has
    /// learnt one.
    ///
    /// # Errors
    /// When the model takes no such conversation.
    fn write(&self, turns: &[Turn]) -> Result<String, ChatFailure>;
}

/// A conversation can't be written.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct ChatFailure {
    /// Why.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl ChatFailure {
    /// Wraps the reason.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ChatFailure {
        ChatFailure { source: source.into() }
    }
}
