//! Runs to become whole models.

use std::fs;

use irtune_train::{MergeOptions, merge};

use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target, refused};

/// What `irtune merge` reads.
pub const TARGET: Target = Target { name: "merge", names_files: false, usual: 120, run };

fn run(place: &Place, random: &mut Random) -> Said {
    place.with_damage(random, &["run", "pooled", "tuned"], |folder| {
        let out = place.path("out");
        let said = merge(folder, &out, &MergeOptions::default(), &mut |_, _| {}).map(drop).map_err(refused);
        assert_eq!(out.exists(), said.is_ok(), "a folder is there when it is whole");
        let _ = fs::remove_dir_all(out);
        said
    })
}
