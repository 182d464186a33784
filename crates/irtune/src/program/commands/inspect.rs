//! `irtune inspect`

use std::path::Path;

use crate::program::args::InspectArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print, print_json};
use irtune::inspect::{BaseReport, LinearReport, RunReport};
use irtune_hub::Reference;
use irtune_train::{RunFolder, RunFolderError};

/// Shows a run or a base, whichever the argument is.
pub fn run(arguments: &InspectArguments, environment: &Environment) -> Result<(), Failure> {
    let folder = Path::new(&arguments.target);
    match RunFolder::open(folder) {
        Ok(run) if run.is_linear() => {
            let report = LinearReport::of(run)?;
            return if arguments.json { print_json(&report.json()?) } else { print(&report.text()?) };
        }
        Ok(_) => {
            let report = RunReport::open(folder)?;
            return if arguments.json { print_json(&report.json()?) } else { print(&report.text()?) };
        }
        // It may be a base.
        Err(RunFolderError::NotARun { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let reference: Reference = arguments.target.parse()?;
    let report = BaseReport::open(&super::locate(&reference, environment)?)?;
    if arguments.json { print_json(&report.json()) } else { print(&report.to_string()) }
}
