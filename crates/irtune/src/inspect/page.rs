//! A run as a page: one HTML file with everything in it, without scripts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use irtune_metrics::Metrics;
use irtune_train::{Evaluation, StepReport};
use maud::{Markup, html};

use super::mistakes::{Mistake, Mistakes};
use crate::annotate::{Side, changes, pieces};
use crate::chart::{Chart, Line, Point, legend};
use crate::html_page;
use crate::show::numbers::percent;

/// How the page looks.
const STYLE: &str = include_str!("page.css");

/// Points of a curve at most; of longer runs each is a mean.
const POINTS: usize = 300;

/// What a page of a run shows.
pub(super) struct Page<'a> {
    pub name: &'a str,
    /// What it was asked, in lines.
    pub about: &'a str,
    pub steps: &'a [StepReport],
    pub evaluations: &'a [Evaluation],
    /// The layers over time, as an SVG file; nothing without steps.
    pub layers: Option<String>,
    /// Charts of the probabilities of the test pairs.
    pub probabilities: Vec<Chart>,
    /// The test pairs, if there are any.
    pub test: Option<&'a Metrics>,
    /// The test pairs that it gets wrong.
    pub mistakes: Mistakes,
}

impl Page<'_> {
    /// The page.
    pub fn html(&self) -> String {
        let body = html! {
            header { h1 { (self.name) } pre { (self.about) } }
            (self.curves())
            @if let Some(layers) = &self.layers {
                section { h2 { "Layers over time" }
                    img alt="Which layers trained in which steps, darker where they trained in more of them"
                        src=(format!("data:image/svg+xml;base64,{}", STANDARD.encode(layers)));
                }
            }
            @if let Some(test) = self.test { (confusion(test)) }
            @if !self.probabilities.is_empty() {
                section { h2 { "Probabilities of the test pairs" }
                    div class="charts" { @for chart in &self.probabilities { (chart.draw()) } }
                }
            }
            (mistakes(&self.mistakes))
        };
        html_page::page(self.name, &[STYLE], &body)
    }

    fn curves(&self) -> Markup {
        let losses: Vec<(f64, f64)> = self.steps.iter().map(|step| (step.step as f64, step.loss)).collect();
        let loss = Line { number: 0, points: means(&losses) };
        let of = |value: fn(&Evaluation) -> f64| -> Vec<Point> {
            let own = self.evaluations.iter().filter(|own| own.split == irtune_train::DataSplit::Validation);
            own.map(|own| Point { x: own.step as f64, y: value(own), ends: None }).collect()
        };
        let measured = Line { number: 1, points: of(|own| own.loss) };
        let loss = chart("Loss", vec![loss, measured]);
        let figures = chart(
            "On the validation pairs",
            vec![
                Line { number: 2, points: of(|own| own.metrics.macro_f1) },
                Line { number: 3, points: of(|own| own.metrics.accuracy) },
            ],
        );
        html! {
            section { h2 { "Curves" }
                div class="charts" {
                    div { (loss.draw()) (legend(&[(0, "training pairs".into()), (1, "validation pairs".into())])) }
                    div { (figures.draw()) (legend(&[(2, "macro-F1".into()), (3, "accuracy".into())])) }
                }
            }
        }
    }
}

fn chart(title: &str, lines: Vec<Line>) -> Chart {
    Chart { title: title.to_owned(), along: "step", logarithmic: false, from_zero: false, lines }
}

/// So many points that they can be told apart: means of neighbours.
fn means(values: &[(f64, f64)]) -> Vec<Point> {
    let each = values.len().div_ceil(POINTS).max(1);
    let mean = |part: &[(f64, f64)]| {
        let sum = part.iter().fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        Point { x: sum.0 / part.len() as f64, y: sum.1 / part.len() as f64, ends: None }
    };
    values.chunks(each).map(mean).collect()
}

/// The figures of each label, and which is taken for which.
fn confusion(test: &Metrics) -> Markup {
    let most = test.confusion.rows.iter().map(|row| row.iter().sum::<u64>());
    let totals: Vec<u64> = most.collect();
    html! {
        section { h2 { "Test pairs" }
            p { (test.examples) " pairs: " (test.accuracy_name()) " " (percent(test.accuracy)) ", macro-F1 " (percent(test.macro_f1)) "." }
            div class="wide" { table {
                thead { tr { th scope="col" { "Label" } @for name in ["pairs", "precision", "recall", "F1"] { th scope="col" { (name) } } } }
                tbody { @for class in &test.classes { tr {
                    th scope="row" { (class.label) } td { (class.support) }
                    td { (percent(class.precision)) } td { (percent(class.recall)) } td { (percent(class.f1)) }
                } } }
            } }
            @if !test.confusion.is_empty() {
                h3 { "Which label is taken for which" }
                div class="wide" { table class="confusion" {
                    thead { tr { th scope="col" { "true ↓ told →" } @for class in &test.classes { th scope="col" { (class.label) } } } }
                    tbody { @for ((row, class), total) in test.confusion.rows.iter().zip(&test.classes).zip(&totals) { tr {
                        th scope="row" { (class.label) }
                        @for count in row { td style=(format!("--share: {:.0}%", 100.0 * *count as f64 / (*total).max(1) as f64)) { (count) } }
                    } } }
                } }
            }
        }
    }
}

fn mistakes(mistakes: &Mistakes) -> Markup {
    html! {
        section { h2 { "What it gets wrong" }
            @match mistakes {
                Mistakes::Unknown(why) => p { (why) },
                Mistakes::Found { all, shown } => {
                    p { (all) " of the test pairs" @if *all > shown.len() { "; shown are the " (shown.len()) " of which it is surest" } "." }
                    div class="wide" { table class="list" {
                        thead { tr { @for name in ["Place", "Revision", "True", "Told", "Probability"] { th scope="col" { (name) } } } }
                        tbody { @for own in shown { (mistake(own)) } }
                    } }
                }
            }
        }
    }
}

fn mistake(own: &Mistake) -> Markup {
    html! {
        tr {
            td { (own.place) }
            td class="text" { (changes(&pieces(&own.original, &own.revised), &[Side::Old, Side::New])) }
            td { (own.label) } td { (own.told) } td { (format!("{:.2}", own.probability)) }
        }
    }
}
