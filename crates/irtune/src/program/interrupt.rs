//! Interrupts: the first asks for a tidy end, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, thread};

use crate::program::output::say_line;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Starts listening and returns the flag that the first interrupt raises.
///
/// An interrupt is Ctrl-C, the request to end, and the end of the terminal, unless the program was started to outlive
/// that (`nohup`). Only the first two end the program when they come again: a terminal that is closed says so more than
/// once.
///
/// # Errors
/// When the system lets nobody listen.
pub fn listen(what: &'static str) -> io::Result<&'static AtomicBool> {
    system::listen(move |insists| {
        if !REQUESTED.swap(true, Ordering::SeqCst) {
            say_line(&format!("\ninterrupted: {what} (once more to stop at once)"));
        } else if insists {
            std::process::exit(130);
        }
    })?;
    Ok(&REQUESTED)
}

#[cfg(unix)]
mod system {
    use super::{io, thread};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    /// Tells of every signal, and whether it comes again only when a person insists.
    pub fn listen(heard: impl Fn(bool) + Send + 'static) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        if !is_ignored(SIGHUP) {
            signals.add_signal(SIGHUP)?;
        }
        let listening = move || signals.forever().for_each(|signal| heard(signal != SIGHUP));
        thread::Builder::new().name("interrupts".to_owned()).spawn(listening).map(drop)
    }

    /// Whether the program was started so that it ignores a signal; where there is no `/proc`, that is not known.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status
            .lines()
            .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }
}

#[cfg(not(unix))]
mod system {
    use super::io;

    /// Tells of every Ctrl-C.
    pub fn listen(heard: impl Fn(bool) + Send + 'static) -> io::Result<()> {
        ctrlc::set_handler(move || heard(true)).map_err(io::Error::other)
    }
}
