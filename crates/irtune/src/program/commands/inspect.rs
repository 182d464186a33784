//! `irtune inspect`

use std::path::Path;

use crate::program::args::InspectArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print, print_json};
use irtune::inspect::{BaseReport, LinearReport, RunReport};
use irtune::settings::{Origin, Problem, Problems};
use irtune_files::{Disk, replace_file};
use irtune_hub::Reference;
use irtune_train::{RunFolder, RunFolderError};

/// Shows a run or a base, whichever the argument is.
pub fn run(arguments: &InspectArguments, environment: &Environment) -> Result<(), Failure> {
    let folder = Path::new(&arguments.target);
    match RunFolder::open(folder) {
        Ok(run) if run.is_linear() => {
            no_page(arguments)?;
            let report = LinearReport::of(run)?;
            return if arguments.json { print_json(&report.json()?) } else { print(&report.text()?) };
        }
        Ok(_) => {
            let report = RunReport::open(folder)?;
            if let Some(path) = &arguments.html {
                let page = report.page()?;
                return Ok(replace_file(&Disk, path, &mut |writer| writer.write_all(page.as_bytes()))?);
            }
            return if arguments.json { print_json(&report.json()?) } else { print(&report.text()?) };
        }
        // It may be a base.
        Err(RunFolderError::NotARun { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    no_page(arguments)?;
    let reference: Reference = arguments.target.parse()?;
    let report = BaseReport::open(&super::locate(&reference, environment)?)?;
    if arguments.json { print_json(&report.json()) } else { print(&report.to_string()) }
}

/// Refuses a page of what has no curves.
fn no_page(arguments: &InspectArguments) -> Result<(), Failure> {
    match arguments.html {
        None => Ok(()),
        Some(_) => {
            let message =
                "shows a run that was trained in steps; a linear model or a base has no page".to_owned();
            let problem = Problem::at(&Origin::Flag("html".to_owned()), message);
            Err(Failure::Settings(Problems(vec![problem])))
        }
    }
}
