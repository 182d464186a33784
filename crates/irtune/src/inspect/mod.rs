//! What a run did, and what a base model holds: as text for a person, as JSON for programs.

mod base;
mod run;

pub use base::BaseReport;
pub use run::{InspectError, RunReport, write_picture};
