//! The report: one HTML page with everything in it, readable on light and dark backgrounds, without scripts.

mod curves;
mod heat_map;
mod intervals;
mod kinds;
mod labels;
mod probabilities;
mod runs;
mod tables;

use maud::{Markup, html};

use super::reading;
use super::results::Results;
use crate::html_page;

/// How tables and the page look.
const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(results: &Results) -> String {
    let settings = results.settings();
    let body = html! {
        header {
            h1 { "Comparison" }
            p { (about(results)) }
        }
        section id="reading" {
            h2 { "What it says" }
            ul { @for sentence in reading::sentences(results) { li { (sentence) } } }
        }
        @for (place, (setting, arms)) in settings.iter().enumerate() {
            section id=(format!("setting-{place}")) {
                h2 { (setting) }
                (tables::arms(results, arms))
                (intervals::figure(results, arms))
                (tables::comparisons(results, arms))
                (curves::figures(results, arms))
                (probabilities::figures(results, arms))
            }
        }
        (curves::learning(results))
        section id="layers" {
            h2 { "Which layer trained when" }
            p { "Of each row the run with its first seed; the highest layer is on top. The darker, the more of these steps the layer trained in; the bars are its share of all steps." }
            div class="grid" { @for place in 0..results.arms.len() { (heat_map::figure(results, place)) } }
        }
        (labels::section(results))
        (kinds::section(results))
        (runs::section(results))
        section id="method" {
            h2 { "How this was computed" }
            (method(results))
            details {
                summary { "What was compared" }
                pre { (toml::to_string(&results.definition).unwrap_or_default()) }
            }
        }
    };
    html_page::page("Comparison", &[STYLE], &body)
}

fn about(results: &Results) -> String {
    let runs = results.cells.len();
    format!(
        "{runs} finished {}, irtune {}. {}.",
        if runs == 1 { "run" } else { "runs" },
        results.version,
        results.machines.join("; ")
    )
}

fn method(results: &Results) -> Markup {
    let bootstrap = results.bootstrap;
    let percent = (bootstrap.confidence * 1000.0).round() / 10.0;
    html! {
        ul {
            li {
                "Accuracy, macro-F1 and AU-PRC (average precision, a plain mean over the labels) are those of the best model by validation on the test pairs: mean ± sample standard deviation over seeds. In brackets stands the "
                (percent) " % percentile interval of the mean over " (crate::show::numbers::count(bootstrap.resamples as u64))
                " resamples, each of which draws seeds and test pairs with replacement. Of few seeds it is too narrow for what other seeds would do."
            }
            li {
                "Differences are second less first, on the seeds that both have. The bootstrap draws test pairs alone, the same for all runs: it speaks of other test pairs, not of other seeds. McNemar's test counts the test pairs on which exactly one of two runs with the same seed is right: exact below 25 of them, mid-p from there on; several seeds count with twice the mean of their p, which holds however they depend on each other. The test over seeds goes through every sign of the macro-F1 differences."
            }
            li { "A label is the one of the highest probability, and probabilities are those of the model with the calibration that its run fitted on the validation pairs." }
            li { "Each kind of test is corrected by Holm for all comparisons of this page." }
            li { "A step's time is the median over a run's steps; seconds are the time of training steps alone, as the machine ran them, evaluations left out. An interrupted run counts the steps that its records hold." }
        }
    }
}
