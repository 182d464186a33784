//! From pairs to token ids: templates, prompts, worked examples, and shortening to a limit.

pub(crate) mod change;
pub(crate) mod chat;
pub(crate) mod encode;
pub(crate) mod encoder;
pub(crate) mod ending;
pub(crate) mod example;
pub(crate) mod passages;
pub(crate) mod prompt;
pub(crate) mod related;
mod shorten;
pub(crate) mod shots;
pub(crate) mod template;
pub(crate) mod turns;
pub(crate) mod verbalizer;
