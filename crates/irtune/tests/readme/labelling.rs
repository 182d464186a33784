//! What each queue is worth.

use std::fs;

use serde_json::Value;

use super::{number, root};

/// Labels given at which the table shows figures.
const SHOWN: [u64; 4] = [100, 200, 400, 800];

/// `results/labelling`: macro-F1 on the test pairs, and along the whole curve on the validation pairs.
pub fn labelling() -> String {
    let folder = fs::read_dir(root().join("results/labelling")).expect("results/labelling");
    let mut paths: Vec<_> = folder.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let shown = SHOWN.map(|labels| labels.to_string()).join(" | ");
    let mut table =
        format!("| corpus | queue | {shown} | validation, mean |\n|---|---|---|---|---|---|---|\n");
    for path in paths {
        let results: Value = serde_json::from_slice(&fs::read(path).expect("a result")).expect("results");
        for curve in results["curves"].as_array().expect("curves") {
            let measured = curve["measured"].as_array().expect("measurements");
            let at = |labels: &u64| {
                let point = measured.iter().find(|point| point["labels"].as_u64() == Some(*labels));
                format!("{:.3}", number(&point.expect("a size that was measured")["test_macro_f1"]))
            };
            let mean = measured.iter().map(|point| number(&point["validation_macro_f1"])).sum::<f64>()
                / measured.len() as f64;
            let figures: Vec<String> = SHOWN.iter().map(at).collect();
            table += &format!(
                "| {} | `{}` | {} | {mean:.3} |\n",
                results["corpus"].as_str().expect("a name"),
                curve["queue"].as_str().expect("a queue"),
                figures.join(" | ")
            );
        }
    }
    table
}
