//! Hidden states below the lowest layer that will ever train, kept in a file so that they are computed once.
//!
//! In a causal model a token's state depends on the tokens up to it alone, and below that layer nothing changes: a state
//! is found again by the key of its tokens, whatever batch it stands in.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// States at the beginning of a layer, one row for each beginning of an example; above the last layer, one for each
/// example.
pub(crate) struct StateCache {
    /// The layer whose input is kept; the number of layers for what the head pools.
    pub(crate) layer: usize,
    width: usize,
    /// Where the row of each key is.
    places: HashMap<u64, usize>,
    /// Without a name: it is gone with the process.
    file: File,
    folder: PathBuf,
    found: Vec<usize>,
    /// Rows of one batch on their way, `[rows, width]`.
    rows: Vec<f32>,
}

impl StateCache {
    /// An empty cache in a nameless file inside `folder`.
    pub(crate) fn new(layer: usize, width: usize, folder: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder)?;
        let folder = folder.to_owned();
        Ok(Self { layer, width, places: HashMap::new(), file, folder, found: Vec::new(), rows: Vec::new() })
    }

    /// Forgets all rows: what they were computed with has changed.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
    }

    /// Where it is, for messages.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The rows of all keys, `[keys, width]`, or nothing when one is missing.
    pub(crate) fn read(&mut self, keys: &[u64]) -> io::Result<Option<&[f32]>> {
        self.found.clear();
        for key in keys {
            match self.places.get(key) {
                Some(&place) => self.found.push(place),
                None => return Ok(None),
            }
        }
        self.rows.resize(keys.len() * self.width, 0.0);
        // Rows that were computed together lie together: few reads bring a batch.
        let mut start = 0;
        for stretch in self.found.chunk_by(|left, right| left + 1 == *right) {
            self.file.seek(SeekFrom::Start((stretch[0] * self.width * 4) as u64))?;
            let rows = &mut self.rows[start * self.width..][..stretch.len() * self.width];
            self.file.read_exact(bytemuck::cast_slice_mut(rows))?;
            start += stretch.len();
        }
        Ok(Some(&self.rows))
    }

    /// Memory for the rows of `keys`, to be filled before [`write`](Self::write).
    pub(crate) fn rows(&mut self, keys: &[u64]) -> &mut [f32] {
        self.rows.resize(keys.len() * self.width, 0.0);
        &mut self.rows
    }

    /// Keeps those of [`rows`](Self::rows) that are not known yet; after an error none of them is.
    pub(crate) fn write(&mut self, keys: &[u64]) -> io::Result<()> {
        let first = self.places.len();
        self.file.seek(SeekFrom::Start((first * self.width * 4) as u64))?;
        let mut added = 0;
        let mut result = Ok(());
        for (key, row) in keys.iter().zip(self.rows.chunks_exact(self.width)) {
            if self.places.contains_key(key) {
                continue;
            }
            result = self.file.write_all(bytemuck::cast_slice(row));
            if result.is_err() {
                break;
            }
            self.places.insert(*key, first + added);
            added += 1;
        }
        if result.is_err() {
            self.places.retain(|_, place| *place < first);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_keys_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = StateCache::new(3, 2, folder.path()).unwrap();
        assert_eq!(cache.read(&[1]).unwrap(), None);
        cache.rows(&[1, 2]).copy_from_slice(&[1.0, 1.5, 2.0, 2.5]);
        cache.write(&[1, 2]).unwrap();
        cache.rows(&[2, 3]).copy_from_slice(&[9.0, 9.5, 3.0, 3.5]);
        cache.write(&[2, 3]).unwrap();
        let expected = [3.0, 3.5, 1.0, 1.5, 2.0, 2.5];
        assert_eq!(cache.read(&[3, 1, 2]).unwrap(), Some(expected.as_slice()));
        assert_eq!(cache.read(&[3, 4]).unwrap(), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
        cache.clear();
        assert_eq!(cache.read(&[1]).unwrap(), None);
        cache.rows(&[3]).copy_from_slice(&[4.0, 4.5]);
        cache.write(&[3]).unwrap();
        assert_eq!(cache.read(&[3]).unwrap(), Some([4.0, 4.5].as_slice()));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(StateCache::new(0, 1, Path::new("nowhere/at/all")).is_err());
    }
}
