//! What irtune's tests stand on, in one place.
//!
//! - [`base`]: models of any sizes with random weights, as transformers folders and as GGUF files.
//! - [`corpus`]: small corpora of revision pairs.
//! - [`sandbox`]: a folder of its own for each test, and the built program run in it.
//! - [`hub`]: a server that speaks the Hugging Face hub's protocol.
//! - [`traffic`]: many requests to a server, and whether each got its answer.
//! - [`golden`]: numbers that PyTorch and others computed, and how far off ours may be.
//!
//! A dev-dependency only: no released crate uses it. It knows file formats and no engine, so every crate may use it.
#![forbid(unsafe_code)]

pub mod base;
pub mod corpus;
pub mod golden;
pub mod hub;
pub mod sandbox;
pub mod traffic;
