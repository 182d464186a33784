//! Writing results.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Writes a file beside its place and renames it; its folder is made when it isn't there.
///
/// # Errors
/// When it can't be written.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let named = || path.display().to_string();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(named)?;
    }
    let partial = path.with_extension("partial");
    fs::write(&partial, text).with_context(named)?;
    fs::rename(&partial, path).with_context(named)
}
