//! Numbers made by PyTorch, and a checker that cannot pass by looking away.
//!
//! A golden is `golden/<case>/case.safetensors`, keys reading `section/name`, with the facts of `case.json` beside it.
//! A test opens the sections it is about. [`Golden::finish`] then fails on a number that is off or not finite, on
//! another number of values, on a key of these sections that nobody read, and when nothing was compared.

mod close;
mod damage;
mod errors;
mod failure;
mod folder;
mod stored;
#[cfg(test)]
mod tests;
mod tolerances;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    fs,
};

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

pub use self::{
    close::is_close,
    damage::Damage,
    errors::Errors,
    failure::{Failure, Measure},
    folder::{case_json, golden_folder, sections, tiny_llama},
    stored::Stored,
    tolerances::{Bound, Entry, Tolerance, Whole, assert_close, entries, tolerance},
};

/// The opened sections of a golden; every golden must be finished.
pub struct Golden {
    name: String,
    /// `case.json`
    pub facts: Value,
    tensors: BTreeMap<String, Stored>,
    unread: RefCell<BTreeSet<String>>,
    compared: Cell<usize>,
    failures: RefCell<Vec<Failure>>,
    finished: Cell<bool>,
    perturbed: bool,
}

impl Golden {
    /// The named sections of `golden/<name>/case.safetensors`.
    pub fn open(name: &str, sections: &[&str]) -> Self {
        let folder = golden_folder().join(name);
        let path = folder.join("case.safetensors");
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file =
            SafeTensors::deserialize(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let facts = fs::read(folder.join("case.json")).expect("case.json stands beside case.safetensors");
        let facts = serde_json::from_slice(&facts).expect("case.json is JSON");
        let tensors = file.iter().map(|(key, view)| (key.to_owned(), Stored::of(&view))).collect();
        Self::of(name, facts, tensors, sections)
    }

    /// A golden from memory.
    pub fn of(name: &str, facts: Value, mut tensors: BTreeMap<String, Stored>, sections: &[&str]) -> Self {
        for section in sections {
            assert!(tensors.keys().any(|key| section_of(key) == *section), "{name} has no section {section}");
        }
        tensors.retain(|key, _| sections.contains(&section_of(key)));
        let unread = RefCell::new(tensors.keys().cloned().collect());
        Self {
            name: name.to_owned(),
            facts,
            tensors,
            unread,
            compared: Cell::new(0),
            failures: RefCell::default(),
            finished: Cell::new(false),
            perturbed: false,
        }
    }

    /// Keys of a section, in order, without marking them as read.
    pub fn keys(&self, section: &str) -> Vec<String> {
        self.tensors.keys().filter(|key| section_of(key) == section).cloned().collect()
    }

    /// A tensor's shape.
    pub fn shape(&self, key: &str) -> &[usize] {
        &self.stored(key).shape
    }

    /// An f32 tensor's values.
    pub fn floats(&self, key: &str) -> Vec<f32> {
        let values = self.values(key);
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            self.fail(Failure::NotFinite { key: key.to_owned(), index, expected: true });
        }
        values
    }

    fn values(&self, key: &str) -> Vec<f32> {
        chunks(&self.read(key, Dtype::F32).bytes).map(f32::from_le_bytes).collect()
    }

    /// An i32 tensor's values, none of them negative.
    pub fn integers(&self, key: &str) -> Vec<u32> {
        let values = chunks(&self.read(key, Dtype::I32).bytes).map(i32::from_le_bytes);
        values.map(|value| u32::try_from(value).expect("a golden's integers are not negative")).collect()
    }

    /// A tensor's bytes.
    pub fn bytes(&self, key: &str) -> Vec<u8> {
        self.read(key, Dtype::U8).bytes.clone()
    }

    /// Holds `found` against the tensor `key`.
    pub fn compare(&self, key: &str, found: &[f32], tolerance: Tolerance) {
        let expected = self.values(key);
        self.compared.set(self.compared.get() + found.len());
        if !self.perturbed {
            tolerance.report(&expected, found);
        }
        if let Err(failure) = tolerance.check(key, &expected, found) {
            self.fail(failure);
        }
    }

    /// Shifts one value of the tensor `key` by `share` of the largest.
    pub fn perturb(&mut self, key: &str, index: usize, share: f32) {
        let stored = self.tensors.get_mut(key).unwrap_or_else(|| panic!("no {key}"));
        let mut values: Vec<f32> = chunks(&stored.bytes).map(f32::from_le_bytes).collect();
        let scale = values.iter().fold(0.0f32, |scale, value| scale.max(value.abs()));
        values[index] += share * scale;
        self.perturbed = true;
        *stored = Stored::floats(&stored.shape, &values);
    }

    /// The number of compared values, or all that was wrong.
    pub fn finish(self) -> Result<usize, Vec<Failure>> {
        self.finished.set(true);
        let mut failures = self.failures.take();
        let unread: Vec<String> = self.unread.take().into_iter().collect();
        if !unread.is_empty() {
            failures.push(Failure::Unread(unread));
        }
        if self.compared.get() == 0 {
            failures.push(Failure::NothingCompared);
        }
        if failures.is_empty() { Ok(self.compared.get()) } else { Err(failures) }
    }

    /// Panics with everything that was wrong.
    pub fn passes(self) {
        let name = self.name.clone();
        if let Err(failures) = self.finish() {
            let lines: Vec<String> = failures.iter().map(Failure::to_string).collect();
            panic!("golden {name}: {} failures\n  {}", lines.len(), lines.join("\n  "));
        }
    }

    /// Panics unless the value of this index of `key`, which was perturbed, is all that was wrong.
    pub fn refuses(self, key: &str, index: usize) {
        let failures = self.finish().expect_err("a perturbed golden");
        assert!(
            matches!(&failures[..], [Failure::Off { key: off, index: at, .. }] if off == key && *at == index),
            "{failures:?}"
        );
    }

    /// Closes a golden that only lent its inputs; panics with what was wrong with those.
    pub fn lends(self) {
        let name = self.name.clone();
        let failures = self.finish().expect_err("nothing is compared with a golden that lends");
        assert_eq!(failures, [Failure::NothingCompared], "golden {name}");
    }

    fn fail(&self, failure: Failure) {
        self.failures.borrow_mut().push(failure);
    }

    fn stored(&self, key: &str) -> &Stored {
        self.tensors
            .get(key)
            .unwrap_or_else(|| panic!("golden {} has no {key} in the opened sections", self.name))
    }

    fn read(&self, key: &str, dtype: Dtype) -> &Stored {
        let stored = self.stored(key);
        assert_eq!(stored.dtype, dtype, "{key}");
        self.unread.borrow_mut().remove(key);
        stored
    }
}

impl Drop for Golden {
    fn drop(&mut self) {
        if !self.finished.get() && !std::thread::panicking() {
            panic!("golden {} was opened and never finished", self.name);
        }
    }
}

fn section_of(key: &str) -> &str {
    key.split_once('/').map_or("", |(section, _)| section)
}

fn chunks(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    bytes.chunks_exact(4).map(|chunk| [chunk[0], chunk[1], chunk[2], chunk[3]])
}
