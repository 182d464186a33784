//! `docs/reference.md`, made from the commands and the table of settings.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};
use irtune::settings::{Group, SETTINGS, Setting};
use strum::VariantArray as _;

use super::args::Arguments;
use super::flags::Defaults;

const HEAD: &str = "# Reference

Every command and every setting. This page is made from the program itself and held true by a test;
`IRTUNE_WRITE_DOCS=1 cargo test -p irtune --bin irtune` writes it anew. `irtune COMMAND --help` shows the same with
examples.

";

const SETTINGS_HEAD: &str = "
## Settings

A setting is a flag of `irtune train`, such as `--learning-rate 1e-4`. It is also a key of a settings file
(`learning_rate = 1e-4`), an environment variable (`IRTUNE_LEARNING_RATE=1e-4`) and a key of `--set`
(`--set learning_rate=1e-4`). Flags win over the environment, that over the file, and that over the defaults. Everything
that is wrong is told at once, before anything is loaded.
";

/// The whole page.
fn page() -> String {
    let mut out = HEAD.to_owned();
    let program = Arguments::command();
    for command in program.get_subcommands() {
        writeln!(out, "- [`irtune {0}`](#irtune-{0}): {1}", command.get_name(), about(command))
            .expect("writing to memory");
    }
    out += "- [Settings](#settings)\n";
    for command in program.get_subcommands() {
        write!(out, "\n## irtune {}\n\n{}.\n\n", command.get_name(), about(command))
            .expect("writing to memory");
        out += &arguments(command);
    }
    out += SETTINGS_HEAD;
    let defaults = Defaults::new();
    for group in Group::VARIANTS {
        write!(out, "\n### {}\n\n", group.heading()).expect("writing to memory");
        let settings: Vec<&Setting> = SETTINGS.iter().filter(|setting| setting.group == *group).collect();
        out += &match group {
            Group::MethodOptions => options(&settings),
            _ => table(&settings, &defaults),
        };
    }
    out
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// A command's own arguments; the settings among them have their section.
fn arguments(command: &Command) -> String {
    let is_setting = |arg: &&Arg| SETTINGS.iter().any(|setting| setting.name == arg.get_id().as_str());
    // Flags of commands that don't train stand where they are, though a setting may have the same name.
    let flattened = matches!(command.get_name(), "train" | "plan" | "compare" | "replay");
    let own = command
        .get_arguments()
        .filter(|arg| !(arg.is_global_set() || arg.is_hide_set() || arg.get_id() == "help"))
        .filter(|arg| !flattened || !is_setting(arg) || arg.is_required_set());
    let mut out = "| argument | what it does | default |\n|---|---|---|\n".to_owned();
    for arg in own {
        let defaults = arg.get_default_values();
        let default = match defaults {
            [value] if arg.get_action().takes_values() => format!("`{}`", value.display()),
            _ => "–".to_owned(),
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        writeln!(out, "| `{}` | {} | {default} |", shown(arg), escaped(&help)).expect("writing to memory");
    }
    out += match command.get_name() {
        "train" | "plan" => "\nEvery [setting](#settings) is a flag as well.\n",
        "compare" => {
            "\nEvery [setting](#settings) is a flag as well, but for those that the comparison lists itself: method, adapter, \
             seed, train_size, fold and out.\n"
        }
        "replay" => "\nEvery [option of a method](#options-of-the-method) is a flag as well.\n",
        _ => "",
    };
    out
}

/// An argument as it is written.
fn shown(arg: &Arg) -> String {
    let value = arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>();
    match (arg.get_long(), arg.get_action().takes_values()) {
        (Some(long), true) => format!("--{long} {}", value.join(" ")),
        (Some(long), false) => format!("--{long}"),
        (None, _) => value.join(" ").replace('|', " or "),
    }
}

/// The settings of one heading.
fn table(settings: &[&Setting], defaults: &Defaults) -> String {
    let mut out = "| setting | what it does | values | default |\n|---|---|---|---|\n".to_owned();
    for setting in settings {
        let values = match (setting.choices, setting.range) {
            ([], Some(range)) => range.text().into_owned(),
            ([], None) => setting.placeholder.to_owned(),
            (choices, _) => choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", "),
        };
        let default = defaults.of(setting).map_or("–".to_owned(), |default| format!("`{default}`"));
        writeln!(
            out,
            "| `{}` | {} | {} | {default} |",
            setting.name,
            escaped(&setting.help()),
            escaped(&values)
        )
        .expect("writing to memory");
    }
    out
}

/// The options of methods, whose help says which method has them and what they default to.
fn options(settings: &[&Setting]) -> String {
    let mut out = "An option that the method does not have is an error. [methods.md](methods.md) lists them by method.\n\n\
                   | setting | what it does |\n|---|---|\n"
        .to_owned();
    for setting in settings {
        writeln!(out, "| `{}` | {} |", setting.name, escaped(&setting.help())).expect("writing to memory");
    }
    out
}

/// Text as a cell of a table shows it.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[test]
fn the_page_is_what_the_program_says() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference.md"));
    if std::env::var_os("IRTUNE_WRITE_DOCS").is_some() {
        std::fs::write(path, page()).expect("docs/reference.md");
        return;
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(text, page(), "docs/reference.md is not what the program says: run with IRTUNE_WRITE_DOCS=1");
}
