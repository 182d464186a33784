//! Checkpoints, whose files are sealed by a checksum: damage that keeps the seal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::random::Random;

const MANIFEST: &str = "manifest.json";

/// Seals a damaged file of a checkpoint anew, mostly: what is wrong in it is then found by what reads it, and not by the
/// checksum.
pub fn seal(
    whole: &BTreeMap<PathBuf, Vec<u8>>,
    changed: &mut BTreeMap<PathBuf, Vec<u8>>,
    random: &mut Random,
) {
    if random.one_in(8) {
        return;
    }
    let mut manifests = BTreeMap::new();
    for (name, bytes) in &*changed {
        let manifest = name.with_file_name(MANIFEST);
        if let Some(sealed) = whole.get(&manifest).and_then(|text| sealed(text, name, bytes)) {
            manifests.insert(manifest, sealed);
        }
    }
    changed.append(&mut manifests);
}

/// A manifest that says what a file is now.
fn sealed(manifest: &[u8], name: &Path, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut manifest: Value = serde_json::from_slice(manifest).ok()?;
    let name = name.file_name()?.to_str()?;
    let seals = manifest.as_object_mut()?.values_mut();
    let seal = seals.into_iter().find(|seal| seal["name"] == name)?;
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    *seal = json!({ "name": name, "bytes": bytes.len(), "sha256": digest });
    Some(manifest.to_string().into_bytes())
}
