//! Figures by label, and which label is taken for which.

use maud::{Markup, html};

use crate::compare::results::{Arm, Results};

/// Both tables of every arm.
pub fn section(results: &Results) -> Markup {
    html! {
        section id="labels" {
            h2 { "By label" }
            p { "Means over seeds; in the counts of true against predicted labels all seeds are summed." }
            @for (place, arm) in results.arms.iter().enumerate() {
                details open[place == 0] {
                    summary { (name(results, arm)) }
                    div class="wide" { (figures(arm)) }
                    div class="wide" { (confusion(arm)) }
                    @for level in &arm.levels {
                        p {
                            "Level " (level.level) " of the labels (" (level.labels.join(", ")) "), probabilities summed: accuracy "
                            (format!("{:.3}", level.accuracy)) ", macro F1 " (format!("{:.3}", level.macro_f1)) "."
                        }
                    }
                }
            }
        }
    }
}

fn name(results: &Results, arm: &Arm) -> String {
    let size = arm.train_size.map_or_else(String::new, |pairs| format!(", {pairs} training pairs"));
    match results.settings().len() {
        1 => results.label(arm),
        _ => format!("{}, {}{size}", results.label(arm), arm.corpus),
    }
}

fn figures(arm: &Arm) -> Markup {
    html! {
        table {
            thead {
                tr {
                    @for heading in ["label", "precision", "recall", "F1", "AU-PRC", "test pairs", "predicted"] {
                        th scope="col" { (heading) }
                    }
                }
            }
            tbody {
                @for class in &arm.classes {
                    tr {
                        th scope="row" { (class.label) }
                        @for figure in [class.precision, class.recall, class.f1, class.average_precision] {
                            td class="share" style=(format!("--share:{figure:.3}")) { (format!("{figure:.3}")) }
                        }
                        td { (class.support) }
                        td { (class.predicted) }
                    }
                }
            }
        }
    }
}

fn confusion(arm: &Arm) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "true \\ predicted" }
                    @for class in &arm.classes { th scope="col" { (class.label) } }
                }
            }
            tbody {
                @for (class, row) in arm.classes.iter().zip(&arm.confusion.rows) {
                    @let sum = row.iter().sum::<u64>().max(1);
                    tr {
                        th scope="row" { (class.label) }
                        @for count in row {
                            td class="share" style=(format!("--share:{:.3}", *count as f64 / sum as f64)) { (count) }
                        }
                    }
                }
            }
        }
    }
}
