//! One file over HTTP, by the user's own `curl`.
//!
//! A TLS stack linked into this binary would be most of its dependencies and need a C compiler for its
//! cryptography; `curl` comes with Windows, macOS and nearly every Linux, and already knows the user's
//! proxy and certificates.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

const CONNECT_SECONDS: &str = "6";
/// A transfer that stays below a kilobyte a second for this long is given up.
const STALL_SECONDS: &str = "60";

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// `curl` could not be started.
    #[error("`curl` could not be started ({source})")]
    NoCurl {
        /// What the system said.
        source: io::Error,
    },
    /// `curl` reported a failure.
    #[error("{message}")]
    Refused {
        /// `curl`'s own words.
        message: String,
    },
    /// The file is not the one announced.
    #[error("{file} arrived damaged (SHA-256 {found}, expected {expected})")]
    Damaged {
        /// The file's name.
        file: String,
        /// The checksum it should have.
        expected: String,
        /// The checksum it has.
        found: String,
    },
    /// The disk could not be read or written.
    #[error("{file}: {source}")]
    Disk {
        /// The file concerned.
        file: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Fetches a short text.
pub fn text(url: &str, token: Option<&str>) -> Result<String, DownloadError> {
    let mut child = curl(url, token, &["--max-time", "30"])?;
    let mut body = String::new();
    let read = child.stdout.take().map(|mut out| out.read_to_string(&mut body));
    finish(child)?;
    match read {
        Some(Err(source)) => Err(DownloadError::Disk { file: url.to_owned(), source }),
        _ => Ok(body),
    }
}

/// Fetches a file to `target`, with a progress bar on a terminal.
pub fn file(url: &str, token: Option<&str>, target: &Path, bytes: Option<u64>) -> Result<(), DownloadError> {
    let output = target.to_string_lossy();
    let mut child =
        curl(url, token, &["--speed-limit", "1000", "--speed-time", STALL_SECONDS, "--output", &output])?;
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bar = ProgressBar::new(bytes.unwrap_or(0)).with_message(name);
    if let Ok(style) = ProgressStyle::with_template("  {msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    while matches!(child.try_wait(), Ok(None)) {
        bar.set_position(std::fs::metadata(target).map_or(0, |found| found.len()));
        std::thread::sleep(Duration::from_millis(100));
    }
    bar.finish_and_clear();
    finish(child)
}

/// The token goes in by standard input: arguments are visible to every user of the machine.
fn curl(url: &str, token: Option<&str>, more: &[&str]) -> Result<Child, DownloadError> {
    let mut child = Command::new("curl")
        .args(["--fail", "--silent", "--show-error", "--location", "--connect-timeout", CONNECT_SECONDS])
        .args(more)
        .args(["--config", "-", "--", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| DownloadError::NoCurl { source })?;
    if let (Some(mut input), Some(token)) = (child.stdin.take(), token) {
        // A child that is gone already says why when it is waited for.
        let _ =
            writeln!(input, "header = \"Authorization: Bearer {}\"", token.replace(['"', '\\', '\n'], ""));
    }
    Ok(child)
}

fn finish(child: Child) -> Result<(), DownloadError> {
    let output = child.wait_with_output().map_err(|source| DownloadError::NoCurl { source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = match said.trim() {
        "" => format!("curl ended with {}", output.status),
        said => said.to_owned(),
    };
    Err(DownloadError::Refused { message })
}

/// Compares a file's SHA-256 with the expected one.
pub fn verify(path: &Path, expected: &str) -> Result<(), DownloadError> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = sha256(path).map_err(|source| DownloadError::Disk { file: name(), source })?;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(DownloadError::Damaged { file: name(), expected: expected.to_owned(), found })
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_tells_a_changed_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        std::fs::write(&path, b"abc").unwrap();
        // FIPS 180-2's first example.
        verify(&path, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").unwrap();
        std::fs::write(&path, b"abd").unwrap();
        let error =
            verify(&path, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").unwrap_err();
        assert!(matches!(error, DownloadError::Damaged { .. }), "{error}");
        let error = verify(&folder.path().join("nothing"), "00").unwrap_err();
        assert!(matches!(error, DownloadError::Disk { .. }), "{error}");
    }

    #[test]
    fn refused_connection_is_told() {
        // Port 1 on loopback: nothing listens there.
        let error = text("http://127.0.0.1:1/x", None).unwrap_err();
        assert!(matches!(error, DownloadError::Refused { .. } | DownloadError::NoCurl { .. }), "{error}");
    }
}
