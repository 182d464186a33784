//! Tables of `cargo xtask bench-scale`, from `results/scale`: one a machine.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use super::{number, peers::machine, root};

const NOTHING: &str = "Nothing is measured yet: `cargo xtask bench-scale` does it.\n";

/// What each series varies, in the order of the tables.
const SERIES: [(&str, &str); 6] = [
    ("batch-tokens", "tokens in a batch, 128 an example"),
    ("length", "tokens in an example, 2048 in a batch"),
    ("rank", "rank"),
    ("training-layers", "training layers, the highest"),
    ("threads", "threads"),
    ("memory", "limit on memory"),
];

/// Cores of the servers that steps are reckoned for.
const SERVERS: [f64; 2] = [32.0, 96.0];

/// What the larger models' steps came to, and what they would on more such cores.
pub fn models() -> String {
    let mut text = String::new();
    for results in results() {
        let cores = number(&results["machine"]["cores"]);
        let points: Vec<&Value> = results["points"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|point| point["series"] == "model" && !point["step_operations"].is_null())
            .collect();
        if points.is_empty() {
            continue;
        }
        let gap = if text.is_empty() { "" } else { "\n" };
        writeln!(
            text,
            "{gap}{}:\n\n| shapes of | TFLOP a step | GFLOP/s | s a step | peak memory, GB | \
             reckoned for 32 cores, s | for 96, s |\n|---|---|---|---|---|---|---|",
            machine(&results)
        )
        .expect("writing to memory");
        for point in points {
            let (operations, seconds) = (number(&point["step_operations"]), number(&point["step_seconds"]));
            let [small, large] = SERVERS.map(|server| seconds * cores / server);
            writeln!(
                text,
                "| {} | {:.1} | {:.0} | {seconds:.1} | {:.2} | {small:.1} | {large:.1} |",
                point["value"].as_str().expect("a value"),
                operations / 1e12,
                operations / seconds / 1e9,
                number(&point["peak_bytes"]) / 1e9,
            )
            .expect("writing to memory");
        }
    }
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

fn results() -> Vec<Value> {
    let entries = fs::read_dir(root().join("results/scale")).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let read = |path| serde_json::from_slice(&fs::read(path).expect("a result")).expect("JSON");
    paths.iter().map(read).collect()
}

/// Every series but the models'.
pub fn scale() -> String {
    let mut text = String::new();
    for results in results() {
        let of_series = |point: &Value| SERIES.iter().any(|(series, _)| point["series"] == *series);
        if !results["points"].as_array().into_iter().flatten().any(of_series) {
            continue;
        }
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
