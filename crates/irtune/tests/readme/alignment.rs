//! How well sentences of two drafts are found to belong together.

use std::fs;

use serde_json::Value;

use super::{number, root};

/// Sentences of `results/alignment.json`.
pub fn alignment() -> String {
    let path = root().join("results/alignment.json");
    let figures: Value =
        serde_json::from_slice(&fs::read(path).expect("results/alignment.json")).expect("figures");
    let percent = |name: &str| 100.0 * number(&figures[name]);
    format!(
        "Of {} revised sentences in {} documents {:.1} % are found with their counterpart (recall), and {:.1} % of the \
         pairs that are told are right (precision). F1 is {:.3}.\n",
        figures["pairs"],
        figures["documents"],
        percent("recall"),
        percent("precision"),
        number(&figures["f1"])
    )
}
