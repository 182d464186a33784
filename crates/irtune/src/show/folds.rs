//! What came out of a cross-validation, as a person reads it.

use std::path::Path;

use irtune_train::{FoldsSummary, Spread};

use super::report;
use super::text_table::table;

/// The figures of the runs, their mean and deviation, and those of all pairs together.
pub fn summary(found: &FoldsSummary, folder: &Path) -> String {
    let mut rows: Vec<Vec<String>> = found
        .runs
        .iter()
        .map(|run| {
            let figures = [run.accuracy, run.macro_f1, run.loss].map(|figure| format!("{figure:.4}"));
            [vec![run.fold.to_string(), run.examples.to_string()], figures.to_vec()].concat()
        })
        .collect();
    let spreads = [found.accuracy, found.macro_f1, found.loss];
    for (name, figure) in
        [("mean", (|spread| spread.mean) as fn(&Spread) -> f64), ("deviation", |spread| spread.deviation)]
    {
        let figures = spreads.iter().map(|spread| format!("{:.4}", figure(spread)));
        rows.push([name.to_owned(), String::new()].into_iter().chain(figures).collect());
    }
    format!(
        "\nCross-validation in {} parts ({}), each part tested by the run that had not seen it:\n{}\nAll pairs \
         together:\n{}\nIn {}: folds.json, and a run folder for each part\n",
        found.folds,
        found.method,
        table(&["part", "pairs", found.pooled.accuracy_name(), "macro F1", "loss"], &rows),
        report::metrics(&found.pooled),
        folder.display()
    )
}
