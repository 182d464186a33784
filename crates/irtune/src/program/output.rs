//! Standard output.

use std::io::{self, Write as _};

use serde::Serialize;

use super::failure::Failure;

/// Writes to standard output; a reader that has gone away is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(broken_pipe)
}

/// Writes a value as a JSON document.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Tells a reader that has gone away from other failures of writing.
pub fn broken_pipe(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::NoReader,
        _ => anyhow::Error::new(error).context("standard output cannot be written").into(),
    }
}
