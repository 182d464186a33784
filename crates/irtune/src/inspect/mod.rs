//! What a run did, and what a base model holds: as text for a person, as JSON for programs.

mod base;
mod linear;
mod mistakes;
mod page;
mod run;

pub use base::BaseReport;
pub use linear::LinearReport;
pub use run::{InspectError, RunReport, write_picture};
