//! irtune as a library: what the `irtune` program does, for a server, a wheel or another program.
//!
//! - [`annotate`]: two drafts, and why each of their revisions was made.
//! - [`serve`]: a model behind HTTP, with a page that takes two drafts.
//! - [`settings`]: from files, variables and texts to the settings of a run, with everything that is wrong at once.
//! - [`compare`]: several methods, adapters and seeds side by side, and reports on how they differ.
//! - [`convert`]: pairs from one kind of file into another.
//! - [`explain`]: which change of a revision its label hangs on.
//! - [`inspect`]: what a run did, or what a base model holds.
//! - [`models`]: the bases that have a short name.
//! - [`replay`]: recorded scores of layers, to run a method over them.
//! - [`survey`]: what files of pairs hold, and what they share.
//! - [`suspects`]: pairs whose label is probably wrong.
//! - [`show`]: figures, strips and tables as text.
//! - [`chart`]: line charts as SVG.
//!
//! Bases are found by [`irtune_hub`]; training itself is [`irtune_train`]. The library prints nothing and reads no
//! environment: its caller does.
//!
//! # Training from a program
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//!
//! use irtune::settings::{Sources, resolve};
//! use irtune_hub::{HubConfig, Silent, System, locate};
//!
//! // The settings of `irtune train`, from wherever they come; what is wrong with them is told all at once.
//! let mut sources = Sources::default();
//! for assignment in ["base=smollm2", "train=train.jsonl", "test=test.jsonl", "method=ir", "epochs=2"] {
//!     sources.set(assignment);
//! }
//! let resolved = resolve(sources)?;
//!
//! // The base is looked for in these caches, and fetched when it is in none of them.
//! let config = HubConfig {
//!     hub_cache: Some("cache/hub".into()),
//!     own_cache: Some("cache/irtune".into()),
//!     ..HubConfig::default()
//! };
//! let base = locate(&resolved.base, &config, &System, &mut Silent)?;
//!
//! // A run ends when its epochs do, or tidily after the step in which the flag is raised.
//! let interrupt = AtomicBool::new(false);
//! let request = resolved.request(&base.path);
//! let outcome = irtune_train::train(&request, &mut irtune_train::Silent, &interrupt)?;
//! println!("{outcome:?}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod annotate;
pub mod chart;
pub mod compare;
pub mod convert;
pub mod explain;
mod html_page;
pub mod inspect;
mod label_studio;
pub mod models;
pub mod replay;
pub mod serve;
pub mod settings;
pub mod show;
pub mod survey;
pub mod suspects;
