//! The README's table is what the result files say.
//!
//! `IRTUNE_WRITE_README=1 cargo test -p irtune --test readme` writes it.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Smallest and largest of some figures.
fn range(values: &[f64], digits: usize) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    format!("{mean:.digits$} ({low:.digits$}–{high:.digits$})")
}

/// The table of `results/iterater`: a row a method, figures over its seeds.
fn table() -> String {
    let mut methods: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for entry in fs::read_dir(root().join("results/iterater")).expect("results/iterater") {
        let path = entry.expect("a folder").path().join("summary.json");
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let summary: Value = serde_json::from_slice(&text).expect("a summary");
        methods.entry(summary["method"].as_str().expect("a method").to_owned()).or_default().push(summary);
    }
    let mut text = String::from(
        "| method | seeds | accuracy | macro-F1 | layers trained | examples/s | peak memory, GB |\n|---|---|---|---|---|---|---|\n",
    );
    for (method, runs) in methods.iter().rev() {
        let figures = |figure: &dyn Fn(&Value) -> f64| runs.iter().map(figure).collect::<Vec<_>>();
        let number = |value: &Value| value.as_f64().expect("a number");
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

#[test]
fn the_results_table_is_rendered_from_the_result_files() {
    const START: &str = "<!-- results:iterater -->\n";
    const END: &str = "<!-- /results:iterater -->";
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).expect("README.md");
    let start = readme.find(START).expect("where the table starts") + START.len();
    let end = readme.find(END).expect("where the table ends");
    let rendered = format!("{}{}{}", &readme[..start], table(), &readme[end..]);
    if env::var_os("IRTUNE_WRITE_README").is_some() {
        fs::write(&path, &rendered).expect("README.md");
    } else {
        assert_eq!(readme, rendered, "README.md is not what results/ say: run with IRTUNE_WRITE_README=1");
    }
}
