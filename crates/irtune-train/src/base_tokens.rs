//! A base's tokenizer, as the data crate asks for one.

use irtune_data::{Chat, ChatFailure, Encode, EncodeError, Speaker, Turn};
use irtune_model::{Base, Message, Role};
use std::ops::Range;
use std::sync::Arc;

/// A base's tokenizer, as the data crate asks for one.
#[derive(Debug, Clone)]
pub struct BaseTokens {
    base: Arc<Base>,
}

impl BaseTokens {
    /// The tokenizer of `base`.
    pub fn new(base: Arc<Base>) -> Self {
        Self { base }
    }
}

impl Chat for BaseTokens {
    fn write(&self, turns: &[Turn]) -> Result<String, ChatFailure> {
        let message = |turn: &Turn| Message {
            role: match turn.speaker {
                Speaker::System => Role::System,
                Speaker::User => Role::User,
                Speaker::Assistant => Role::Assistant,
            },
            content: turn.text.clone(),
        };
        self.base.chat(&turns.iter().map(message).collect::<Vec<_>>()).map_err(ChatFailure::new)
    }
}

impl Encode for BaseTokens {
    fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        self.base.tokenizer.encode(text).map_err(EncodeError::new)
    }

    fn offsets(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        self.base.tokenizer.offsets(text).map_err(EncodeError::new)
    }

    fn begin_token(&self) -> Option<u32> {
        let tokenizer = &self.base.tokenizer;
        tokenizer.adds_begin_token().then(|| tokenizer.begin_token()).flatten()
    }

    fn end_token(&self) -> Option<u32> {
        self.base.tokenizer.end_token()
    }
}
