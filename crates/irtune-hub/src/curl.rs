//! Files and requests over HTTP, by the user's own `curl`.
//!
//! A TLS stack linked into this program would be most of its dependencies and need a C compiler for its
//! cryptography; `curl` comes with Windows, macOS and nearly every Linux, and already knows the user's
//! proxy and certificates.

use std::{
    fs,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::NamedTempFile;

use crate::{Body, FetchError, Reply, Request, Verb};

const CONNECT_SECONDS: &str = "6";
/// A transfer that stays below a kilobyte a second for this long is given up.
const STALL_SECONDS: &str = "60";
/// A request whose answer does not come for this long is given up: the hub may take its time over what it was sent.
const ANSWER_SECONDS: &str = "300";

/// curl's exit code for a status of 400 and above.
const STATUS: i32 = 22;
/// curl's exit code where the server sends a file from its beginning though a later part was asked for.
const NO_RANGES: i32 = 33;
/// curl's exit codes of connections that could not be made or broke: another attempt may do better.
const BROKEN: &[i32] = &[5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92];

/// Fetches a short text.
pub(crate) fn text(url: &str, token: Option<&str>) -> Result<String, FetchError> {
    let unreadable = |source| FetchError::Unreadable { url: url.to_owned(), source };
    let target = NamedTempFile::new().map_err(unreadable)?;
    let child = curl(url, token, target.path(), &["--fail", "--max-time", "30"])?;
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
    let mut options = vec!["--fail", "--speed-limit", "1000", "--speed-time", STALL_SECONDS];
    if length() > 0 {
        options.extend(["--continue-at", "-"]);
    }
    let mut child = curl(url, token, target, &options)?;
    while matches!(child.try_wait(), Ok(None)) {
        arrived(length());
        std::thread::sleep(Duration::from_millis(100));
    }
    finish(child).map(|_| ())
}

/// Sends a request and gives the answer, whatever its status.
pub(crate) fn send(request: &Request<'_>) -> Result<Reply, FetchError> {
    let unreadable = |source| FetchError::Unreadable { url: request.url.to_owned(), source };
    let answer = NamedTempFile::new().map_err(unreadable)?;
    // Without `Expect`, nobody waits for a server that does not know it.
    let mut options: Vec<String> =
        ["--speed-limit", "1", "--speed-time", ANSWER_SECONDS, "--header", "Expect:"]
            .map(str::to_owned)
            .into();
    for (name, value) in request.headers {
        options.extend(["--header".to_owned(), format!("{name}: {value}")]);
    }
    let (path, _kept) = body(request.body).map_err(unreadable)?;
    match request.verb {
        Verb::Get => {}
        Verb::Post => options.extend(["--data-binary".to_owned(), format!("@{}", path.display())]),
        Verb::Put => options.extend(["--upload-file".to_owned(), path.display().to_string()]),
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let child = curl(request.url, request.token, answer.path(), &options)?;
    let headers = finish(child)?;
    let status = status(&headers)
        .ok_or_else(|| FetchError::Broken { message: format!("{} gave no answer", request.url) })?;
    let text = fs::read(answer.path()).map_err(unreadable)?;
    Ok(Reply { status, headers, text: String::from_utf8_lossy(&text).into_owned() })
}

/// What is sent as a file, which is what lets `curl` say its length beforehand: the file itself where all of it is sent, else
/// a copy that goes when it is dropped.
fn body(body: Body<'_>) -> io::Result<(PathBuf, Option<NamedTempFile>)> {
    let mut copy = NamedTempFile::new()?;
    match body {
        Body::Stretch { path, from: 0, length } if fs::metadata(path)?.len() == length => {
            return Ok((path.to_owned(), None));
        }
        Body::Bytes(bytes) => copy.write_all(bytes)?,
        Body::Stretch { path, from, length } => {
            let mut file = fs::File::open(path)?;
            file.seek(SeekFrom::Start(from))?;
            io::copy(&mut file.take(length), &mut copy)?;
        }
    }
    Ok((copy.path().to_owned(), Some(copy)))
}

/// The token goes in by standard input: arguments are visible to every user of the machine. curl gives it to no other
/// host that it is sent on to. The answer's headers go to standard output.
fn curl(url: &str, token: Option<&str>, target: &Path, more: &[&str]) -> Result<Child, FetchError> {
    let mut child = Command::new("curl")
        .args(["--silent", "--show-error", "--location", "--connect-timeout", CONNECT_SECONDS])
        // An address that a server names leads to servers alone, and means what it says.
        .args(["--proto", "=http,https", "--globoff"])
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

/// Waits for the end; gives the headers of the answer.
fn finish(mut child: Child) -> Result<String, FetchError> {
    let start = |source| FetchError::Start { program: "curl", source };
    let mut headers = Vec::new();
    if let Some(mut out) = child.stdout.take() {
        out.read_to_end(&mut headers).map_err(start)?;
    }
    let output = child.wait_with_output().map_err(start)?;
    let headers = String::from_utf8_lossy(&headers).into_owned();
    if output.status.success() {
        return Ok(headers);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = match said.trim() {
        "" => format!("curl ended with {}", output.status),
        said => said.to_owned(),
    };
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

/// A header of the last answer.
pub(crate) fn header(headers: &str, name: &str) -> Option<String> {
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
