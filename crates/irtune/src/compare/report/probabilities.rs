//! How far the probabilities of arms can be trusted.

use maud::{Markup, html};

use crate::chart::legend;
use crate::compare::figures::{interval, spread};
use crate::compare::results::{ArmProbabilities, Results};
use crate::show::probability_charts::{reliability, risk_coverage};

/// Tables and charts of some arms; nothing where they are not measured.
pub fn figures(results: &Results, places: &[usize]) -> Markup {
    let measured: Vec<(String, &ArmProbabilities)> = places
        .iter()
        .map(|place| &results.arms[*place])
        .filter_map(|arm| Some((results.label(arm), arm.probabilities.as_ref()?)))
        .collect();
    let mut names: Vec<(usize, String)> = measured.iter().map(|(name, _)| name.clone()).enumerate().collect();
    let bins: Vec<_> = measured.iter().map(|(_, arm)| arm.reliability.as_slice()).collect();
    let points: Vec<_> = measured.iter().map(|(_, arm)| arm.by_coverage.as_slice()).collect();
    names.push((names.len(), "as sure as right".to_owned()));
    html! {
        @if !measured.is_empty() {
            h3 { "Probabilities" }
            (table(&measured))
            (surest(&measured))
            (legend(&names))
            div class="grid" { (reliability(&bins).draw()) (risk_coverage(&points).draw()) }
        }
    }
}

fn table(measured: &[(String, &ArmProbabilities)]) -> Markup {
    html! {
        div class="wide" {
            table {
                caption { "Means over seeds. Calibration error: expected, 15 bins of equal width; in brackets its interval over resampled test pairs. Plain outputs: macro-F1 without the calibration that was fitted on validation pairs." }
                thead {
                    tr {
                        @for heading in [
                            "method", "log loss", "Brier score", "calibration error", "area of risk by coverage",
                            "macro-F1 of plain outputs",
                        ] { th scope="col" { (heading) } }
                    }
                }
                tbody {
                    @for (name, arm) in measured {
                        tr {
                            th scope="row" { (name) }
                            td { (spread(&arm.log_loss, 3)) }
                            td { (spread(&arm.brier, 3)) }
                            td { (spread(&arm.calibration_error, 3)) small { (interval(arm.calibration_error_interval)) } }
                            td { (spread(&arm.risk_coverage_area, 3)) }
                            td { @if let Some(plain) = &arm.plain_macro_f1 { (spread(plain, 3)) } @else { "–" } }
                        }
                    }
                }
            }
        }
    }
}

/// The share of right answers when only the surest pairs are answered, the most pairs first.
fn surest(measured: &[(String, &ArmProbabilities)]) -> Markup {
    html! {
        div class="wide" {
            table {
                caption { "Right answers when only the surest pairs get one, all seeds together; below, the lowest probability of an answer that is given (predict --abstain-below)." }
                thead {
                    tr {
                        th scope="col" { "method" }
                        @if let Some((_, first)) = measured.first() {
                            @for place in (1..=first.by_coverage.len()).rev() {
                                th scope="col" { (100 * place / first.by_coverage.len()) " % answered" }
                            }
                        }
                    }
                }
                tbody {
                    @for (name, arm) in measured {
                        tr {
                            th scope="row" { (name) }
                            @for point in arm.by_coverage.iter().rev() {
                                td { (format!("{:.1} %", 100.0 * (1.0 - point.risk))) small { (format!("{:.2}", point.threshold)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
