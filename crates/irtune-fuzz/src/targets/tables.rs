//! Workbooks and Parquet files.

use crate::in_memory;
use crate::place::Place;
use crate::random::Random;
use crate::target::{Said, Target};

/// Pairs in files that other programs wrote.
pub const TARGET: Target = Target { name: "tables", names_files: true, usual: 1000, run };

const FILES: [&str; 5] = ["sheet.xlsx", "sheets.xlsx", "plain.parquet", "gzip.parquet", "nested.parquet"];

fn run(place: &Place, random: &mut Random) -> Said {
    let (path, bytes) = place.damaged(random, &FILES);
    in_memory::pairs(&path, &bytes)
}
