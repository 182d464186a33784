//! Two folders of drafts, paired by their files' names.

use irtune_documents::Format;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// The drafts of two folders, or of one whose files hold both drafts each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderPairs {
    /// The documents in the order of their names.
    pub pairs: Vec<FolderPair>,
    /// Files that have no partner in the other folder.
    pub alone: Vec<PathBuf>,
    /// Files of kinds that aren't read.
    pub unread: Vec<PathBuf>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderPair {
    /// Its name: the path below the folder, with `/` between its parts.
    pub name: String,
    /// The old draft.
    pub old: PathBuf,
    /// The new draft; nothing where the old file holds both.
    pub new: Option<PathBuf>,
}

/// Folders that hold no pair of drafts.
#[derive(Debug, thiserror::Error)]
pub enum FolderPairsError {
    /// A folder can't be read.
    #[error("{} can't be read: {source}", folder.display())]
    Read {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No file of one folder is in the other.
    #[error("no file of {} has a partner of the same name in {}", old.display(), new.display())]
    NoPair {
        /// The folder of old drafts.
        old: PathBuf,
        /// The folder of new drafts.
        new: PathBuf,
    },
    /// A folder without drafts.
    #[error("{} holds no drafts", folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
}

impl FolderPairs {
    /// The files below both folders that have the same name; without a second folder each file of the first is a document
    /// of its own, with tracked changes. Hidden files are not looked at. With `all` files of any name are drafts.
    ///
    /// # Errors
    /// When a folder can't be read, or there is no pair.
    pub fn find(old: &Path, new: Option<&Path>, all: bool) -> Result<FolderPairs, FolderPairsError> {
        let is_draft = |path: &Path| match new {
            _ if all => true,
            None => Format::of_path(path) == Ok(Format::Docx),
            Some(_) => Format::of_path(path).is_ok(),
        };
        let mut unread = Vec::new();
        let mut drafts = |folder: &Path| {
            let (drafts, others) = files(folder)?.into_iter().partition(|(_, path)| is_draft(path));
            let others: BTreeMap<String, PathBuf> = others;
            unread.extend(others.into_values());
            Ok::<BTreeMap<String, PathBuf>, FolderPairsError>(drafts)
        };
        let olds = drafts(old)?;
        let Some(new) = new else {
            let pair = |(name, old)| FolderPair { name, old, new: None };
            let pairs: Vec<FolderPair> = olds.into_iter().map(pair).collect();
            return match pairs.is_empty() {
                true => Err(FolderPairsError::Empty { folder: old.to_owned() }),
                false => Ok(FolderPairs { pairs, alone: Vec::new(), unread }),
            };
        };
        let mut news = drafts(new)?;
        let (mut pairs, mut alone) = (Vec::new(), Vec::new());
        for (name, old) in olds {
            match news.remove(&name) {
                Some(new) => pairs.push(FolderPair { name, old, new: Some(new) }),
                None => alone.push(old),
            }
        }
        alone.extend(news.into_values());
        match pairs.is_empty() {
            true => Err(FolderPairsError::NoPair { old: old.to_owned(), new: new.to_owned() }),
            false => Ok(FolderPairs { pairs, alone, unread }),
        }
    }
}

/// The files below a folder by their paths below it.
fn files(folder: &Path) -> Result<BTreeMap<String, PathBuf>, FolderPairsError> {
    let mut found = BTreeMap::new();
    let mut open = BTreeSet::from([folder.to_owned()]);
    while let Some(next) = open.pop_first() {
        let failed = |source| FolderPairsError::Read { folder: next.clone(), source };
        for entry in std::fs::read_dir(&next).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // A link to a folder is no folder here: it could lead back.
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            if entry.file_name().to_string_lossy().starts_with(['.', '~']) {
                continue;
            }
            if kind.is_dir() {
                open.insert(path);
            } else if path.is_file() {
                let below = path.strip_prefix(folder).unwrap_or(&path);
                let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                found.insert(parts.join("/"), path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_of_the_same_name_are_drafts_of_one_document() {
        let place = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = place.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "It is.").unwrap();
        };
        ["old/b.md", "old/part/a.tex", "old/gone.md", "old/scan.pdf", "old/.hidden.md", "old/~$b.docx"]
            .into_iter()
            .for_each(put);
        ["new/b.md", "new/part/a.tex", "new/part/b.md"].into_iter().for_each(put);
        let at = |name: &str| place.path().join(name);
        let found = FolderPairs::find(&at("old"), Some(&at("new")), false).unwrap();
        let names: Vec<&str> = found.pairs.iter().map(|pair| pair.name.as_str()).collect();
        assert_eq!(names, ["b.md", "part/a.tex"]);
        assert_eq!(found.pairs[1].new.as_deref(), Some(at("new/part/a.tex").as_path()));
        assert_eq!(found.alone, [at("old/gone.md"), at("new/part/b.md")]);
        assert_eq!(found.unread, [at("old/scan.pdf")]);

        put("tracked/one.docx");
        put("tracked/notes.md");
        let found = FolderPairs::find(&at("tracked"), None, false).unwrap();
        assert_eq!((found.pairs.len(), found.pairs[0].new.is_none()), (1, true));
        assert_eq!(found.unread, [at("tracked/notes.md")]);
    }

    #[test]
    fn folders_without_pairs_are_told() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("empty")).unwrap();
        let told = |new: Option<&Path>| FolderPairs::find(&at("empty"), new, false).unwrap_err().to_string();
        assert!(told(None).ends_with("empty holds no drafts"));
        assert!(told(Some(&at("empty"))).contains("has a partner of the same name"));
        assert!(told(Some(&at("none"))).contains("none can't be read"));
    }
}
