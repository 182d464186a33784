//! Macro-F1 against labels given, each queue beside random order.

use std::fs;

use anyhow::Context as _;
use irtune::chart::{Chart, Line, Point, picture};
use irtune_labelling::queue::Queue;

use super::{Curve, Results};
use crate::programs::root;

/// The picture of all results that are there: a row a corpus, a column a queue.
pub fn draw() -> anyhow::Result<String> {
    let folder = root().join("results/labelling");
    let mut paths: Vec<_> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    paths.sort();
    let mut charts = Vec::new();
    let mut columns = 0;
    for path in paths {
        let results: Results = serde_json::from_slice(&fs::read(path)?)?;
        let of = |queue| results.curves.iter().find(|curve| curve.queue == queue);
        let random = of(Queue::Random).context("no campaign in random order")?;
        let others: Vec<&Curve> =
            results.curves.iter().filter(|curve| curve.queue != Queue::Random).collect();
        columns = others.len();
        charts.extend(others.into_iter().map(|curve| Chart {
            title: format!("{}: {} (dashed: random)", results.corpus, curve.queue),
            along: "labels given",
            logarithmic: false,
            from_zero: false,
            lines: vec![line(curve, 0), line(random, 8)],
        }));
    }
    Ok(picture(&charts, columns))
}

fn line(curve: &Curve, number: usize) -> Line {
    let point = |measured: &super::Measured| Point {
        x: measured.labels as f64,
        y: measured.test_macro_f1,
        ends: None,
    };
    Line { number, points: curve.measured.iter().map(point).collect() }
}
