//! What is said of whole models' chat templates.

use std::fs;

use serde_json::Value;

use super::root;

/// A sentence of `results/chat_templates.json`.
pub fn chat_templates() -> String {
    let path = root().join("results/chat_templates.json");
    let counts: Value =
        serde_json::from_slice(&fs::read(path).expect("results/chat_templates.json")).expect("counts");
    let differing: Vec<&str> =
        counts["differing"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    format!(
        "{} of {} conversations with {} templates ({}) are equal. The others are of {}, which needs what only tools give: it \
         is refused here and there, in other words.\n",
        counts["equal"],
        counts["conversations"],
        counts["templates"],
        counts["source"].as_str().expect("a text"),
        differing.join(", ")
    )
}
