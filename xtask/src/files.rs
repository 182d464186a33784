//! Writing results.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Writes a file whole or not at all; its folder is made when it isn't there.
///
/// # Errors
/// When it can't be written.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    Ok(irtune_files::replace_file(&irtune_files::Disk, path, &mut |writer| {
        writer.write_all(text.as_bytes())
    })?)
}
