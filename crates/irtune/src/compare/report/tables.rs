//! The tables of arms and of comparisons.

use maud::{Markup, html};

use crate::compare::figures::{interval, p, signed, spread};
use crate::compare::reading::ALPHA;
use crate::compare::results::{Comparison, Estimate, Results};

/// The figures of some arms.
pub fn arms(results: &Results, places: &[usize]) -> Markup {
    html! {
        div class="wide" {
            table {
                thead {
                    tr {
                        @for heading in [
                            "method", "seeds", "accuracy", "macro-F1", "AU-PRC", "layers trained", "s a step", "examples/s",
                            "peak memory, GB", "trainable numbers",
                        ] { th scope="col" { (heading) } }
                    }
                }
                tbody {
                    @for arm in places.iter().map(|place| &results.arms[*place]) {
                        tr {
                            th scope="row" { (results.label(arm)) }
                            td { (arm.seeds.len()) }
                            (estimate(&arm.accuracy))
                            (estimate(&arm.macro_f1))
                            (estimate(&arm.average_precision))
                            td { @if arm.is_linear() { "–" } @else { (format!("{:.0} %", 100.0 * arm.trained_share.mean)) } }
                            td { @if arm.is_linear() { "–" } @else { (spread(&arm.step_seconds, 2)) } }
                            td { (spread(&arm.examples_per_second, 1)) }
                            td { @if let Some(peak) = arm.peak_bytes { (format!("{:.2}", peak.mean / 1e9)) } @else { "–" } }
                            td { (crate::show::numbers::count(arm.parameters as u64)) }
                        }
                    }
                }
            }
        }
    }
}

/// How some arms differ; nothing of one arm.
pub fn comparisons(results: &Results, places: &[usize]) -> Markup {
    let comparisons: Vec<&Comparison> = results.comparisons_of(places).collect();
    html! {
        @if !comparisons.is_empty() {
            h3 { "Differences" }
            div class="wide" {
                table {
                    caption { "Second less first. p is corrected for the number of comparisons on this page (" (results.comparisons.len()) "), below it the plain one. Bold: below " (ALPHA) "." }
                    thead {
                        tr {
                            @for heading in [
                                "second against first", "seeds", "accuracy", "macro-F1", "bootstrap p", "McNemar p",
                                "only first right, only second", "seeds p",
                            ] { th scope="col" { (heading) } }
                        }
                    }
                    tbody { @for comparison in comparisons { (row(results, comparison)) } }
                }
            }
        }
    }
}

fn row(results: &Results, comparison: &Comparison) -> Markup {
    let label = |place: usize| results.label(&results.arms[place]);
    let counts: Vec<String> =
        comparison.mcnemar.iter().map(|test| format!("{}, {}", test.only_first, test.only_second)).collect();
    let counts = counts.join("; ");
    html! {
        tr {
            th scope="row" { (label(comparison.second)) " against " (label(comparison.first)) }
            td { (comparison.seeds.len()) }
            td { (signed(comparison.accuracy)) }
            td { (signed(comparison.macro_f1)) small { (interval(comparison.bootstrap.interval)) } }
            (test(comparison.bootstrap_adjusted, comparison.bootstrap.p))
            (test(comparison.mcnemar_adjusted, comparison.mcnemar_p))
            td { (counts) }
            (test(comparison.seeds_adjusted, comparison.seeds_test.p))
        }
    }
}

/// Mean and deviation, and below them the interval.
fn estimate(estimate: &Estimate) -> Markup {
    html! { td { (spread(&estimate.spread, 3)) small { (interval(estimate.interval)) } } }
}

fn test(adjusted: f64, plain: f64) -> Markup {
    html! {
        td class=[(adjusted < ALPHA).then_some("significant")] { (p(adjusted)) small { (p(plain)) } }
    }
}
