//! Whether a prompt is written as a chat.

use super::PromptError;
use irtune_model::Base;
use strum::{Display, EnumString};

/// Whether a prompt is written as a chat, with ChatML's markers and without a system turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Display, EnumString)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownChat, parse_err_fn = unknown)]
pub enum Chat {
    /// When the base's chat template uses these markers.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Chat {
    /// Whether it is, with this base.
    ///
    /// # Errors
    /// When it is to be, and the markers are no tokens of the base.
    pub fn decide(self, base: &Base) -> Result<bool, PromptError> {
        match self {
            Chat::Auto => Ok(base.speaks_chatml()),
            Chat::On if !base.has_chatml_tokens() => Err(PromptError::NoChat),
            Chat::On => Ok(true),
            Chat::Off => Ok(false),
        }
    }
}

/// Not a way to decide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` says nothing about the chat; use auto, on or off")]
pub struct UnknownChat {
    /// What was given.
    pub name: String,
}

fn unknown(name: &str) -> UnknownChat {
    UnknownChat { name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for chat in [Chat::Auto, Chat::On, Chat::Off] {
            assert_eq!(chat.to_string().parse(), Ok(chat));
        }
        let error = "maybe".parse::<Chat>().unwrap_err();
        assert_eq!(error.to_string(), "`maybe` says nothing about the chat; use auto, on or off");
    }
}
