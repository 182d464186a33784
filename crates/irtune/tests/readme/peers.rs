//! Tables of `cargo xtask bench-peers`, from `results/peers`: a table a machine.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use super::{number, root};

/// What each case is, in the order of the tables.
const CASES: [(&str, &str); 14] = [
    ("dense", "training, 16 × 112 random tokens, all layers"),
    ("dense-f32", "the same, both sides in f32"),
    ("ir", "training, IteraTeR, layers chosen by `ir`"),
    ("ir-int8", "the same, `precision = int8`"),
    ("ir-int8-related", "the same, `precision = int8`, `batches = related`"),
    ("ir-int8-short", "the same, `precision = int8`, `max_length = 80`"),
    ("lisa", "training, IteraTeR, 2 layers drawn every 20 steps"),
    ("top8", "training, IteraTeR, the top 8 layers"),
    ("published", "training as published (f32, padded to 256)"),
    ("inference", "classifying IteraTeR's test pairs"),
    ("inference-int8", "the same, `precision = int8`"),
    ("inference-int8-short", "the same, `precision = int8`, `max_length = 80`"),
    ("start", "from the start to the first training step"),
    ("llama", "classifying, beside llama.cpp without adapters"),
];

const NOTHING: &str = "Nothing is measured yet: `cargo xtask bench-peers` does it.\n";

/// What was measured, a file a machine.
fn machines_results() -> Vec<Value> {
    let folder = root().join("results/peers");
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("a file").path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    paths.sort();
    let read = |path| serde_json::from_slice(&fs::read(path).expect("a result")).expect("JSON");
    paths.iter().map(read).collect()
}

/// A page of one table a machine; `row` may leave a case out.
fn machines(header: &str, rows: impl Fn(&Value, &mut String)) -> String {
    let mut text = String::new();
    for results in machines_results() {
        let mut body = String::new();
        rows(&results["cases"], &mut body);
        if !body.is_empty() {
            let gap = if text.is_empty() { "" } else { "\n" };
            let line = "|---".repeat(header.matches('|').count() - 1) + "|";
            writeln!(text, "{gap}{}:\n\n{header}\n{line}\n{}", machine(&results), body.trim_end())
                .expect("writing to memory");
        }
    }
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

/// The machine that results are from.
pub fn machine(results: &Value) -> String {
    let machine = &results["machine"];
    let word = |key: &str| machine[key].as_str().unwrap_or("?").to_owned();
    let cpu = format!("{} (family {}, model {})", word("cpu"), word("cpu_family"), word("cpu_model"));
    format!("{cpu}, {}, {} cores", word("instruction_set"), machine["cores"])
}

/// The cases that have figures, each with what it is.
fn measured(cases: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let case = |(name, words)| (words, &cases[name]);
    CASES.into_iter().map(case).filter(|(_, case)| case["ratio"].is_object())
}

fn median(figure: &Value) -> f64 {
    number(&figure["median"])
}

fn spread(figure: &Value) -> String {
    format!("{:.2} ({:.2}–{:.2})", median(figure), number(&figure["low"]), number(&figure["high"]))
}

/// A case's figure with its unit.
fn figure(case: &Value, side: &str) -> String {
    let (unit, digits) = match case["measure"].as_str() {
        Some("examples_per_second") => ("examples/s", 1),
        Some("tokens_per_second") => ("tokens/s", 0),
        _ => ("s", 1),
    };
    format!("{:.digits$} {unit}", median(&case[side]))
}

fn line(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("writing to memory");
}

/// One line a machine, for the README.
pub fn headline() -> String {
    let mut text = String::from(
        "| two cores of | training with `ir`, times as fast | of PyTorch's memory | classifying, times as fast |\n\
         |---|---|---|---|\n",
    );
    for results in machines_results() {
        let (training, classifying) = (&results["cases"]["ir"], &results["cases"]["inference"]);
        if training["ratio"].is_object() && classifying["ratio"].is_object() {
            let (trains, classifies) = (median(&training["ratio"]), median(&classifying["ratio"]));
            let memory = 100.0 * median(&training["ours_peak_bytes"]) / median(&training["peer_peak_bytes"]);
            let machine = machine(&results);
            let machine = machine.strip_suffix(", 2 cores").unwrap_or(&machine);
            line(&mut text, format_args!("| {machine} | {trains:.1} | {memory:.0} % | {classifies:.1} |"));
        }
    }
    text
}

/// Every case in full.
pub fn steps() -> String {
    let header =
        "| work | irtune | peer | times as fast | peak memory, GB | peer's peak, GB | peer runs in |";
    machines(header, |cases, out| {
        for (words, case) in measured(cases) {
            line(
                out,
                format_args!(
                    "| {words} | {} | {} | {} | {:.2} | {:.2} | {} |",
                    figure(case, "ours"),
                    figure(case, "peer"),
                    spread(&case["ratio"]),
                    median(&case["ours_peak_bytes"]) / 1e9,
                    median(&case["peer_peak_bytes"]) / 1e9,
                    case["setting"].as_str().unwrap_or("llama.cpp, Q4_1"),
                ),
            );
        }
    })
}

/// What PyTorch reached in each setting that was tried.
pub fn settings() -> String {
    machines("| work | PyTorch's settings, fastest first |", |cases, out| {
        for (words, case) in measured(cases) {
            let tried = case["sweep"].as_object().into_iter().flatten();
            let mut tried: Vec<(&String, f64)> =
                tried.filter_map(|(name, figure)| Some((name, figure.as_f64()?))).collect();
            tried.sort_by(|(_, left), (_, right)| right.total_cmp(left));
            if case["measure"] == "time_to_first_step_seconds" {
                tried.reverse();
            }
            let tried: Vec<String> =
                tried.into_iter().map(|(name, figure)| format!("{name} {figure:.2}")).collect();
            if !tried.is_empty() {
                line(out, format_args!("| {words} | {} |", tried.join(", ")));
            }
        }
    })
}

/// Every GEMM.
pub fn products() -> String {
    let header = "| GEMM | irtune, GFLOP/s | of the measured peak | PyTorch, GFLOP/s | times as fast |";
    machines(header, |cases, out| {
        for product in cases["products"]["products"].as_array().into_iter().flatten() {
            let [precision, side] = ["precision", "side"].map(|key| product[key].as_str().expect("a word"));
            let (ours, peer, ratio) =
                (median(&product["ours"]), median(&product["peer"]), spread(&product["ratio"]));
            let shape = format!("{}×{}", product["outputs"], product["summed"]);
            let share = 100.0 * median(&product["share_of_peak"]);
            line(
                out,
                format_args!(
                    "| {precision} {side} {shape} | {ours:.0} | {share:.0} % | {peer:.0} | {ratio} |"
                ),
            );
        }
    })
}
