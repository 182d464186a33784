//! The table of whole models' vocabularies.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use super::root;

/// A row a vocabulary of `results/tokenizers.json`.
pub fn tokenizers() -> String {
    let path = root().join("results/tokenizers.json");
    let counts: Vec<Value> =
        serde_json::from_slice(&fs::read(path).expect("results/tokenizers.json")).expect("counts");
    let mut text = String::from(
        "| vocabulary | kind | cut | ids by | tokens | texts | equal |\n|---|---|---|---|---|---|---|\n",
    );
    let mut known = String::new();
    for count in &counts {
        let word = |key: &str| match count[key].as_str().expect("a text") {
            "" => "–".to_owned(),
            word => word.to_owned(),
        };
        let mark = match count["known"]["reason"].as_str() {
            Some(reason) => {
                writeln!(known, "\n\\* {reason}").expect("writing to memory");
                " \\*"
            }
            None => "",
        };
        writeln!(
            text,
            "| {} ({}) | `{}` | {} | {} | {} | {} | {}{mark} |",
            word("vocabulary"),
            word("source"),
            word("model"),
            word("pre"),
            word("reference"),
            count["tokens"],
            count["texts"],
            count["equal"]
        )
        .expect("writing to memory");
    }
    text + &known
}
