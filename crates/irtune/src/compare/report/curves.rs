//! Loss and validation score over steps and over seconds, and the score over the number of training pairs.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::chart::{Chart, Line, Point, legend};
use crate::compare::results::{CellResults, Results};

/// What a curve is over.
#[derive(Clone, Copy, PartialEq)]
enum Along {
    Steps,
    Seconds,
}

impl Along {
    fn name(self) -> &'static str {
        match self {
            Self::Steps => "step",
            Self::Seconds => "seconds of training",
        }
    }
}

/// A measurement of a cell: after which step, after how many seconds, what.
type Measurement = (u64, f64, f64);

/// The four pictures of some arms, with their legend.
pub fn figures(results: &Results, arms: &[usize]) -> Markup {
    let arms: Vec<usize> = arms.iter().copied().filter(|place| !results.arms[*place].is_linear()).collect();
    let arms = arms.as_slice();
    let loss = |cell: &CellResults| -> Vec<Measurement> {
        cell.loss.iter().map(|point| (point.step, point.seconds, point.loss)).collect()
    };
    let score = |cell: &CellResults| -> Vec<Measurement> {
        cell.validation.iter().map(|point| (point.step, point.seconds, point.macro_f1)).collect()
    };
    let chart = |title: &str, along: Along, of: &dyn Fn(&CellResults) -> Vec<Measurement>| Chart {
        title: title.to_owned(),
        along: along.name(),
        logarithmic: false,
        from_zero: false,
        lines: arms
            .iter()
            .map(|place| Line { number: number(arms, *place), points: mean(results, *place, along, of) })
            .collect(),
    };
    let names: Vec<(usize, String)> =
        arms.iter().map(|place| (number(arms, *place), results.label(&results.arms[*place]))).collect();
    html! {
        h3 { "Curves, means over the runs" }
        (legend(&names))
        div class="grid" {
            (chart("Training loss over steps", Along::Steps, &loss).draw())
            (chart("Training loss over time", Along::Seconds, &loss).draw())
            (chart("Validation macro-F1 over steps", Along::Steps, &score).draw())
            (chart("Validation macro-F1 over time", Along::Seconds, &score).draw())
        }
    }
}

/// The number of an arm's line among others.
fn number(arms: &[usize], place: usize) -> usize {
    arms.iter().position(|other| *other == place).unwrap_or(0)
}

/// The mean over an arm's runs after each step that at least half of them have measured.
fn mean(
    results: &Results,
    arm: usize,
    along: Along,
    of: &dyn Fn(&CellResults) -> Vec<Measurement>,
) -> Vec<Point> {
    let mut runs = 0;
    let mut after: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
    for cell in results.cells.iter().filter(|cell| cell.arm == arm) {
        runs += 1;
        for (step, seconds, value) in of(cell) {
            after.entry(step).or_default().push((seconds, value));
        }
    }
    let common = after.into_iter().filter(|(_, measured)| 2 * measured.len() >= runs);
    let point = |(step, measured): (u64, Vec<(f64, f64)>)| {
        let count = measured.len() as f64;
        let seconds = measured.iter().map(|(seconds, _)| seconds).sum::<f64>() / count;
        let y = measured.iter().map(|(_, value)| value).sum::<f64>() / count;
        Point { x: if along == Along::Steps { step as f64 } else { seconds }, y, ends: None }
    };
    common.map(point).collect()
}

/// Macro F1 over the number of training pairs, a picture a corpus; nothing when only one number was compared.
pub fn learning(results: &Results) -> Markup {
    let mut corpora: Vec<&str> = results.arms.iter().map(|arm| arm.corpus.as_str()).collect();
    corpora.sort_unstable();
    corpora.dedup();
    let sized = |corpus: &&str| {
        let mut sizes = results.arms.iter().filter(|arm| arm.corpus == *corpus).map(|arm| arm.train_size);
        let first = sizes.next();
        sizes.any(|size| Some(size) != first)
    };
    let corpora: Vec<&str> = corpora.into_iter().filter(sized).collect();
    html! {
        @if !corpora.is_empty() {
            section id="learning" {
                h2 { "Learning curves" }
                p { "Test macro-F1 over the number of training pairs, with intervals. The smaller sets are parts of the larger ones." }
                @for corpus in corpora { (learning_curve(results, corpus)) }
            }
        }
    }
}

fn learning_curve(results: &Results, corpus: &str) -> Markup {
    let mut lines: Vec<(String, Vec<Point>)> = Vec::new();
    for arm in results.arms.iter().filter(|arm| arm.corpus == corpus) {
        let (interval, pairs) = (arm.macro_f1.interval, arm.train_size.unwrap_or(arm.train_examples));
        let point =
            Point { x: pairs as f64, y: arm.macro_f1.spread.mean, ends: Some((interval.low, interval.high)) };
        let name = results.label(arm);
        match lines.iter_mut().find(|(known, _)| *known == name) {
            Some((_, points)) => points.push(point),
            None => lines.push((name, vec![point])),
        }
    }
    let names: Vec<(usize, String)> = lines.iter().map(|(name, _)| name.clone()).enumerate().collect();
    let lines = lines.into_iter().enumerate().map(|(number, (_, mut points))| {
        points.sort_by(|left, right| left.x.total_cmp(&right.x));
        Line { number, points }
    });
    let title = format!("Test macro-F1, {corpus}");
    let chart =
        Chart { title, along: "training pairs", logarithmic: true, from_zero: false, lines: lines.collect() };
    html! { (legend(&names)) (chart.draw()) }
}
