//! Runs side by side: what is to be compared, the runs, their figures, and the reports on them.
//!
//! A [`Definition`], read from a file, from [`Overrides`] or from both by [`read`], becomes a [`Plan`]. That trains what
//! is not finished ([`Plan::run`]) and gathers what the finished runs say ([`Plan::results`]); [`write()`] makes the
//! tables and the report of it.

mod analyse;
mod cell;
mod check;
mod definition;
mod definition_file;
mod error;
mod figures;
mod gather;
mod layer_code;
mod markdown;
mod observer;
mod pipes;
mod plan;
mod reading;
mod report;
mod results;
mod runner;
mod table_csv;

use std::path::{Path, PathBuf};

use irtune_files::{Disk, replace_file};

pub use definition::{Corpus, Definition, Entry, TrainSize};
pub use definition_file::{Overrides, read};
pub use error::{CellError, CompareError};
pub use markdown::tables;
pub use observer::CompareObserver;
pub use pipes::keep_pipes;
pub use plan::Plan;
pub use results::{Arm, CellResults, Comparison, Estimate, FORMAT, LossPoint, Results, ValidationPoint};

/// Writes the tables and the report into a comparison's folder; where, and what each holds.
///
/// # Errors
/// When a file can't be written.
pub fn write(results: &Results, out: &Path) -> Result<Vec<(PathBuf, &'static str)>, CompareError> {
    let files = [
        ("report.html", report::page(results), "everything, with curves; opens in any browser"),
        ("table.md", tables(results, 2), "the tables"),
        ("table.csv", table_csv::csv(results)?, "a row a method and adapter, for spreadsheets"),
        ("results.json", serde_json::to_string(results)? + "\n", "everything, for programs"),
    ];
    let mut written = Vec::new();
    for (name, text, holds) in files {
        let path = out.join(name);
        replace_file(&Disk, &path, &mut |writer| writer.write_all(text.as_bytes()))?;
        written.push((path, holds));
    }
    Ok(written)
}
