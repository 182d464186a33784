//! Files and folders that are written whole or not at all.
//!
//! Everything is written under a temporary name beside its place, flushed to the disk, and then renamed. So whenever
//! the process ends, the final name holds what was there before or all of what is new.
//!
//! - [`replace_file`] and [`replace_json`] write one file.
//! - [`create_folder`] makes a folder that is not there yet, or fills an empty one.
//! - [`replace_folder`] puts a folder in the place of an earlier one.
//!
//! [`read`] and [`read_text`] read what other programs may have written, [`UniqueKeys`] an object of JSON; [`contained`] keeps panics of other people's
//! readers from ending the program.
//!
//! They act through [`Files`], so that a test can stop between any two operations; [`Disk`] is the real file system.
//! Temporary names begin with a dot, end with `.writing` and differ between processes and calls. On Unix what a killed
//! process left behind is removed by the next one that writes to the same place.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("figures.json");
//! irtune_files::replace_json(&irtune_files::Disk, &path, &[0.5, 0.25])?;
//! assert_eq!(std::fs::read_to_string(&path)?, "[\n  0.5,\n  0.25\n]\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod contained;
mod create_folder;
mod error;
mod files;
mod fill_folder;
mod folder_lock;
mod read;
mod replace_file;
mod replace_folder;
mod shell;
mod temporary;
mod unique_keys;

pub use contained::{Panicked, contained, is_contained};
pub use create_folder::create_folder;
pub use error::{WriteError, hint};
pub use files::{Content, Disk, Files, write_file};
pub use fill_folder::is_free;
pub use folder_lock::{FolderInUse, FolderLock};
pub use read::{check_fetched, read, read_text};
pub use replace_file::{json, replace_file, replace_json};
pub use replace_folder::{ReplaceError, recover_folder, replace_folder};
pub use shell::shell_path;
pub use unique_keys::UniqueKeys;
