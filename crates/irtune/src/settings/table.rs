//! Every setting of a run, by name: those of base and data, those of training, and the methods' options.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use irtune_select::{METHODS, option_names};
use irtune_train::{Group, Kind, Setting, TrainSettings};

use Kind::{List, Plain, Switch, Text};

/// Every setting, in the order of the help.
///
/// The settings of training stand in [`TrainSettings::SETTINGS`] and the options in [`METHODS`]; here stand only those
/// of base and data.
pub static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let mut all = DATA.to_vec();
    all.extend(TrainSettings::SETTINGS);
    all.extend(option_names().into_iter().map(method_option));
    all.sort_by_key(|setting| setting.group);
    if let Some(method) = all.iter_mut().find(|setting| setting.name == "method") {
        method.choices = Vec::leak(METHODS.iter().map(|method| method.name).collect());
    }
    all
});

/// The settings of base and data, which `resolve` reads one by one.
static DATA: &[Setting] = &[
    data("base", Text, "BASE", "Base model: a folder, a .gguf file, smollm2, or hf:ORG/NAME[@REVISION]"),
    data("train", Text, "FILE", "Training pairs (JSON, CSV, TSV, .xlsx or Parquet)"),
    data(
        "validation",
        Text,
        "FILE",
        "Validation pairs; without them a part of the training pairs is held out",
    ),
    data("test", Text, "FILE", "Test pairs, evaluated once at the end"),
    data("out", Text, "DIR", "The run folder to make; must not exist yet"),
    data("preset", Text, "NAME", "A known layout of columns: auto, iterater or re3"),
    data(
        "original_column",
        Text,
        "NAME",
        "Column of the original text; inside of another in JSON: data.original",
    ),
    data("revised_column", Text, "NAME", "Column of the revised text"),
    data("label_column", Text, "NAME", "Column of the label, or of a list of several annotators' labels"),
    data("group_column", Text, "NAME", "Column of the document; its pairs stay together in a hold-out"),
    data("id_column", Text, "NAME", "Column of the pair's own name, kept in predictions"),
    data(
        "drop_labels",
        List,
        "LIST",
        "Labels whose pairs are left out, separated by commas; one with a comma between double quotes",
    ),
    data("drop_unlabelled", Switch, "BOOL", "Leave out rows without label, instead of ending with an error"),
];

const fn data(name: &'static str, kind: Kind, placeholder: &'static str, text: &'static str) -> Setting {
    Setting::new(name, Group::Data, kind, placeholder, text)
}

/// The setting that stands for an option of this name in every method that has one.
fn method_option(name: &'static str) -> Setting {
    let mut meanings: BTreeMap<(usize, String), Vec<&str>> = BTreeMap::new();
    for (number, method) in METHODS.iter().enumerate() {
        for option in method.options.iter().filter(|option| option.name == name) {
            let what = option.summary.trim_end_matches('.');
            let text = format!("{what} ({}; default {})", option.values, option.default).replace('`', "");
            let same = meanings.iter_mut().find(|((_, other), _)| *other == text);
            match same {
                Some((_, methods)) => methods.push(method.name),
                None => drop(meanings.insert((number, text), vec![method.name])),
            }
        }
    }
    let help: Vec<String> =
        meanings.iter().map(|((_, text), methods)| format!("{}: {text}", methods.join(", "))).collect();
    // Made once, and kept as long as the program runs.
    Setting::new(name, Group::MethodOptions, Plain, "VALUE", String::leak(help.join("; ")))
}

/// The settings that are options of methods.
pub fn method_options() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.group == Group::MethodOptions)
}

/// The setting with this name.
pub fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_settings_have_one_name() {
        let names: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
    }

    #[test]
    fn help_says_everything_once() {
        for setting in SETTINGS.iter() {
            let help = setting.help();
            assert!(!help.is_empty() && !help.contains(['{', '}', '\n', '|']), "{}: {help}", setting.name);
        }
        let help = |name| setting(name).unwrap().help();
        assert_eq!(help("rank"), "lora, dora: rank of the adapters");
        assert_eq!(help("adapter"), "What trains beside a layer: lora, dora, bottleneck, ia3 or none");
        assert!(help("target_modules").starts_with("Projections with an adapter"));
    }
}
