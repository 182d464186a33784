//! Means and intervals of macro F1, one row an arm.

use maud::{Markup, html};

use crate::chart::{Scale, class};
use crate::compare::figures;
use crate::compare::results::Results;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 34.0;
const ROW: f64 = 24.0;
const BOTTOM: f64 = 44.0;

/// The picture of some arms.
pub fn figure(results: &Results, arms: &[usize]) -> Markup {
    let intervals = || arms.iter().map(|place| results.arms[*place].macro_f1);
    let ends = intervals()
        .flat_map(|estimate| [estimate.interval.low, estimate.interval.high, estimate.spread.mean]);
    let Some(scale) = Scale::over(ends, LEFT, WIDTH - RIGHT, false) else { return html! {} };
    let scale = scale.padded(0.04);
    let bottom = TOP + ROW * arms.len() as f64;
    let height = bottom + BOTTOM;
    html! {
        figure {
            svg viewBox=(format!("0 0 {WIDTH} {height}")) width=(WIDTH) height=(height) role="img" {
                title { "Test macro-F1" }
                text class="title" x=(LEFT) y="20" { "Test macro-F1" }
                @for (figure, text) in scale.ticks(6) {
                    @let x = format!("{:.1}", scale.place(figure));
                    path class="grid-line" d=(format!("M{x} {TOP}V{bottom}")) {}
                    text text-anchor="middle" x=(x) y=(bottom + 18.0) { (text) }
                }
                text text-anchor="middle" x=((LEFT + WIDTH - RIGHT) / 2.0) y=(bottom + 36.0) { "mean over seeds, with its interval" }
                @for (row, place) in arms.iter().enumerate() {
                    @let arm = &results.arms[*place];
                    @let estimate = arm.macro_f1;
                    @let y = TOP + ROW * (row as f64 + 0.5);
                    text class="name" text-anchor="end" x=(LEFT - 12.0) y=(y + 4.0) { (shortened(&results.label(arm))) }
                    path class=(format!("line s{}", row % 8)) d=(format!(
                        "M{:.1} {y}H{:.1}", scale.place(estimate.interval.low), scale.place(estimate.interval.high)
                    )) {}
                    circle class=(format!("dot {}", class(row % 8))) cx=(format!("{:.1}", scale.place(estimate.spread.mean))) cy=(y) r="4" {}
                    text x=(WIDTH - RIGHT + 12.0) y=(y + 4.0) { (format!("{:.3} {}", estimate.spread.mean, figures::interval(estimate.interval))) }
                }
            }
        }
    }
}

/// A name that fits into its margin.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 30;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}
