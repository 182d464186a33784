//! Where goldens lie.

use std::{collections::BTreeSet, fs, path::PathBuf};

use safetensors::SafeTensors;
use serde::de::DeserializeOwned;

/// The sections a golden has on disk, so that a test can see to it that none is forgotten.
pub fn sections(name: &str) -> BTreeSet<String> {
    let path = golden_folder().join(name).join("case.safetensors");
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = SafeTensors::deserialize(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.names().into_iter().map(|key| super::section_of(key).to_owned()).collect()
}

/// `golden/` at the top of the repository.
pub fn golden_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden")
}

/// What `golden/<name>/case.json` says.
pub fn case_json<T: DeserializeOwned>(name: &str) -> T {
    let path = golden_folder().join(name).join("case.json");
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The model of a case of `golden/tiny_llama`, a transformers folder.
pub fn tiny_llama(case: &str) -> PathBuf {
    golden_folder().join("tiny_llama").join(case).join("model")
}
