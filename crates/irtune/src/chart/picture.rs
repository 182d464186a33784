//! Several charts as one file.

use maud::{Markup, PreEscaped, html};

use super::STYLE;
use super::line_chart::{Chart, HEIGHT, WIDTH};

/// Charts beside and below each other, as an SVG file of its own; a chart without points leaves its place empty.
pub fn picture(charts: &[Chart], columns: usize) -> String {
    let columns = columns.max(1);
    let (width, height) = (WIDTH * columns as f64, HEIGHT * charts.len().div_ceil(columns) as f64);
    let place = |number: usize| {
        format!("translate({} {})", (number % columns) as f64 * WIDTH, (number / columns) as f64 * HEIGHT)
    };
    let markup: Markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) {
            style { (PreEscaped(STYLE)) }
            rect width=(width) height=(height) style="fill: var(--paper)" {}
            @for (number, chart) in charts.iter().enumerate() {
                g transform=(place(number)) { (chart.content()) }
            }
        }
    };
    markup.into_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::{Line, Point};
    use super::*;

    #[test]
    fn charts_stand_side_by_side_and_below() {
        let line =
            |number| Line { number, points: [1.0, 2.0].map(|x| Point { x, y: x, ends: None }).to_vec() };
        let chart = |number| Chart {
            title: format!("chart {number}"),
            along: "step",
            logarithmic: false,
            from_zero: true,
            lines: vec![line(number)],
        };
        let svg = picture(&[chart(0), chart(1), chart(2)], 2);
        assert_eq!(svg.matches("<polyline").count(), 3);
        for place in ["translate(0 0)", "translate(560 0)", "translate(0 300)"] {
            assert!(svg.contains(place), "{place}: {svg}");
        }
        assert!(svg.starts_with("<svg xmlns") && svg.contains("viewBox=\"0 0 1120 600\""), "{svg}");
    }
}
