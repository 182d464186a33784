//! Tables of `irtune compare`, from the `results.json` files that are kept in `results/compare`: a section a file.

#[allow(dead_code)]
#[path = "../../src/compare/figures.rs"]
mod figures;
#[path = "../../src/compare/markdown.rs"]
mod markdown;
#[path = "../../src/compare/reading.rs"]
mod reading;
#[allow(dead_code)]
#[path = "../../src/compare/results.rs"]
mod results;

use std::{fmt::Write as _, fs};

use self::results::{FORMAT, Results};
use super::root;

const NOTHING: &str = "Nothing is compared yet: `irtune compare` does it.\n";

/// Every comparison, in the order of the files' names.
pub fn sections() -> String {
    let entries = fs::read_dir(root().join("results/compare")).into_iter().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    paths.sort();
    let mut text = String::new();
    for path in paths {
        let results: Results = serde_json::from_slice(&fs::read(&path).expect("a result"))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(results.format, FORMAT, "{}", path.display());
        let name = path.file_stem().expect("a name").to_string_lossy();
        let gap = if text.is_empty() { "" } else { "\n" };
        write!(text, "{gap}## {name}\n\n{}\n\n{}", what(&results), markdown::tables(&results, 3))
            .expect("writing to memory");
    }
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

/// What was compared, in a sentence.
fn what(results: &Results) -> String {
    let definition = &results.definition;
    let base = definition.get("base").and_then(toml::Value::as_str).unwrap_or("?");
    let seeds = definition.get("seeds").map_or_else(String::new, ToString::to_string);
    let settings = definition.get("settings").and_then(toml::Value::as_table);
    let settings: Vec<String> =
        settings.into_iter().flatten().map(|(key, value)| format!("`{key} = {value}`")).collect();
    let settings = if settings.is_empty() { "the default settings".to_owned() } else { settings.join(", ") };
    format!("Base `{base}`, seeds {}; {settings}.", seeds.trim_matches(['[', ']']))
}
