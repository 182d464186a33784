//! A Python package, unpacked by the user's own installer.

use std::{io, path::Path, process::Command};

use crate::{FetchError, Package};

/// The installers to try, in order, up to the word that asks for an installation.
pub(crate) const INSTALLERS: &[&[&str]] =
    &[&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip3"], &["pip"], &["uv", "pip"]];

/// `install --target` unpacks a wheel into a folder: it touches no Python environment (so a
/// distribution's guard against that does not apply), and `--only-binary` runs none of its code.
pub(crate) fn install(
    package: &Package,
    installer: &[&'static str],
    folder: &Path,
) -> Result<(), FetchError> {
    let Some((&program, arguments)) = installer.split_first() else {
        return Err(FetchError::NoProgram { program: "" });
    };
    let mut command = Command::new(program);
    command.args(arguments).args(["install", "--no-deps", "--only-binary", ":all:"]);
    if program != "uv" {
        command.args(["--no-compile", "--no-input", "--disable-pip-version-check", "--quiet"]);
    }
    command.arg("--target").arg(folder).arg(format!("{}=={}", package.name, package.version));
    let output = command.output().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => FetchError::NoProgram { program },
        _ => FetchError::Start { program, source },
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    let message = last.map_or_else(|| format!("ended with {}", output.status), |line| line.trim().to_owned());
    Err(FetchError::Refused { message })
}
