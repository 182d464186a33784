//! Time a token and peak memory against what is varied, as one picture.

use irtune::chart::{Chart, Line, Point, picture};
use serde_json::Value;

/// The machine whose results `docs/scale.svg` shows: the name of its result file.
pub const PICTURED: &str = "amd-epyc-26-2-avx512bf16-2-cores";

/// The series that are numbers, with the words on their axis.
const SERIES: [(&str, &str); 4] = [
    ("batch-tokens", "tokens in a batch"),
    ("length", "tokens in an example (2048 in a batch)"),
    ("rank", "rank"),
    ("training-layers", "training layers, the highest"),
];

/// Milliseconds a token on the left, gigabytes at the peak on the right, a row a series.
pub fn draw(points: &[Value]) -> String {
    let charts: Vec<Chart> = SERIES
        .into_iter()
        .flat_map(|(series, along)| {
            let time = |point: &Value| Some(1e3 / point["tokens_per_second"].as_f64()?);
            let memory = |point: &Value| Some(point["peak_bytes"].as_f64()? / 1e9);
            [
                chart("Milliseconds a token", along, Line { number: 0, points: line(points, series, time) }),
                chart(
                    "Gigabytes at the peak",
                    along,
                    Line { number: 1, points: line(points, series, memory) },
                ),
            ]
        })
        .collect();
    picture(&charts, 2)
}

fn chart(title: &str, along: &'static str, line: Line) -> Chart {
    Chart { title: title.to_owned(), along, logarithmic: true, from_zero: true, lines: vec![line] }
}

/// A figure of a series, from the smallest value to the largest.
fn line(points: &[Value], series: &str, figure: impl Fn(&Value) -> Option<f64>) -> Vec<Point> {
    let mut line: Vec<Point> = points
        .iter()
        .filter(|point| point["series"] == series)
        .filter_map(|point| {
            Some(Point { x: point["value"].as_str()?.parse().ok()?, y: figure(point)?, ends: None })
        })
        .collect();
    line.sort_by(|left, right| left.x.total_cmp(&right.x));
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::root;

    #[test]
    fn the_picture_is_what_the_results_say() {
        let results = root().join("results/scale").join(PICTURED).with_extension("json");
        let results: Value = serde_json::from_slice(&std::fs::read(results).unwrap()).unwrap();
        let (path, drawn) = (root().join("docs/scale.svg"), draw(results["points"].as_array().unwrap()));
        assert_eq!(drawn.matches("<polyline").count(), 2 * SERIES.len());
        if std::env::var_os("IRTUNE_WRITE_DOCS").is_some() {
            return std::fs::write(path, drawn).unwrap();
        }
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text == drawn, "docs/scale.svg is not what results/scale say: run with IRTUNE_WRITE_DOCS=1");
    }
}
