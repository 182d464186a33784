//! Figures of pairs that add, delete and modify text.

use irtune_data::PairKind;
use irtune_train::KindFigures;
use maud::{Markup, html};
use strum::VariantArray as _;

use crate::compare::results::Results;

/// A table of all arms; nothing when no run has pairs of several kinds.
pub fn section(results: &Results) -> Markup {
    let several = results.cells.iter().any(|cell| cell.kinds.len() > 1);
    html! {
        @if several {
            section id="kinds" {
                h2 { "By kind of pair" }
                p { "Means over runs. An added pair has no original text, a deleted one no revised text. F1 is the mean over the labels that these pairs have." }
                div class="wide" {
                    table {
                        thead {
                            tr {
                                @for heading in ["", "pairs", "number", "accuracy", "macro-F1"] { th scope="col" { (heading) } }
                            }
                        }
                        tbody {
                            @for (place, arm) in results.arms.iter().enumerate() {
                                @for kind in PairKind::VARIANTS {
                                    @if let Some((number, accuracy, macro_f1)) = means(results, place, *kind) {
                                        tr {
                                            th scope="row" { (results.label(arm)) }
                                            td { (kind) }
                                            td { (number) }
                                            td { (format!("{accuracy:.3}")) }
                                            td { (format!("{macro_f1:.3}")) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Pairs of a kind in a run, and the means of an arm's runs: accuracy and macro-F1.
fn means(results: &Results, arm: usize, kind: PairKind) -> Option<(usize, f64, f64)> {
    let cells = results.cells.iter().filter(|cell| cell.arm == arm);
    let of: Vec<&KindFigures> =
        cells.filter_map(|cell| cell.kinds.iter().find(|figures| figures.kind == kind)).collect();
    let mean =
        |figure: fn(&KindFigures) -> f64| of.iter().map(|of| figure(of)).sum::<f64>() / of.len() as f64;
    Some((of.first()?.examples, mean(|of| of.accuracy), mean(|of| of.macro_f1)))
}
