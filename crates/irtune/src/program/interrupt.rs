//! Ctrl-C: the first asks for a tidy end, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Starts listening and returns the flag that the first Ctrl-C raises.
///
/// # Errors
/// When the system allows no handler, or there is one already.
pub fn listen(what: &'static str) -> Result<&'static AtomicBool, ctrlc::Error> {
    ctrlc::set_handler(move || {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        eprintln!("\ninterrupted: {what} (once more to stop at once)");
    })?;
    Ok(&REQUESTED)
}
