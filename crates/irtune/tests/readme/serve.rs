//! Tables of `cargo xtask bench-serve`, from `results/serve`: one a machine.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use super::{number, peers::machine, root};

const NOTHING: &str = "Nothing is measured yet: `cargo xtask bench-serve` does it.\n";

/// The sides, by their keys.
const SIDES: [(&str, &str); 4] = [
    ("predict", "`irtune predict`"),
    ("serve", "`irtune serve`, the same run"),
    ("serve_pooled", "`irtune serve`, the run that PEFT loads too"),
    ("fastapi", "FastAPI over transformers and PEFT, that run"),
];

/// How fast each side is: medians of the rounds.
pub fn speed() -> String {
    let mut text = String::new();
    for results in results() {
        let own = &results["speed"];
        let Some(rounds) = own["rounds"].as_array() else { continue };
        let median = |side: &str, figure: &str| {
            let mut values: Vec<f64> =
                rounds.iter().filter_map(|round| round[side][figure].as_f64()).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        };
        let milliseconds =
            |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{:.0}", value * 1e3));
        let gap = if text.is_empty() { "" } else { "\n" };
        writeln!(
            text,
            "{gap}{}, {} connections, {} pairs, medians of {} rounds; FastAPI in {}, at most {} in a batch:\n\n\
             | | pairs/s | median, ms | 99th percentile, ms |\n|---|---|---|---|",
            machine(&results),
            own["connections"],
            number(&own["pairs"]) * number(&own["repeats"]),
            rounds.len(),
            own["fastapi_setting"]["setting"].as_str().expect("a setting"),
            own["fastapi_setting"]["batch_size"].as_str().expect("a number"),
        )
        .expect("writing to memory");
        for (key, side) in SIDES {
            let speed = median(key, "pairs_per_second").expect("a speed");
            let [half, most] = ["p50_seconds", "p99_seconds"].map(|figure| milliseconds(median(key, figure)));
            writeln!(text, "| {side} | {speed:.1} | {half} | {most} |").expect("writing to memory");
        }
    }
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

/// What became of many requests, a part of them wrong.
pub fn robustness() -> String {
    let mut text = String::new();
    for results in results() {
        let own = &results["robustness"];
        let Some(seen) = own["resident_bytes"].as_array() else { continue };
        let refused: Vec<String> = own["refused"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(status, count)| format!("{count} with {status}"))
            .collect();
        let gap = if text.is_empty() { "" } else { "\n" };
        let memory = |place: usize| format!("{:.1}", number(&seen[place]["bytes"]) / 1e6);
        writeln!(
            text,
            "{gap}{}, {} requests over {} connections, one in {} wrong, {:.0} a second:\n\n| | |\n|---|---|\n\
             | right, with the answer of `irtune predict` | {} |\n| wrong, refused as they must be | {} |\n\
             | lost, or answered otherwise | {} |\n| memory at the start, the middle and the end, MB | {}, {}, {} |",
            machine(&results),
            own["requests"],
            own["connections"],
            own["wrong_every"],
            number(&own["requests"]) / number(&own["seconds"]),
            own["right"],
            refused.join(", "),
            own["failed"],
            memory(0),
            memory(seen.len() / 2),
            memory(seen.len() - 1),
        )
        .expect("writing to memory");
    }
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

fn results() -> Vec<Value> {
    let Ok(entries) = fs::read_dir(root().join("results/serve")) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let read = |path| serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON");
    paths.into_iter().map(read).collect()
}
