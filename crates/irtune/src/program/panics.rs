//! Panics: those that are contained say nothing, since an error is told instead; any other is a fault of the program.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, Location};

use super::output::say_line;

/// Has panics told through the one writer, which can't fail; those of readers of damaged files are not told at all.
pub fn tell_own_ones() {
    panic::set_hook(Box::new(|panic| {
        if irtune_files::is_contained() {
            return;
        }
        let payload = panic.payload();
        let said = payload.downcast_ref::<&str>().copied();
        let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        say_line(&told(said, panic.location(), &Backtrace::capture()));
    }));
}

/// What is said of a panic. There is a backtrace where `RUST_BACKTRACE` asks for one.
fn told(said: Option<&str>, place: Option<&Location>, backtrace: &Backtrace) -> String {
    let said = said.unwrap_or("no reason was given");
    let place = place.map_or_else(String::new, |place| format!(" ({place})"));
    let told = format!(
        "error: a fault of irtune itself: {said}{place}\nhint: please report it, with the command and what it was given"
    );
    match backtrace.status() {
        BacktraceStatus::Captured => format!("{told}\n{backtrace}"),
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_program_is_told_with_its_place() {
        let said = told(Some("no layer 7"), Some(Location::caller()), &Backtrace::disabled());
        assert!(said.starts_with("error: a fault of irtune itself: no layer 7 ("), "{said}");
        assert!(said.contains("panics.rs:") && said.contains("please report it"), "{said}");
        assert!(
            told(None, None, &Backtrace::force_capture()).lines().count() > 3,
            "a backtrace was asked for"
        );
    }
}
