//! `docs/methods.md` is rendered from the table of methods.

use std::fmt::Write as _;

use irtune_select::METHODS;

fn rendered() -> String {
    let mut text = String::from(
        "# Methods\n\nWhich layers train in a step is decided by `--method`. The first is the default. The options of a \
         method are flags of `irtune train` and `irtune replay`, keys of a settings file and environment variables, as \
         all settings; one that the method does not have is an error. How each works, exactly, stands at the head of its \
         file in `crates/irtune-select/src`; [extending.md](extending.md) shows how to add one.\n\n| method | what it \
         does | options |\n|---|---|---|\n",
    );
    for method in METHODS {
        let options: Vec<String> = method.options.iter().map(|option| format!("`{}`", option.name)).collect();
        let options = if options.is_empty() { "–".to_owned() } else { options.join(", ") };
        writeln!(text, "| `{}` | {} | {options} |", method.name, method.summary).unwrap();
    }
    for method in METHODS.iter().filter(|method| !method.options.is_empty()) {
        write!(
            text,
            "\n## {}\n\n| option | what it decides | values | default |\n|---|---|---|---|\n",
            method.name
        )
        .unwrap();
        for option in method.options {
            writeln!(
                text,
                "| `{}` | {} | {} | `{}` |",
                option.name, option.summary, option.values, option.default
            )
            .unwrap();
        }
        method.notes.iter().for_each(|note| write!(text, "\n{note}\n").unwrap());
    }
    text
}

#[test]
fn the_document_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/methods.md");
    if std::env::var_os("IRTUNE_WRITE_DOCS").is_some() {
        std::fs::write(path, rendered()).unwrap();
    } else {
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            text,
            rendered(),
            "docs/methods.md is not what METHODS says: run with IRTUNE_WRITE_DOCS=1"
        );
    }
}
