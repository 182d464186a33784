//! What is read.

use crate::place::Place;
use crate::random::Random;

/// What reading said: accepted, or refused with a message.
pub type Said = Result<(), String>;

/// Something that irtune reads.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name as an argument.
    pub name: &'static str,
    /// Whether every refusal has to name a file.
    pub names_files: bool,
    /// How many cases make a short test: some seconds at most.
    pub usual: u64,
    /// Damages something of the place and reads it.
    pub run: fn(&Place, &mut Random) -> Said,
}

/// Cases of a target.
#[derive(Clone, Copy)]
pub struct Cases {
    /// The number of the first one.
    pub first: u64,
    /// How many.
    pub count: u64,
}

/// What an error says, as a refusal.
pub fn refused(error: impl std::fmt::Display) -> String {
    error.to_string()
}
