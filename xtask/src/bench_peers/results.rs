//! The result file: one a machine, a part a case.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};

use crate::{files, machine};

/// What the file's keys mean; another number is another layout.
const VERSION: u64 = 1;

/// The result file of this machine.
pub struct Results {
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub value: Value,
}

impl Results {
    /// Opens the file, so that the results of cases that don't run now are kept, or begins it.
    ///
    /// # Errors
    /// When a file of another layout, or none of ours, is there.
    pub fn open(path: PathBuf) -> anyhow::Result<Self> {
        let mut value = json!({"version": VERSION, "cases": {}});
        if path.exists() {
            let named = || path.display().to_string();
            value = serde_json::from_slice(&fs::read(&path)?).with_context(named)?;
            ensure!(
                value["version"] == VERSION && value["cases"].is_object(),
                "{} has another layout: move it away",
                named()
            );
        }
        value["machine"] = machine::describe();
        Ok(Self { path, value })
    }

    /// Puts a case's result in its place and writes the file.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&mut self, case: &str, result: Value) -> anyhow::Result<()> {
        if let Some(cases) = self.value["cases"].as_object_mut() {
            let mut sorted: Map<String, Value> = std::mem::take(cases);
            sorted.insert(case.to_owned(), result);
            for name in super::case::names() {
                cases.extend(sorted.remove_entry(name));
            }
        }
        files::write(&self.path, &(serde_json::to_string_pretty(&self.value)? + "\n"))
    }
}
