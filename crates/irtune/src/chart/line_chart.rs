//! Lines over an axis.

use maud::{Markup, html};

use super::Scale;

pub(super) const WIDTH: f64 = 560.0;
pub(super) const HEIGHT: f64 = 300.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;

/// A line chart.
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What lies along, with its unit.
    pub along: &'static str,
    /// Whether what lies along grows by factors.
    pub logarithmic: bool,
    /// Whether upwards begins at zero.
    pub from_zero: bool,
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line.
pub struct Line {
    /// Its number, by which it has a colour.
    pub number: usize,
    /// From left to right.
    pub points: Vec<Point>,
}

/// A point of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Along.
    pub x: f64,
    /// Upwards.
    pub y: f64,
    /// Ends of an interval upwards.
    pub ends: Option<(f64, f64)>,
}

/// The classes of a line's colour and dashes: 24 lines can be told apart.
pub fn class(number: usize) -> String {
    format!("s{} d{}", number % 8, number / 8 % 3)
}

/// The names of lines beside samples of them.
pub fn legend(names: &[(usize, String)]) -> Markup {
    html! {
        ul class="legend" {
            @for (number, name) in names {
                li {
                    svg width="34" height="10" viewBox="0 0 34 10" aria-hidden="true" {
                        path class=(format!("line {}", class(*number))) d="M1 5h32" {}
                    }
                    (name)
                }
            }
        }
    }
}

impl Chart {
    /// The picture; nothing without points.
    pub fn draw(&self) -> Markup {
        let content = self.content();
        html! {
            @if !content.0.is_empty() {
                figure {
                    svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) width=(WIDTH) height=(HEIGHT) role="img" {
                        title { (self.title) }
                        (content)
                    }
                }
            }
        }
    }

    /// What is in the picture.
    pub(super) fn content(&self) -> Markup {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let across = Scale::over(points().map(|point| point.x), LEFT, WIDTH - RIGHT, self.logarithmic);
        let heights = points().flat_map(|point| {
            let (low, high) = point.ends.unwrap_or((point.y, point.y));
            [point.y, low, high]
        });
        let heights = heights.chain(self.from_zero.then_some(0.0));
        let up = Scale::over(heights, HEIGHT - BOTTOM, TOP, false);
        let (Some(across), Some(up)) = (across, up) else { return html! {} };
        let across = across.padded(if self.logarithmic { 0.04 } else { 0.02 });
        let up = if self.from_zero { up } else { up.padded(0.05) };
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        html! {
            text class="title" x=(LEFT) y="20" { (self.title) }
            @for (figure, text) in up.ticks(5) {
                @let y = format!("{:.1}", up.place(figure));
                path class="grid-line" d=(format!("M{LEFT} {y}H{right}")) {}
                text text-anchor="end" x=(LEFT - 8.0) y=(format!("{:.1}", up.place(figure) + 4.0)) { (text) }
            }
            @for (figure, text) in across.ticks(6) {
                @let x = format!("{:.1}", across.place(figure));
                path class="frame" d=(format!("M{x} {bottom}v5")) {}
                text text-anchor="middle" x=(x) y=(bottom + 19.0) { (text) }
            }
            path class="frame" d=(format!("M{LEFT} {TOP}V{bottom}H{right}")) {}
            text text-anchor="middle" x=((LEFT + right) / 2.0) y=(bottom + 38.0) { (self.along) }
            @for line in &self.lines { (draw_line(line, &across, &up)) }
        }
    }
}

/// A line with its intervals; few points are marked.
fn draw_line(line: &Line, across: &Scale, up: &Scale) -> Markup {
    let class = class(line.number);
    let finite: Vec<&Point> =
        line.points.iter().filter(|point| point.x.is_finite() && point.y.is_finite()).collect();
    let places: Vec<String> =
        finite.iter().map(|point| format!("{:.1},{:.1}", across.place(point.x), up.place(point.y))).collect();
    let few = finite.len() <= 15;
    html! {
        polyline class=(format!("line {class}")) points=(places.join(" ")) {}
        @for point in &finite {
            @let x = format!("{:.1}", across.place(point.x));
            @if let Some((low, high)) = point.ends {
                path class=(format!("line {class}")) stroke-opacity="0.5"
                    d=(format!("M{x} {:.1}V{:.1}", up.place(low), up.place(high))) {}
            }
            @if few {
                circle class=(format!("dot {class}")) cx=(x) cy=(format!("{:.1}", up.place(point.y))) r="3" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, y: f64) -> Point {
        Point { x, y, ends: None }
    }

    #[test]
    fn every_line_is_drawn_and_titles_are_escaped() {
        let lines = (0..3).map(|number| Line {
            number,
            points: vec![point(1.0, 0.5), point(2.0, f64::NAN), point(3.0, 1.0)],
        });
        let chart = Chart {
            title: "a < b".into(),
            along: "step",
            logarithmic: false,
            from_zero: false,
            lines: lines.collect(),
        };
        let svg = chart.draw().into_string();
        assert_eq!(svg.matches("<polyline").count(), 3);
        assert_eq!(svg.matches("<circle").count(), 6);
        assert!(svg.contains("a &lt; b") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn nothing_draws_nothing() {
        let chart = Chart {
            title: "a".into(),
            along: "step",
            logarithmic: false,
            from_zero: false,
            lines: Vec::new(),
        };
        assert_eq!(chart.draw().into_string(), "");
    }
}
