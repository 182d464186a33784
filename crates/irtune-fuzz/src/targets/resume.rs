//! Runs to be continued.

use std::sync::atomic::AtomicBool;

use irtune_train::{Silent, resume};

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// The folder of an interrupted run, continued to its end.
pub const TARGET: Target = Target { name: "resume", names_files: false, usual: 60, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damaged_copy(random, "begun", |folder| {
        resume(folder, &mut Silent, &AtomicBool::new(false)).map(drop).map_err(refused)
    })
}
