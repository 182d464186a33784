//! `irtune completions`

use clap::CommandFactory as _;

use crate::program::args::{Arguments, CompletionsArguments};
use crate::program::failure::Failure;
use crate::program::output::print;

/// Writes the script with which a shell completes irtune's commands, flags and their values.
pub fn run(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "irtune", &mut script);
    print(&String::from_utf8_lossy(&script))
}
