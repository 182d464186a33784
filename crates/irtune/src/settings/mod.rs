//! From flags, environment, file and defaults to one set of plain settings.
//!
//! Later layers win: default < `--config` file < `IRTUNE_…` environment < flags and `--set`. Every
//! problem of every layer is collected, so that a user corrects them in one go.

mod problem;
mod resolve;
mod sources;
mod suggest;
mod table;

pub use irtune_train::{Group, Kind, Setting};
pub use problem::{Problem, Problems};
pub use resolve::{
    BASELINE_SETTINGS, Resolved, no_file, resolve, resolve_baseline, resolve_finished, unused,
};
pub use sources::{Origin, Sources, is_setting_variable};
pub use suggest::nearest;
pub use table::{SETTINGS, method_options, setting};
