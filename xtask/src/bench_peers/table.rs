//! Results as text.

use std::fmt::Write as _;

use serde_json::Value;

/// A line a case that has results, and a line a product.
pub fn text(results: &Value) -> String {
    let mut text = format!(
        "{} ({} cores)\n",
        results["machine"]["cpu"].as_str().unwrap_or("?"),
        results["machine"]["cores"]
    );
    for (name, case) in results["cases"].as_object().into_iter().flatten() {
        if let Some(reason) = case["unavailable"].as_str() {
            line(&mut text, format_args!("{name:10} not available: {reason}"));
        } else if let Some(products) = case["products"].as_array() {
            for product in products {
                let shape = format!("{}×{}", product["outputs"], product["summed"]);
                let what = ["precision", "side"].map(|key| product[key].as_str().unwrap_or("?"));
                line(
                    &mut text,
                    format_args!(
                        "{:5}{:9}{shape:12} {} times, {:.0} and {:.0} GFLOP/s",
                        what[0],
                        what[1],
                        figure(&product["ratio"]),
                        median(&product["ours"]),
                        median(&product["peer"]),
                    ),
                );
            }
        } else {
            line(
                &mut text,
                format_args!(
                    "{name:10} {} times, {:.2} and {:.2} {}, {:.2} and {:.2} GB, peer {}",
                    figure(&case["ratio"]),
                    median(&case["ours"]),
                    median(&case["peer"]),
                    case["measure"].as_str().unwrap_or("?"),
                    median(&case["ours_peak_bytes"]) / 1e9,
                    median(&case["peer_peak_bytes"]) / 1e9,
                    case["setting"].as_str().unwrap_or("llama.cpp"),
                ),
            );
        }
    }
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to memory");
}

fn median(figure: &Value) -> f64 {
    figure["median"].as_f64().unwrap_or(f64::NAN)
}

/// Median (lowest–highest).
fn figure(value: &Value) -> String {
    let [median, low, high] = ["median", "low", "high"].map(|key| value[key].as_f64().unwrap_or(f64::NAN));
    format!("{median:.2} ({low:.2}–{high:.2})")
}
