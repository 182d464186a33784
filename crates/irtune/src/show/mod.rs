//! What a person sees: numbers, strips, sparklines, tables, progress and the heat map.

pub mod bytes_bar;
pub mod count;
pub mod folds;
pub mod heat;
pub mod heat_svg;
pub mod layer_ranges;
pub mod numbers;
pub mod progress;
pub mod report;
pub mod spark;
pub mod strip;
pub mod text_table;

use std::io::Write as _;
use std::path::Path;

use crate::failure::Failure;

/// Writes a file beside its place, then moves it there.
///
/// # Errors
/// When it can't be written.
pub fn write_beside(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let told = |error: std::io::Error| {
        anyhow::Error::new(error).context(format!("{} cannot be written", path.display()))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}-");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    // Reports are for others too: what the user's mask allows, where temporary files are the user's alone.
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut beside = builder.tempfile_in(folder).map_err(told)?;
    beside.write_all(bytes).map_err(told)?;
    beside.as_file().sync_all().map_err(told)?;
    beside.persist(path).map_err(|error| told(error.error))?;
    Ok(())
}
