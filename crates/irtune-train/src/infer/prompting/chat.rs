//! Whether a prompt is written as a chat.

use irtune_model::Base;
use strum::{Display, EnumString};

/// Whether a prompt is written as a chat, in the base's chat template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Display, EnumString)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownChat, parse_err_fn = unknown)]
pub enum Chat {
    /// When the base has one.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Chat {
    /// Whether it is, with this base.
    pub fn decide(self, base: &Base) -> bool {
        match self {
            Chat::Auto => base.chat_template.is_some(),
            Chat::On => true,
            Chat::Off => false,
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
