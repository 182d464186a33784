//! `irtune inspect`

use std::path::Path;

use crate::args::InspectArguments;
use crate::base::Reference;
use crate::environment::Environment;
use crate::failure::Failure;

/// Shows a run or a base, whichever the argument is.
pub fn run(arguments: &InspectArguments, environment: &Environment) -> Result<(), Failure> {
    let folder = Path::new(&arguments.target);
    // Only a run folder has the settings of a run in it.
    if folder.join("settings.toml").exists() {
        return super::inspect_run::run(folder, arguments.json);
    }
    let reference: Reference = arguments.target.parse()?;
    let path = super::locate(&reference, environment)?;
    super::inspect_base::run(&path, arguments.json)
}
