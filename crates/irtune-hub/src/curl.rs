//! One file over HTTP, by the user's own `curl`.
//!
//! A TLS stack linked into this program would be most of its dependencies and need a C compiler for its
//! cryptography; `curl` comes with Windows, macOS and nearly every Linux, and already knows the user's
//! proxy and certificates.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::FetchError;

const CONNECT_SECONDS: &str = "6";
/// A transfer that stays below a kilobyte a second for this long is given up.
const STALL_SECONDS: &str = "60";

/// curl's exit code for a status of 400 and above.
const STATUS: i32 = 22;
/// curl's exit code where the server sends a file from its beginning though a later part was asked for.
const NO_RANGES: i32 = 33;
/// curl's exit codes of connections that could not be made or broke: another attempt may do better.
const BROKEN: &[i32] = &[5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92];

/// Fetches a short text.
pub(crate) fn text(url: &str, token: Option<&str>) -> Result<String, FetchError> {
    let unreadable = |source| FetchError::Unreadable { url: url.to_owned(), source };
    let target = tempfile::NamedTempFile::new().map_err(unreadable)?;
    let child = curl(url, token, target.path(), &["--max-time", "30"])?;
    finish(child)?;
    fs::read_to_string(target.path()).map_err(unreadable)
}

/// Appends to `target` what it lacks of a file, and tells now and then how many bytes there are.
pub(crate) fn file(
    url: &str,
    token: Option<&str>,
    target: &Path,
    arrived: &mut dyn FnMut(u64),
) -> Result<(), FetchError> {
    let length = || fs::metadata(target).map_or(0, |found| found.len());
    let mut options = vec!["--speed-limit", "1000", "--speed-time", STALL_SECONDS];
    if length() > 0 {
        options.extend(["--continue-at", "-"]);
    }
    let mut child = curl(url, token, target, &options)?;
    while matches!(child.try_wait(), Ok(None)) {
        arrived(length());
        std::thread::sleep(Duration::from_millis(100));
    }
    finish(child)
}

/// The token goes in by standard input: arguments are visible to every user of the machine. curl gives it to no other
/// host that it is sent on to. The answer's headers go to standard output.
fn curl(url: &str, token: Option<&str>, target: &Path, more: &[&str]) -> Result<Child, FetchError> {
    let mut child = Command::new("curl")
        .args(["--fail", "--silent", "--show-error", "--location", "--connect-timeout", CONNECT_SECONDS])
        .args(more)
        .args(["--dump-header", "-", "--output"])
        .arg(target)
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

fn finish(mut child: Child) -> Result<(), FetchError> {
    let start = |source| FetchError::Start { program: "curl", source };
    let mut headers = Vec::new();
    if let Some(mut out) = child.stdout.take() {
        out.read_to_end(&mut headers).map_err(start)?;
    }
    let output = child.wait_with_output().map_err(start)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = match said.trim() {
        "" => format!("curl ended with {}", output.status),
        said => said.to_owned(),
    };
    let headers = String::from_utf8_lossy(&headers);
    Err(match (output.status.code(), status(&headers)) {
        (Some(STATUS), Some(status)) => FetchError::Status {
            status,
            code: header(&headers, "x-error-code"),
            message: header(&headers, "x-error-message"),
        },
        (Some(NO_RANGES), _) => FetchError::NoRanges,
        (Some(code), _) if BROKEN.contains(&code) => FetchError::Broken { message },
        _ => FetchError::Refused { message },
    })
}

/// The status of the last answer: those before it only say where to go.
fn status(headers: &str) -> Option<u16> {
    let line = headers.lines().rfind(|line| line.starts_with("HTTP/"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn header(headers: &str, name: &str) -> Option<String> {
    let mut lines = headers.lines().rev().take_while(|line| !line.starts_with("HTTP/"));
    lines.find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_connection_is_told() {
        // Port 1 on loopback: nothing listens there.
        let error = text("http://127.0.0.1:1/x", None).unwrap_err();
        assert!(matches!(error, FetchError::Broken { .. } | FetchError::Start { .. }), "{error}");
    }

    #[test]
    fn the_last_answer_counts() {
        let headers = "HTTP/1.1 302 Found\r\nX-Error-Code: Moved\r\n\r\nHTTP/2 404 \r\nX-Error-Message: not: there\r\n\r\n";
        assert_eq!(status(headers), Some(404));
        assert_eq!(header(headers, "x-error-message").as_deref(), Some("not: there"));
        assert_eq!(header(headers, "x-error-code"), None);
    }
}
