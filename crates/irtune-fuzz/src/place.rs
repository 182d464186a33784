//! The folder that a worker's cases happen in.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::mutate;
use crate::random::Random;

/// The file that holds the number of the present case.
pub const CURRENT: &str = "current";

/// Whole files, which a case damages in memory or for as long as it reads them.
pub struct Place {
    root: PathBuf,
    /// The whole files, by their paths below the root.
    whole: BTreeMap<PathBuf, Vec<u8>>,
    /// Where the damaged files are kept, if somebody wants to see them.
    keep: Option<PathBuf>,
}

impl Place {
    /// Of a folder with whole files.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn open(root: &Path, keep: Option<&Path>) -> io::Result<Place> {
        let mut whole = BTreeMap::new();
        collect(root, root, &mut whole)?;
        Ok(Place { root: root.to_owned(), whole, keep: keep.map(Path::to_owned) })
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A whole file that is text.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn text(&self, name: &str) -> &str {
        str::from_utf8(&self.whole[Path::new(name)]).expect("a whole file that is text")
    }

    /// A whole file.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn bytes(&self, name: &str) -> &[u8] {
        &self.whole[Path::new(name)]
    }

    /// One of these files, damaged, with where it would lie.
    pub fn damaged(&self, random: &mut Random, names: &[&str]) -> (PathBuf, Vec<u8>) {
        let name = *random.one_of(names);
        let bytes = mutate::file(random, name, &self.whole[Path::new(name)]);
        self.show(Path::new(name), &bytes);
        (self.path(name), bytes)
    }

    /// Damages one of these files, or one below one of these folders, and reads it; then it is whole again.
    ///
    /// # Panics
    /// When there is no such file, or it can't be written.
    pub fn with_damage<T>(&self, random: &mut Random, below: &[&str], reads: impl FnOnce(&Path) -> T) -> T {
        let below = *random.one_of(below);
        let changed = self.damage(random, below);
        self.write(&changed, |name| &changed[name]);
        let said = catch_unwind(AssertUnwindSafe(|| reads(&self.path(below))));
        self.write(&changed, |name| &self.whole[name]);
        said.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// The same in a copy of the folder, for what changes it.
    ///
    /// # Panics
    /// When the folder can't be copied.
    pub fn with_damaged_copy<T>(
        &self,
        random: &mut Random,
        below: &str,
        reads: impl FnOnce(&Path) -> T,
    ) -> T {
        let changed = self.damage(random, below);
        let copy = self.path("copy");
        let _ = fs::remove_dir_all(&copy);
        for (name, bytes) in
            self.whole.iter().filter_map(|(name, bytes)| Some((name.strip_prefix(below).ok()?, bytes)))
        {
            let path = copy.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of the copy");
            fs::write(path, changed.get(&Path::new(below).join(name)).unwrap_or(bytes))
                .expect("a file of the copy");
        }
        reads(&copy)
    }

    fn damage(&self, random: &mut Random, below: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let names: Vec<&PathBuf> = self.whole.keys().filter(|name| name.starts_with(below)).collect();
        let name = *random.one_of(&names);
        let damaged = mutate::file(random, &name.to_string_lossy(), &self.whole[name]);
        let mut changed = BTreeMap::from([(name.clone(), damaged)]);
        mutate::sealed::seal(&self.whole, &mut changed, random);
        changed.iter().for_each(|(name, bytes)| self.show(name, bytes));
        changed
    }

    fn write<'a>(&self, names: &BTreeMap<PathBuf, Vec<u8>>, bytes: impl Fn(&Path) -> &'a Vec<u8>) {
        for name in names.keys() {
            fs::write(self.root.join(name), bytes(name)).expect("a file of the place");
        }
    }

    fn show(&self, name: &Path, bytes: &[u8]) {
        if let Some(keep) = &self.keep {
            let flat = name.to_string_lossy().replace('/', "-");
            fs::write(keep.join(flat), bytes).expect("a file to be kept");
        }
    }
}

fn collect(root: &Path, folder: &Path, whole: &mut BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, whole)?;
        } else if let Ok(name) = path.strip_prefix(root)
            && name != Path::new(CURRENT)
        {
            whole.insert(name.to_owned(), fs::read(&path)?);
        }
    }
    Ok(())
}

/// Copies a folder with all it holds.
///
/// # Errors
/// When a file can't be read or written.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut files = BTreeMap::new();
    collect(from, from, &mut files)?;
    for (name, bytes) in files {
        let path = to.join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)?;
    }
    Ok(())
}
