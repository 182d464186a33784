//! What commands share that use a run: its folder, and a base that may have moved.

use std::io;
use std::path::Path;

use irtune_hub::Reference;

/// Tells of a run folder that is not there.
pub fn check_run(run: &Path, problem: &mut dyn FnMut(&str, String)) {
    let shown = run.display();
    match std::fs::metadata(run) {
        Ok(found) if found.is_dir() => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            problem("run", format!("`{shown}`: {error}"))
        }
        _ => problem("run", format!("`{shown}`: there is no such run folder")),
    }
}

/// The base that was given, if one was; tells of one that can't be read.
pub fn base(given: Option<&str>, problem: &mut dyn FnMut(&str, String)) -> Option<Reference> {
    given.map(str::parse::<Reference>).transpose().unwrap_or_else(|error| {
        problem("base", error.to_string());
        None
    })
}
