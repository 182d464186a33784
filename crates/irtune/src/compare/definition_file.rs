//! Where a comparison's definition comes from: a file, flags, or the folder of a comparison already begun.

use std::path::{Path, PathBuf};

use irtune_files::{Disk, replace_file};
use toml::{Table, Value};

use super::CompareError;
use super::definition::{Corpus, Definition, Entry, TrainSize};
use crate::settings::{Group, Origin, Problem, Problems, Sources, setting};

/// The name of the definition in a comparison's folder.
pub const FILE: &str = "compare.toml";

/// What a caller says about a comparison, over what a file says; nothing by default.
#[derive(Debug, Default)]
pub struct Overrides {
    /// Names of methods; the file's when empty.
    pub methods: Vec<String>,
    /// Names of adapters; the file's when empty.
    pub adapters: Vec<String>,
    /// Seeds; the file's when empty.
    pub seeds: Vec<u64>,
    /// Numbers of training pairs; the file's when empty.
    pub train_sizes: Vec<TrainSize>,
    /// Parts of a cross-validation.
    pub folds: Option<u64>,
    /// The method that all others are compared with.
    pub reference: Option<String>,
    /// Settings of every run.
    pub settings: Sources,
}

/// What is to be compared in the folder `out`: as `config` says, or else the folder's own `compare.toml` when it has one,
/// and `overrides` over that.
///
/// # Errors
/// [`CompareError::Settings`] with everything that is wrong about the file and the overrides.
pub fn read(out: &Path, config: Option<&Path>, overrides: Overrides) -> Result<Definition, CompareError> {
    let begun = out.join(FILE);
    let path = match config {
        Some(path) => Some(path.to_owned()),
        None => begun.is_file().then_some(begun),
    };
    let mut definition = match &path {
        Some(path) => parse(path).map_err(|problem| Problems(vec![problem]))?,
        None => Definition::default(),
    };
    let mut problems = Vec::new();
    apply(overrides, &mut definition, &mut problems);
    CompareError::of(problems)?;
    Ok(definition)
}

/// Writes the definition into the comparison's folder, its files by their whole paths, so that it goes on from
/// anywhere.
///
/// # Errors
/// When it can't be written.
pub fn write(definition: &Definition, out: &Path) -> Result<(), CompareError> {
    let mut definition = definition.clone();
    for corpus in &mut definition.corpus {
        for key in ["train", "validation", "test"] {
            if let Some(Value::String(text)) = corpus.settings.get_mut(key) {
                *text = absolute(text)?;
            }
        }
    }
    if let Some(base) = &mut definition.base
        && Path::new(base.as_str()).exists()
    {
        *base = absolute(base)?;
    }
    let text = toml::to_string(&definition)?;
    Ok(replace_file(&Disk, &out.join(FILE), &mut |writer| writer.write_all(text.as_bytes()))?)
}

fn absolute(path: &str) -> Result<String, CompareError> {
    let absolute = std::path::absolute(path);
    let absolute = absolute.map_err(|source| CompareError::Path { path: path.to_owned(), source })?;
    Ok(absolute.display().to_string())
}

fn parse(path: &Path) -> Result<Definition, Problem> {
    let origin = Origin::Flag("config".to_owned());
    let text = irtune_files::read_text(path)
        .map_err(|error| Problem::at(&origin, format!("{}: {error}", path.display())))?;
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        Problem::at(&origin, format!("{}, line {line}: {}", path.display(), error.message()))
    })
}

/// What the caller says wins over the file.
fn apply(overrides: Overrides, definition: &mut Definition, problems: &mut Vec<Problem>) {
    let entries = |key: &str, names: &[String]| -> Vec<Entry> {
        let entry = |name: &String| Entry {
            settings: Table::from_iter([(key.to_owned(), Value::from(name.as_str()))]),
            ..Entry::default()
        };
        names.iter().map(entry).collect()
    };
    if !overrides.methods.is_empty() {
        definition.method = entries("method", &overrides.methods);
    }
    if !overrides.adapters.is_empty() {
        definition.adapter = entries("adapter", &overrides.adapters);
    }
    if !overrides.seeds.is_empty() {
        definition.seeds = overrides.seeds;
    }
    if !overrides.train_sizes.is_empty() {
        definition.train_sizes = overrides.train_sizes;
    }
    definition.folds = overrides.folds.or(definition.folds);
    if overrides.reference.is_some() {
        definition.reference = overrides.reference;
    }

    let (values, wrong) = overrides.settings.finish();
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
