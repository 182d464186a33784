//! The tables in README.md and docs/ are what the result files say.
//!
//! A table stands between `<!-- results:NAME -->` and `<!-- /results:NAME -->`.
//! `IRTUNE_WRITE_README=1 cargo test -p irtune --test readme` writes them.

mod alignment;
mod chat_templates;
mod compare;
mod labelling;
mod peers;
mod runs;
mod scale;
mod serve;
mod tokenizers;

use std::{env, fs, path::PathBuf};

use serde_json::Value;

/// A table's name and what renders it.
type Table = (&'static str, fn() -> String);

/// Every table there is.
const TABLES: [Table; 15] = [
    ("iterater", runs::iterater),
    ("speed", runs::speed),
    ("headline", peers::headline),
    ("peers-steps", peers::steps),
    ("peers-settings", peers::settings),
    ("peers-products", peers::products),
    ("scale", scale::scale),
    ("serve-speed", serve::speed),
    ("serve-robustness", serve::robustness),
    ("scale-models", scale::models),
    ("compare", compare::sections),
    ("tokenizers", tokenizers::tokenizers),
    ("alignment", alignment::alignment),
    ("labelling", labelling::labelling),
    ("chat-templates", chat_templates::chat_templates),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// The text with each table rendered anew, and the tables' names.
fn rendered(text: &str) -> (String, Vec<&str>) {
    let (mut out, mut names, mut rest) = (String::new(), Vec::new(), text);
    while let Some((before, after)) = rest.split_once("<!-- results:") {
        let (name, after) = after.split_once(" -->\n").expect("a mark ends its line");
        let (_, render) =
            TABLES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no table {name}"));
        let end = format!("<!-- /results:{name} -->");
        let (_, after) = after.split_once(&end).unwrap_or_else(|| panic!("where {name} ends"));
        out += &format!("{before}<!-- results:{name} -->\n{}{end}", render());
        names.push(name);
        rest = after;
    }
    (out + rest, names)
}

#[test]
fn the_results_tables_are_rendered_from_the_result_files() {
    let docs = fs::read_dir(root().join("docs")).expect("docs").map(|entry| entry.expect("a file").path());
    let pages = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let mut found = Vec::new();
    for path in pages.chain([root().join("README.md")]) {
        let page = fs::read_to_string(&path).expect("a page");
        let (new, names) = rendered(&page);
        found.extend(names.into_iter().map(str::to_owned));
        if env::var_os("IRTUNE_WRITE_README").is_some() {
            fs::write(&path, &new).expect("a page");
        } else {
            let page_name = path.file_name().unwrap_or_default().display();
            assert_eq!(page, new, "{page_name} is not what results/ say: run with IRTUNE_WRITE_README=1");
        }
    }
    found.sort();
    let mut known = TABLES.map(|(name, _)| name);
    known.sort_unstable();
    assert_eq!(found, known, "every table stands on one page");
}
