//! Files as they were in git, by the user's own git.

use std::path::Path;
use std::process::Command;

/// What a file held at a revision.
///
/// # Errors
/// When there is no git, no such revision or no such file in it, in git's own words.
pub fn show(revision: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        // A revision is no option, whatever it begins with.
        .args(["show", "--no-textconv", "--end-of-options", &format!("{revision}:./{name}")])
        .output();
    let output = output.map_err(|error| anyhow::Error::new(error).context("git cannot be started"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::bail!("git has no {} at {revision}: {}", path.display(), said.trim())
}
