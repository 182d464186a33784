//! `irtune models`

use crate::program::args::ModelsArguments;
use crate::program::failure::Failure;
use crate::program::output::{print, print_json};
use irtune::models::Models;

/// Lists the bases that have a short name.
pub fn run(arguments: &ModelsArguments) -> Result<(), Failure> {
    let models = Models::all()?;
    if arguments.json { print_json(&models) } else { print(&models.to_string()) }
}
