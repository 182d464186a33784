//! `irtune plan`

use super::sources;
use crate::program::args::PlanArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print, print_json};
use irtune::{settings, show};
use irtune_train::{MEASURED_SECONDS, Silent};

/// Says what a run would take.
pub fn run(arguments: &PlanArguments, environment: &Environment) -> Result<(), Failure> {
    let said = sources(arguments.config.as_deref(), &arguments.settings, &arguments.set, environment);
    let resolved = settings::resolve(said).map_err(Failure::Settings)?;
    let base = super::locate(&resolved.base, environment)?;
    let plan = irtune_train::plan(&resolved.request(&base), MEASURED_SECONDS, &mut Silent)?;
    if arguments.json { print_json(&plan) } else { print(&show::plan::plan(&plan)) }
}
