//! One file over HTTP, by the user's own `curl`.
//!
//! A TLS stack linked into this program would be most of its dependencies and need a C compiler for its
//! cryptography; `curl` comes with Windows, macOS and nearly every Linux, and already knows the user's
//! proxy and certificates.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::FetchError;

const CONNECT_SECONDS: &str = "6";
/// A transfer that stays below a kilobyte a second for this long is given up.
const STALL_SECONDS: &str = "60";

/// Fetches a short text.
pub(crate) fn text(url: &str, token: Option<&str>) -> Result<String, FetchError> {
    let mut child = curl(url, token, &["--max-time", "30"])?;
    let mut body = String::new();
    let read = child.stdout.take().map(|mut out| out.read_to_string(&mut body));
    finish(child)?;
    match read {
        Some(Err(source)) => Err(FetchError::Unreadable { url: url.to_owned(), source }),
        _ => Ok(body),
    }
}

/// Fetches a file to `target`, and tells now and then how many bytes have arrived.
pub(crate) fn file(
    url: &str,
    token: Option<&str>,
    target: &Path,
    arrived: &mut dyn FnMut(u64),
) -> Result<(), FetchError> {
    let output = target.to_string_lossy();
    let mut child =
        curl(url, token, &["--speed-limit", "1000", "--speed-time", STALL_SECONDS, "--output", &output])?;
    while matches!(child.try_wait(), Ok(None)) {
        arrived(std::fs::metadata(target).map_or(0, |found| found.len()));
        std::thread::sleep(Duration::from_millis(100));
    }
    finish(child)
}

/// The token goes in by standard input: arguments are visible to every user of the machine.
fn curl(url: &str, token: Option<&str>, more: &[&str]) -> Result<Child, FetchError> {
    let mut child = Command::new("curl")
        .args(["--fail", "--silent", "--show-error", "--location", "--connect-timeout", CONNECT_SECONDS])
        .args(more)
        .args(["--config", "-", "--", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| FetchError::Start { program: "curl", source })?;
    if let (Some(mut input), Some(token)) = (child.stdin.take(), token) {
        // A child that is gone already says why when it is waited for.
        let _ =
            writeln!(input, "header = \"Authorization: Bearer {}\"", token.replace(['"', '\\', '\n'], ""));
    }
    Ok(child)
}

fn finish(child: Child) -> Result<(), FetchError> {
    let output = child.wait_with_output().map_err(|source| FetchError::Start { program: "curl", source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = match said.trim() {
        "" => format!("curl ended with {}", output.status),
        said => said.to_owned(),
    };
    Err(FetchError::Refused { message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_connection_is_told() {
        // Port 1 on loopback: nothing listens there.
        let error = text("http://127.0.0.1:1/x", None).unwrap_err();
        assert!(matches!(error, FetchError::Refused { .. } | FetchError::Start { .. }), "{error}");
    }
}
