//! Standard output, and what is said in colours.

use std::io::{self, Write as _};

use serde::Serialize;

use super::failure::Failure;
use super::progress::Progress;
use irtune::show::linear::{Standing, standing};
use irtune_train::Summary;

/// Writes to standard output; a reader that has gone away is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(broken_pipe)
}

/// Writes a value as a JSON document.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Says on standard error how a run stands against the linear model; what to try in red, where that is a terminal which
/// wants colours.
pub fn say_standing(summary: &Summary) {
    let Some(Standing { text, advice }) = standing(summary) else { return };
    eprint!("\n{text}");
    if let Some(advice) = advice {
        let colours = Progress::terminal() && std::env::var_os("NO_COLOR").is_none();
        match colours {
            true => eprint!("\x1b[31m{advice}\x1b[0m"),
            false => eprint!("{advice}"),
        }
    }
}

/// Tells a reader that has gone away from other failures of writing.
pub fn broken_pipe(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::NoReader,
        _ => anyhow::Error::new(error).context("standard output cannot be written").into(),
    }
}
