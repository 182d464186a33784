//! The engine held against PyTorch, transformers and PEFT, and against what must hold of any engine.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_macros, reason = "tests print what they measure")]

mod adapters;
mod another_device;
mod edit_head;
mod families;
mod measures;
mod merge;
mod parity;
mod peft_folders;
mod properties;
mod quantise;
mod synthetic;
mod tiny;
mod tuned_weights;
mod words;
