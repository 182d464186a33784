//! The table of recipes in `docs/training.md`, made from the settings.

use std::fmt::Write as _;
use std::path::Path;

use irtune_train::{Recipe, TrainSettings};
use strum::VariantNames as _;

use super::flags::Defaults;

const BEGIN: &str = "<!-- recipes: made by IRTUNE_WRITE_DOCS=1 cargo test -p irtune --bin irtune -->\n";
const END: &str = "<!-- end of recipes -->\n";

/// A row for each setting that recipes say, a column for each recipe.
fn table() -> String {
    let recipes = Recipe::VARIANTS;
    let values: Vec<Defaults> =
        recipes.iter().map(|name| Defaults::of_recipe(name.parse().expect("a recipe's own name"))).collect();
    let headings: Vec<String> = recipes.iter().map(|name| format!("`{name}`")).collect();
    let mut out = format!("| setting | {} |\n|---{}|\n", headings.join(" | "), "|---".repeat(recipes.len()));
    for setting in TrainSettings::recipe_settings() {
        let cell =
            |values: &Defaults| values.of(setting).map_or("–".to_owned(), |value| format!("`{value}`"));
        let cells: Vec<String> = values.iter().map(cell).collect();
        writeln!(out, "| `{}` | {} |", setting.name, cells.join(" | ")).expect("writing to memory");
    }
    out
}

#[test]
fn the_table_is_what_the_settings_say() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/training.md"));
    let text = std::fs::read_to_string(path).expect("docs/training.md");
    let (before, rest) = text.split_once(BEGIN).expect("the place of the table");
    let (found, after) = rest.split_once(END).expect("the end of the table");
    if std::env::var_os("IRTUNE_WRITE_DOCS").is_some() {
        std::fs::write(path, [before, BEGIN, &table(), END, after].concat()).expect("docs/training.md");
        return;
    }
    assert_eq!(found, table(), "docs/training.md is not what the settings say: run with IRTUNE_WRITE_DOCS=1");
}
