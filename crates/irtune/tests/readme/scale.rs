//! Tables of `cargo xtask bench-scale`, from `results/scale`: one a machine.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use super::{number, peers::machine, root};

const NOTHING: &str = "Nothing is measured yet: `cargo xtask bench-scale` does it.\n";

/// What each series varies, in the order of the tables.
const SERIES: [(&str, &str); 7] = [
    ("batch-tokens", "tokens in a batch, 128 an example"),
    ("length", "tokens in an example, 2048 in a batch"),
    ("rank", "rank"),
    ("training-layers", "training layers, the highest"),
    ("threads", "threads"),
    ("memory", "limit on memory"),
    ("model", "shapes of, with random weights"),
];

/// Every series.
pub fn scale() -> String {
    let entries = fs::read_dir(root().join("results/scale")).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let mut text = String::new();
    for path in paths {
        let results: Value = serde_json::from_slice(&fs::read(&path).expect("a result")).expect("JSON");
        let gap = if text.is_empty() { "" } else { "\n" };
        writeln!(
            text,
            "{gap}{}:\n\n| varied | | s a step | ms a token | peak memory, GB |\n|---|---|---|---|---|",
            machine(&results)
        )
        .expect("writing to memory");
        for (series, words) in SERIES {
            let points = results["points"].as_array().into_iter().flatten();
            for point in points.filter(|point| point["series"] == series) {
                writeln!(
                    text,
                    "| {words} | {} | {:.2} | {:.2} | {:.2} |",
                    point["value"].as_str().expect("a value"),
                    number(&point["step_seconds"]),
                    1e3 / number(&point["tokens_per_second"]),
                    number(&point["peak_bytes"]) / 1e9
                )
                .expect("writing to memory");
            }
        }
    }
    if text.is_empty() { NOTHING.to_owned() } else { text }
}
