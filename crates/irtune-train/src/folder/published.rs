//! What of a run's folder, or of a merged model's, may be shown to others: the model, and nothing of the machine or of the
//! pairs.

use super::card::hub_name;
use super::error::RunFolderError;
use super::linear::{MODEL, STACK};
use super::merge::MergedModel;
use super::{ENDING, LABELS, PROMPT, RunFolder, WORDS, calibration, card, merge};
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};

/// What of a folder may be shown to others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// The files, by name.
    pub files: Vec<PublishedFile>,
    /// What stays here, and why.
    pub left_out: Vec<(String, &'static str)>,
}

/// A file that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its name, in one folder with the others.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it holds where that is not what is on this machine: paths are taken out.
    pub bytes: Option<Vec<u8>>,
}

/// Why a folder can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The folder can't be read.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// A linear model consists of its pairs' words.
    #[error("the run in {} is a linear model, which consists of words of its training pairs; only fine-tuned models are pushed", path.display())]
    Linear {
        /// The run folder.
        path: PathBuf,
    },
    /// The run has no model yet.
    #[error("the run in {} is not finished; continue it with `irtune train --resume`", path.display())]
    Unfinished {
        /// The run folder.
        path: PathBuf,
    },
    /// A file names a path of this machine.
    #[error("{} tells of this machine: it holds `{found}`; take that out, then try again", path.display())]
    Private {
        /// The file.
        path: PathBuf,
        /// The path in it.
        found: String,
    },
}

/// Files of an adapter's folder, and of tuned weights.
const OF_RUN: &[&str] = &[
    "adapter_config.json",
    "adapter_model.safetensors",
    "bottleneck_model.safetensors",
    "classifier.json",
    "config.json",
    "edit_head.safetensors",
    "head.safetensors",
    "tuned_weights.safetensors",
    card::FILE,
];

/// Files of a run that say how its model is asked.
const BESIDE: &[&str] = &[LABELS, PROMPT, WORDS, ENDING, calibration::FILE, STACK, MODEL];

/// Files of a merged model, beside its shards.
const OF_MERGED: &[&str] = &[
    "added_tokens.json",
    "chat_template.jinja",
    "config.json",
    "merges.txt",
    "model.safetensors",
    "model.safetensors.index.json",
    "modeling_irtune.py",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    calibration::FILE,
    card::FILE,
    merge::FILE,
    MODEL,
    STACK,
];

/// What no path of this machine may be in: what irtune writes, and what people do. Vocabularies hold whatever they hold.
const LOOKED_AT: &[&str] = &[
    "adapter_config.json",
    "classifier.json",
    "config.json",
    "tokenizer_config.json",
    card::FILE,
    merge::FILE,
    LABELS,
    PROMPT,
    WORDS,
];

const WORDS_OF_PAIRS: &str = "holds words of the training pairs";
const OF_COMBINED: &str = "belongs to what is left out";
const UNKNOWN: &str = "is no file of the model";

/// What of the folder of a run, or of a merged model, may be shown to others. `linear`: with the linear model that its
/// answers are combined with, which holds words of its training pairs. `private`: paths that no text may hold.
///
/// # Errors
/// When the folder is neither, its run is not finished or linear, a file can't be read, or one tells of this machine.
pub fn published(path: &Path, linear: bool, private: &[PathBuf]) -> Result<Published, PublishError> {
    let mut private = private.to_vec();
    private.extend(std::path::absolute(path).ok());
    let mut found = Published::default();
    let combined = path.join(STACK).is_file();
    if MergedModel::read(path)?.is_some() {
        for name in names_in(path)? {
            let known = OF_MERGED.contains(&name.as_str()) || is_shard(&name);
            match stays(&name, known, combined && !linear) {
                Some(why) => found.left_out.push((name, why)),
                None => found.files.push(read(path.join(&name), name, &private, Path::new(""))?),
            }
        }
        return Ok(found);
    }
    let run = RunFolder::open(path)?;
    if run.is_linear() {
        return Err(PublishError::Linear { path: path.to_owned() });
    }
    run.summary()?.ok_or_else(|| PublishError::Unfinished { path: path.to_owned() })?;
    let sources = run.sources()?;
    private.extend(sources.paths());
    let base = &sources.base.path;
    let folder = run.model_path(run.settings()?.tune);
    for name in names_in(&folder)? {
        match stays(&name, OF_RUN.contains(&name.as_str()), false) {
            Some(why) => found.left_out.push((name, why)),
            None => found.files.push(read(folder.join(&name), name, &private, base)?),
        }
    }
    // Without a stack the linear model is only what the run is held against.
    let beside = BESIDE.iter().filter(|&&name| path.join(name).is_file() && (combined || name != MODEL));
    for name in beside.map(|&name| name.to_owned()) {
        match stays(&name, true, combined && !linear) {
            Some(why) => found.left_out.push((name, why)),
            None => found.files.push(read(path.join(&name), name, &private, base)?),
        }
    }
    found.files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Why a file is not shown; `alone`: what the answers are combined with is not.
fn stays(name: &str, known: bool, alone: bool) -> Option<&'static str> {
    match name {
        _ if !known => Some(UNKNOWN),
        MODEL if alone => Some(WORDS_OF_PAIRS),
        STACK | calibration::FILE if alone => Some(OF_COMBINED),
        _ => None,
    }
}

/// Names of what is in a folder, in their order.
fn names_in(folder: &Path) -> Result<Vec<String>, RunFolderError> {
    let unreadable = |source: io::Error| RunFolderError::Read { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let name = |entry: io::Result<std::fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned()).map_err(unreadable)
    };
    let mut names = entries.map(name).collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}

/// `model-00001-of-00002.safetensors`
fn is_shard(name: &str) -> bool {
    let numbers = name.strip_prefix("model-").and_then(|rest| rest.strip_suffix(".safetensors"));
    let number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.and_then(|rest| rest.split_once("-of-")).is_some_and(|(one, all)| number(one) && number(all))
}

/// A file without paths of this machine; `base` is where the run's base lies.
fn read(
    path: PathBuf,
    name: String,
    private: &[PathBuf],
    base: &Path,
) -> Result<PublishedFile, PublishError> {
    if !LOOKED_AT.contains(&name.as_str()) {
        return Ok(PublishedFile { name, path, bytes: None });
    }
    let bytes = irtune_files::read(&path).map_err(|source| RunFolderError::read(&path, source))?;
    let changed = serde_json::from_slice::<Value>(&bytes).ok().and_then(|mut value| {
        without_paths(&name, &mut value, base).then(|| format!("{value:#}\n").into_bytes())
    });
    let text = String::from_utf8_lossy(changed.as_ref().unwrap_or(&bytes)).into_owned();
    let written = |path: &PathBuf| path.to_string_lossy().trim_end_matches(['/', '\\']).to_owned();
    let found = private.iter().map(written).find(|own| {
        // A name without a folder is no path; neither is the root.
        own.contains(['/', '\\']) && (text.contains(own) || text.contains(&own.replace('\\', "\\\\")))
    });
    match found {
        Some(found) => Err(PublishError::Private { path, found }),
        None => Ok(PublishedFile { name, path, bytes: changed }),
    }
}

/// Takes paths out of what irtune writes; true where there were any. A base that was given by its path has no name for
/// others, and of a prompt's file the name is enough.
fn without_paths(name: &str, value: &mut Value, base: &Path) -> bool {
    let prompt = match name {
        "adapter_config.json" => {
            let named = &mut value["base_model_name_or_path"];
            let is_path = named.as_str().is_some_and(|named| hub_name(named, base).is_none());
            if is_path {
                *named = Value::Null;
            }
            return is_path;
        }
        PROMPT => value,
        merge::FILE => &mut value["prompt"],
        _ => return false,
    };
    let Some(file) = prompt["name"].as_str().and_then(|name| name.rsplit_once(['/', '\\'])) else {
        return false;
    };
    prompt["name"] = file.1.to_owned().into();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shards_are_known_by_their_names() {
        assert!(is_shard("model-00001-of-00002.safetensors"));
        for other in [
            "model-1-of-2.safetensors",
            "model-00001-of-0000x.safetensors",
            "mine-00001-of-00002.safetensors",
        ] {
            assert!(!is_shard(other), "{other}");
        }
    }

    #[test]
    fn paths_are_taken_out_and_names_stay() {
        let base = Path::new("/home/someone/base");
        let mut config = json!({"base_model_name_or_path": "/home/someone/base", "r": 4});
        assert!(without_paths("adapter_config.json", &mut config, base));
        assert_eq!(config, json!({"base_model_name_or_path": null, "r": 4}));
        let mut named = json!({"base_model_name_or_path": "org/base"});
        assert!(!without_paths("adapter_config.json", &mut named, base));
        // What looks like a name of the hub is where the base lies.
        let mut relative = json!({"base_model_name_or_path": "someone/base"});
        assert!(without_paths("adapter_config.json", &mut relative, base));
        let mut prompt = json!({"name": "C:\\prompts\\mine.txt", "text": "{original}"});
        assert!(without_paths(PROMPT, &mut prompt, base));
        assert_eq!(prompt["name"], "mine.txt");
        let mut merged = json!({"prompt": {"name": "marked"}});
        assert!(!without_paths(merge::FILE, &mut merged, base));
    }
}
