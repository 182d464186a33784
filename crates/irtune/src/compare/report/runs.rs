//! Every run.

use maud::{Markup, html};

use crate::compare::results::Results;
use crate::show::numbers::seconds;

/// The table of runs, and those that are missing.
pub fn section(results: &Results) -> Markup {
    html! {
        section id="runs" {
            h2 { "Runs" }
            details {
                summary { (results.cells.len()) " finished runs" }
                div class="wide" {
                    table {
                        thead {
                            tr {
                                @for heading in [
                                    "run", "steps", "best step", "accuracy", "macro-F1", "AU-PRC", "training", "evaluations",
                                    "examples/s", "peak memory, GB",
                                ] { th scope="col" { (heading) } }
                            }
                        }
                        tbody {
                            @for cell in &results.cells {
                                tr {
                                    th scope="row" { (cell.name) }
                                    td { (cell.steps) }
                                    td { (cell.best_step) }
                                    @for figure in [cell.accuracy, cell.macro_f1, cell.average_precision] {
                                        td { (format!("{figure:.3}")) }
                                    }
                                    td { (seconds(cell.training_seconds)) }
                                    td { (seconds(cell.evaluation_seconds)) }
                                    td { (format!("{:.1}", cell.examples_per_second)) }
                                    td { @if let Some(peak) = cell.peak_bytes { (format!("{:.2}", peak as f64 / 1e9)) } @else { "–" } }
                                }
                            }
                        }
                    }
                }
            }
            @if !results.missing.is_empty() {
                details {
                    summary { (results.missing.len()) " runs that are not finished" }
                    ul { @for name in &results.missing { li { (name) } } }
                }
            }
        }
    }
}
