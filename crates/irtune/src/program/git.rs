//! Files as they were in git, by the user's own git.

use std::path::Path;
use std::process::Command;

/// What a file held at a revision.
///
/// # Errors
/// When there is no git, no such revision or no such file in it, in git's own words.
pub fn show(revision: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    // A folder that was deleted since is named from one that is there.
    let is_there = |folder: &&Path| folder.is_dir();
    let folder = path.ancestors().skip(1).find(is_there).unwrap_or(Path::new("."));
    let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
    // `blob` takes no folder, whose list of names `show` would give. A revision is no option, whatever it begins with.
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["cat-file", "--end-of-options", "blob", &format!("{revision}:./{name}")])
        .output();
    let output = output.map_err(|error| anyhow::Error::new(error).context("git cannot be started"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::bail!("git has no file {} at {revision}: {}", path.display(), said.trim())
}
