//! Two drafts as they are read.

use irtune_documents::{Document, DocumentError, Format, UnknownFormat, read, read_tracked};
use std::path::Path;

/// Two drafts of a text.
#[derive(Debug, Clone)]
pub struct Drafts {
    /// What the old draft is called.
    pub old_name: String,
    /// What the new draft is called.
    pub new_name: String,
    /// The old draft.
    pub old: Document,
    /// The new draft.
    pub new: Document,
    /// How many changes are tracked, where both are one Word document.
    pub tracked: Option<usize>,
}

/// Drafts can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A file of a format that isn't read.
    #[error("{name}: {source}")]
    Format {
        /// The draft.
        name: String,
        /// Which.
        source: UnknownFormat,
    },
    /// What is wrong with it.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// One draft that holds no second one.
    #[error("{name}: only a Word document with tracked changes is two drafts in one; name the new draft too")]
    OneDraft {
        /// The draft.
        name: String,
    },
    /// Drafts without text.
    #[error("{name} has no text")]
    Empty {
        /// The draft.
        name: String,
    },
}

impl Drafts {
    /// Of two files' bytes, or with the new one left out of one Word document with tracked changes. A file's name says how
    /// to read it unless `format` does.
    ///
    /// # Errors
    /// When one can't be read, or holds no text or no second draft.
    pub fn read(
        old: (&str, &[u8]),
        new: Option<(&str, &[u8])>,
        format: Option<Format>,
    ) -> Result<Drafts, DraftError> {
        let format = |name: &str| match format {
            Some(format) => Ok(format),
            None => Format::of_path(Path::new(name))
                .map_err(|source| DraftError::Format { name: name.to_owned(), source }),
        };
        let (old_name, old_bytes) = old;
        let drafts = match new {
            Some((new_name, new_bytes)) => Drafts {
                old_name: old_name.to_owned(),
                new_name: new_name.to_owned(),
                old: read(old_name, old_bytes, format(old_name)?)?,
                new: read(new_name, new_bytes, format(new_name)?)?,
                tracked: None,
            },
            None if format(old_name)? == Format::Docx => {
                let tracked = read_tracked(old_name, old_bytes)?;
                let name = |version: &str| format!("{old_name} ({version})");
                let (old_name, new_name) = (name("changes rejected"), name("changes accepted"));
                let changes = Some(tracked.changes);
                Drafts { old_name, new_name, old: tracked.rejected, new: tracked.accepted, tracked: changes }
            }
            None => return Err(DraftError::OneDraft { name: old_name.to_owned() }),
        };
        // One may be empty: then everything was added or deleted.
        match drafts.old.blocks.is_empty() && drafts.new.blocks.is_empty() {
            true => Err(DraftError::Empty { name: drafts.old_name }),
            false => Ok(drafts),
        }
    }
}
