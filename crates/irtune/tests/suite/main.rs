//! The program as a user meets it.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_macros, reason = "tests print what they measure")]

mod annotate;
mod bad_input;
mod baseline;
#[cfg(unix)]
mod browser;
mod compare;
mod compare_sizes;
mod convert;
mod data;
mod end_to_end;
#[cfg(unix)]
mod fetching;
#[cfg(target_os = "linux")]
mod file_faults;
mod help;
#[cfg(unix)]
mod inputs;
#[cfg(unix)]
mod interrupt;
#[cfg(unix)]
mod labelling;
mod merge;
mod model_card;
mod multi_label;
mod options;
#[cfg(unix)]
mod places;
mod plan;
mod prompt;
mod push;
mod quantize;
#[cfg(unix)]
mod races;
mod replay;
#[cfg(unix)]
mod serve;
mod serve_traffic;
mod settings;
mod smollm2;
mod smollm2_parity;
