//! What can be trained on top of a frozen base.

pub mod lora;
pub(crate) mod masters;
pub(crate) mod state;
