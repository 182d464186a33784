//! Which base it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The files beside the weights that decide what a model computes.
const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
/// What programs write into the configuration that decides nothing.
const REMARKS: [&str; 2] = ["_name_or_path", "transformers_version"];

/// How a base is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseFormat {
    /// A transformers folder.
    Safetensors,
    /// One GGUF file.
    Gguf,
}

/// Which base it is: written into a run folder and compared when a run goes on or answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseSource {
    /// The folder or the file.
    pub path: PathBuf,
    /// How it is stored.
    pub format: BaseFormat,
    /// Bytes of all weight files.
    pub bytes: u64,
    /// SHA-256 over the weight files' sizes and samples of their bytes, in hexadecimal. Two models of the same make
    /// differ in it, but it can't show that every byte is intact: reading them all would take as long as a start.
    pub fingerprint: String,
    /// SHA-256 of what `config.json` and `tokenizer.json` say, by name; nothing where a run is older than this.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

/// Another base than the one that was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OtherBase {
    /// Its weights are others.
    #[error(
        "the weights in {} are not those the run was trained on, which were in {}; restore them, or say with --base where they \
         are now",
        found.display(), expected.display()
    )]
    Weights {
        /// The base that was found.
        found: PathBuf,
        /// Where it was in training.
        expected: PathBuf,
    },
    /// A file beside its weights says something else.
    #[error(
        "{}: this file was changed since the run was begun, so the base is another; restore it, or train anew", path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
    },
}

impl BaseSource {
    /// Confirms that this is the base that a run has kept. Only what it is matters, not where it lies.
    ///
    /// # Errors
    /// When it is another.
    pub fn check(&self, kept: &BaseSource) -> Result<(), OtherBase> {
        if (self.bytes, &self.fingerprint) != (kept.bytes, &kept.fingerprint) {
            return Err(OtherBase::Weights { found: self.path.clone(), expected: kept.path.clone() });
        }
        match kept.files.iter().find(|(name, hash)| self.files.get(*name) != Some(hash)) {
            Some((name, _)) => Err(OtherBase::File { path: self.path.join(name) }),
            None => Ok(()),
        }
    }
}

/// Hashes of what stands beside the weights in a folder. A configuration counts by what it says, not by how it is laid out.
pub(super) fn beside_weights(folder: &Path) -> BTreeMap<String, String> {
    let hash = |name: &str| {
        let bytes = irtune_files::read(&folder.join(name)).ok()?;
        let said = if name == CONFIG { said(&bytes) } else { None };
        Some((name.to_owned(), hexadecimal(Sha256::digest(said.as_ref().unwrap_or(&bytes)))))
    };
    [CONFIG, TOKENIZER].into_iter().filter_map(hash).collect()
}

/// The members of a configuration in the order of their names, without remarks.
fn said(json: &[u8]) -> Option<Vec<u8>> {
    let mut members: Map<String, Value> = serde_json::from_slice(json).ok()?;
    members.retain(|name, _| !REMARKS.contains(&name.as_str()));
    members.sort_keys();
    serde_json::to_vec(&members).ok()
}

/// Of the weight files, from samples of their bytes.
pub(super) fn fingerprint<'a>(files: impl Iterator<Item = &'a [u8]>) -> String {
    /// Samples of a file, evenly spread, and their size: a mebibyte in all.
    const SAMPLES: usize = 256;
    const SAMPLE_BYTES: usize = 4096;
    let mut hash = Sha256::new();
    for map in files {
        hash.update((map.len() as u64).to_le_bytes());
        if map.len() <= SAMPLES * SAMPLE_BYTES {
            hash.update(map);
            continue;
        }
        for sample in 0..SAMPLES {
            let start = (map.len() - SAMPLE_BYTES) / (SAMPLES - 1) * sample;
            hash.update(&map[start..start + SAMPLE_BYTES]);
        }
    }
    hexadecimal(hash.finalize())
}

fn hexadecimal(hash: impl IntoIterator<Item = u8>) -> String {
    hash.into_iter().map(|byte| format!("{byte:02x}")).collect()
}
