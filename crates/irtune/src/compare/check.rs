//! Whether the run that is in a cell's folder is the one that the cell asks for.

use std::path::{Path, PathBuf};

use irtune_data::Columns;
use irtune_model::BaseSource;
use irtune_train::{Draw, RunFolder, RunFolderError, StoredSource, TrainSettings};
use toml::{Table, Value};

use crate::settings::Resolved;

/// Something in which a run is not what its cell asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The setting.
    pub key: String,
    /// What the run was made with.
    pub run: String,
    /// What the cell asks for.
    pub wanted: String,
}

/// Everything in which a run is not what its cell asks for.
///
/// # Errors
/// When the run folder cannot be read.
pub fn mismatches(
    run: &RunFolder,
    wanted: &Resolved,
    base: Option<&BaseSource>,
) -> Result<Vec<Mismatch>, RunFolderError> {
    // A run holds the weights themselves, whatever file they came from.
    let mut training = wanted.training.clone();
    if let Ok(weights) = training.class_weights.clone().loaded() {
        training.class_weights = weights;
    }
    let mut found = settings(&run.settings()?, &training);
    let changed = run.changed_prompt_files(&training)?;
    let sources = run.sources()?;
    let mut add =
        |key: &str, run: String, wanted: String| found.push(Mismatch { key: key.to_owned(), run, wanted });
    for (key, path) in changed {
        let path = shown(&path);
        add(key, format!("{path} as it was then"), format!("{path}, which has changed since"));
    }
    let other_base = |base: &&BaseSource| base.check(&sources.base).is_err();
    if let Some(base) = base.filter(other_base) {
        let (was, now) = (shown(&sources.base.path), shown(&base.path));
        match was == now {
            true => add("base", format!("{was} as it was then"), format!("{now}, which has changed since")),
            false => add("base", was, now),
        }
    }
    let stored = [
        ("train", Some(&sources.train)),
        ("validation", sources.validation.as_ref()),
        ("test", sources.test.as_ref()),
    ];
    data(&stored, &sources.columns, wanted, &mut add);
    Ok(found)
}

/// Everything in which a linear run is not what its cell asks for.
///
/// # Errors
/// When the run folder cannot be read, or is no linear run.
pub fn linear_mismatches(run: &RunFolder, wanted: &Resolved) -> Result<Vec<Mismatch>, RunFolderError> {
    let (has, asked) = (run.linear_settings()?, wanted.training.draw());
    let mut found = Vec::new();
    let mut add =
        |key: &str, run: String, wanted: String| found.push(Mismatch { key: key.to_owned(), run, wanted });
    let none = || "not set".to_owned();
    let fold = |draw: &Draw| draw.fold.map_or_else(none, |fold| fold.to_string());
    let size = |draw: &Draw| draw.train_size.map_or_else(none, |size| size.to_string());
    for (key, run, wanted) in [
        ("seed", has.seed.to_string(), asked.seed.to_string()),
        ("fold", fold(&has), fold(&asked)),
        ("train_size", size(&has), size(&asked)),
        ("validation_fraction", has.validation_fraction.to_string(), asked.validation_fraction.to_string()),
    ] {
        if run != wanted {
            add(key, run, wanted);
        }
    }
    let sources = run.linear_sources()?;
    let stored = [
        ("train", Some(&sources.train)),
        ("validation", sources.validation.as_ref()),
        ("test", sources.test.as_ref()),
    ];
    data(&stored, &sources.columns, wanted, &mut add);
    Ok(found)
}

/// What differs in the pairs and how they are read.
fn data(
    stored: &[(&str, Option<&StoredSource>)],
    columns: &Columns,
    wanted: &Resolved,
    add: &mut dyn FnMut(&str, String, String),
) {
    let files = [Some(&wanted.train), wanted.validation.as_ref(), wanted.test.as_ref()];
    for (&(key, run), wanted) in stored.iter().zip(files) {
        let same = match (run, wanted) {
            (Some(StoredSource::File(run)), Some(wanted)) => run.is(wanted),
            (run, wanted) => run.is_none() && wanted.is_none(),
        };
        if !same {
            let none = || "none".to_owned();
            let was = run.map_or_else(none, StoredSource::to_string);
            let place = |path: &PathBuf| shown(&std::path::absolute(path).unwrap_or_else(|_| path.clone()));
            let wanted = wanted.map_or_else(none, place);
            if was == wanted {
                add(key, format!("{was} as it was then"), format!("{wanted}, which has changed since"));
            } else {
                add(key, was, wanted);
            }
        }
    }
    if *columns != wanted.columns {
        let (run, wanted) = (columns, &wanted.columns);
        let pairs = [
            ("preset", Some(run.preset.to_string()), Some(wanted.preset.to_string())),
            ("original_column", run.original.clone(), wanted.original.clone()),
            ("revised_column", run.revised.clone(), wanted.revised.clone()),
            ("label_column", run.label.clone(), wanted.label.clone()),
            ("group_column", run.group.clone(), wanted.group.clone()),
            ("drop_labels", quoted(&run.drop_labels), quoted(&wanted.drop_labels)),
            (
                "drop_unlabelled",
                Some(run.drop_unlabelled.to_string()),
                Some(wanted.drop_unlabelled.to_string()),
            ),
        ];
        for (key, run, wanted) in pairs.into_iter().filter(|(_, run, wanted)| run != wanted) {
            let text =
                |value: Option<String>| value.filter(|text| !text.is_empty()).unwrap_or("none".to_owned());
            add(key, text(run), text(wanted));
        }
    }
}

/// A list of labels, of which each may hold commas.
fn quoted(labels: &[String]) -> Option<String> {
    (!labels.is_empty()).then(|| format!("{labels:?}"))
}

/// The training settings in which two runs differ, but for those without effect on what comes out.
fn settings(run: &TrainSettings, wanted: &TrainSettings) -> Vec<Mismatch> {
    let complete = |settings: &TrainSettings| {
        let mut settings = settings.clone();
        settings.complete();
        Table::try_from(settings).unwrap_or_default()
    };
    let (run_table, wanted_table) = (complete(run), complete(wanted));
    let mut keys: Vec<&String> = run_table.keys().chain(wanted_table.keys()).collect();
    keys.sort();
    keys.dedup();
    let counts = |key: &str| {
        let resolved_on_the_machine =
            key == "precision" && wanted_table.get(key).and_then(Value::as_str) == Some("auto");
        let without_effect = TrainSettings::setting(key).is_some_and(|setting| setting.without_effect);
        let overruled =
            matches!(key, "epochs" | "min_steps") && run.max_steps.is_some() && wanted.max_steps.is_some();
        !without_effect && !resolved_on_the_machine && !overruled
    };
    let text = |value: Option<&Value>| value.map_or("not set".to_owned(), Value::to_string);
    keys.into_iter()
        .filter(|key| counts(key) && run_table.get(*key) != wanted_table.get(*key))
        .map(|key| Mismatch {
            key: key.clone(),
            run: text(run_table.get(key)),
            wanted: text(wanted_table.get(key)),
        })
        .collect()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(change: impl FnOnce(&mut TrainSettings, &mut TrainSettings)) -> Vec<String> {
        let (mut run, mut wanted) = (TrainSettings::default(), TrainSettings::default());
        change(&mut run, &mut wanted);
        settings(&run, &wanted).into_iter().map(|mismatch| mismatch.key).collect()
    }

    #[test]
    fn what_changes_nothing_does_not_count() {
        let found = keys(|run, wanted| {
            run.method_options.complete(irtune_select::method("ir").unwrap());
            run.threads = Some(2);
            run.save_every = "7".parse().unwrap();
            run.memory = Some("1GB".parse().unwrap());
            run.precision = "bf16".parse().unwrap();
            (run.max_steps, wanted.max_steps) = (Some(5), Some(5));
            run.epochs = 9;
        });
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn what_changes_the_result_is_named() {
        let found = keys(|run, wanted| {
            run.method_options.set("split_num", "2");
            run.learning_rate = 1e-3;
            run.precision = "bf16".parse().unwrap();
            wanted.precision = "f32".parse().unwrap();
            wanted.max_steps = Some(3);
            run.eval_every = "9".parse().unwrap();
        });
        assert_eq!(found, ["eval_every", "learning_rate", "max_steps", "precision", "split_num"]);
        let mut run = TrainSettings { rank: 4, ..TrainSettings::default() };
        let found = settings(&run, &TrainSettings::default());
        assert_eq!(found, [Mismatch { key: "rank".into(), run: "4".into(), wanted: "32".into() }]);
        run.rank = 32;
        assert_eq!(settings(&run, &TrainSettings::default()), []);
    }
}
