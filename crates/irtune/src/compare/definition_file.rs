//! Where a comparison's definition comes from: a file, flags, or the folder of a comparison already begun.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::definition::{Corpus, Definition, Entry};
use crate::args::CompareArguments;
use crate::failure::Failure;
use crate::settings::{Group, Origin, Problem, Problems, Sources, setting};
use crate::show::write_beside;

/// The name of the definition in a comparison's folder.
pub const FILE: &str = "compare.toml";

/// What is to be compared, as the arguments say.
///
/// # Errors
/// [`Failure::Settings`] with everything that is wrong about the arguments and the file.
pub fn read(arguments: &CompareArguments, out: &Path) -> Result<Definition, Failure> {
    let begun = out.join(FILE);
    let path = match &arguments.config {
        Some(path) => Some(path.clone()),
        None => begun.is_file().then_some(begun),
    };
    let mut problems = Vec::new();
    let mut definition = match &path {
        Some(path) => parse(path).map_err(|problem| Failure::Settings(Problems(vec![problem])))?,
        None => Definition::default(),
    };
    apply(arguments, &mut definition, &mut problems);
    match problems.is_empty() {
        true => Ok(definition),
        false => Err(Failure::Settings(Problems(problems))),
    }
}

/// Writes the definition into the comparison's folder, its files by their whole paths, so that it goes on from
/// anywhere.
///
/// # Errors
/// When it can't be written.
pub fn write(definition: &Definition, out: &Path) -> Result<(), Failure> {
    let mut definition = definition.clone();
    for corpus in &mut definition.corpus {
        for key in ["train", "validation", "test"] {
            if let Some(Value::String(text)) = corpus.settings.get_mut(key) {
                *text = std::path::absolute(&*text)?.display().to_string();
            }
        }
    }
    if let Some(base) = &mut definition.base
        && Path::new(base.as_str()).exists()
    {
        *base = std::path::absolute(&*base)?.display().to_string();
    }
    write_beside(&out.join(FILE), toml::to_string(&definition)?.as_bytes())
}

fn parse(path: &Path) -> Result<Definition, Problem> {
    let origin = Origin::Flag("config".to_owned());
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problem::at(&origin, format!("{}: {error}", path.display())))?;
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        Problem::at(&origin, format!("{}, line {line}: {}", path.display(), error.message()))
    })
}

/// Flags win over the file.
fn apply(arguments: &CompareArguments, definition: &mut Definition, problems: &mut Vec<Problem>) {
    let entries = |key: &str, names: &[String]| -> Vec<Entry> {
        let entry = |name: &String| Entry {
            settings: Table::from_iter([(key.to_owned(), Value::from(name.as_str()))]),
            ..Entry::default()
        };
        names.iter().map(entry).collect()
    };
    if !arguments.methods.is_empty() {
        definition.method = entries("method", &arguments.methods);
    }
    if !arguments.adapters.is_empty() {
        definition.adapter = entries("adapter", &arguments.adapters);
    }
    if !arguments.seeds.is_empty() {
        definition.seeds.clone_from(&arguments.seeds);
    }
    if !arguments.train_sizes.is_empty() {
        definition.train_sizes.clone_from(&arguments.train_sizes);
    }
    definition.folds = arguments.folds.or(definition.folds);
    if arguments.reference.is_some() {
        definition.reference.clone_from(&arguments.reference);
    }

    let mut sources = Sources::default();
    for (setting, text) in &arguments.settings.0 {
        sources.flag(setting, text);
    }
    arguments.set.iter().for_each(|assignment| sources.set(assignment));
    let (values, wrong) = sources.finish();
    problems.extend(wrong);
    let mut data = Table::new();
    for (key, (value, _)) in values {
        match (key, setting(key).map(|setting| setting.group)) {
            ("base", _) => definition.base = value.as_str().map(str::to_owned),
            ("train" | "validation" | "test", _) => drop(data.insert(key.to_owned(), value)),
            // How files are read belongs to the corpus that the flags describe.
            (_, Some(Group::Data)) if key.ends_with("_column") || key == "preset" => {
                data.insert(key.to_owned(), value);
            }
            _ => drop(definition.settings.insert(key.to_owned(), value)),
        }
    }
    if data.is_empty() {
        return;
    }
    match definition.corpus.as_mut_slice() {
        [] => {
            let name = corpus_name(data.get("train").and_then(Value::as_str));
            definition.corpus.push(Corpus { name, settings: data });
        }
        [only] => only.settings.extend(data),
        _ => {
            let keys: Vec<String> = data.keys().map(|key| format!("--{}", key.replace('_', "-"))).collect();
            let message = format!("{}: there are several corpora", keys.join(", "));
            problems.push(Problem::of_all(message).hint("change the [[corpus]] in the file"));
        }
    }
}

/// A corpus is called like the folder its training pairs are in.
fn corpus_name(train: Option<&str>) -> String {
    let folder = train.map(PathBuf::from).and_then(|path| Some(path.parent()?.file_name()?.to_owned()));
    folder.map_or_else(|| "corpus".to_owned(), |name| name.to_string_lossy().into_owned())
}
