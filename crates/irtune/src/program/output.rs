//! The one writer to standard output and to standard error.
//!
//! Standard error can go away at any time: the terminal is closed, the disk that it is redirected to is full, whoever
//! reads it has ended. What is said there is then lost, and nothing else: a run goes on and ends tidily. `eprintln!`
//! would end the program instead, and so lints forbid it.
//!
//! What files hold may be in any text, and reaches a terminal as something to read, never as something to obey.

use std::io::{self, Write};

use serde::Serialize;

use super::failure::Failure;
use irtune::show::printable::printable;

/// Writes to standard output; a reader that has gone away is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(printable(text).as_bytes()).and_then(|()| out.flush()).map_err(broken_pipe)
}

/// Says something on standard error.
pub fn say(text: &str) {
    say_plainly(&printable(text));
}

/// Writes to standard error as it is, colours included.
pub fn say_plainly(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Says a line on standard error.
pub fn say_line(line: &str) {
    say(&format!("{line}\n"));
}

/// Standard error for what writes by itself: every write succeeds.
pub struct StandardError;

impl Write for StandardError {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().lock().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
