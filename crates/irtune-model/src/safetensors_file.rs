//! Writing a file of tensors.

use std::{fs, fs::File, path::Path};

/// Writes a file of tensors through to the disk, readable by whom other new files are; the crate itself makes files for
/// their owner alone.
pub(crate) fn write_tensors<S, V>(
    tensors: impl IntoIterator<Item = (S, V)>,
    path: &Path,
) -> Result<(), safetensors::SafeTensorError>
where
    S: AsRef<str> + Ord + std::fmt::Display,
    V: safetensors::View,
{
    let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let permissions = File::create(path)?.metadata()?.permissions();
    safetensors::serialize_to_file(tensors, Some(metadata), path)?;
    fs::set_permissions(path, permissions)?;
    Ok(File::open(path)?.sync_all()?)
}
