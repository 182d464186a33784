//! Tables of irtune's own runs.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use serde_json::Value;

use super::{number, root};

/// Smallest and largest of some figures.
fn range(values: &[f64], digits: usize) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    format!("{mean:.digits$} ({low:.digits$}–{high:.digits$})")
}

/// The summaries of the runs in a folder of `results`, by method.
fn summaries(folder: &str) -> BTreeMap<String, Vec<Value>> {
    let mut methods: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for entry in fs::read_dir(root().join("results").join(folder)).expect(folder) {
        let path = entry.expect("a folder").path().join("summary.json");
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let summary: Value = serde_json::from_slice(&text).expect("a summary");
        methods.entry(summary["method"].as_str().expect("a method").to_owned()).or_default().push(summary);
    }
    methods
}

/// The table of `results/speed`: a row a short run that had the machine to itself.
pub fn speed() -> String {
    let mut text =
        String::from("| method | steps | examples/s | tokens/s | peak memory, GB |\n|---|---|---|---|---|\n");
    for (method, runs) in summaries("speed").iter().rev() {
        for run in runs {
            let (steps, peak) = (number(&run["steps"]), number(&run["peak_bytes"]) / 1e9);
            let (examples, tokens) = (number(&run["examples_per_second"]), number(&run["tokens_per_second"]));
            writeln!(text, "| `{method}` | {steps} | {examples:.1} | {tokens:.0} | {peak:.2} |")
                .expect("writing to memory");
        }
    }
    text
}

/// The table of `results/iterater`: a row a method, figures over its seeds.
pub fn iterater() -> String {
    let methods = summaries("iterater");
    let mut text = String::from(
        "| method | seeds | accuracy | macro-F1 | layers trained | examples/s | peak memory, GB |\n|---|---|---|---|---|---|---|\n",
    );
    for (method, runs) in methods.iter().rev() {
        let figures = |figure: &dyn Fn(&Value) -> f64| runs.iter().map(figure).collect::<Vec<_>>();
        let trained = |run: &Value| {
            let steps = run["layer_steps"].as_array().expect("a count a layer");
            100.0 * steps.iter().map(number).sum::<f64>() / (steps.len() as f64 * number(&run["steps"]))
        };
        writeln!(
            text,
            "| `{method}` | {} | {} | {} | {:.0} % | {} | {} |",
            runs.len(),
            range(&figures(&|run| number(&run["test"]["metrics"]["accuracy"])), 3),
            range(&figures(&|run| number(&run["test"]["metrics"]["macro_f1"])), 3),
            figures(&trained).iter().sum::<f64>() / runs.len() as f64,
            range(&figures(&|run| number(&run["examples_per_second"])), 1),
            range(&figures(&|run| number(&run["peak_bytes"]) / 1e9), 2),
        )
        .expect("writing to memory");
    }
    text + "\nMean (lowest–highest) over the seeds, on the 360 test pairs.\n"
}
