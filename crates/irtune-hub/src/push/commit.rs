//! The commit: what the hub wants to know beforehand, and what it is given.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    PushFile, PushRequest,
    error::PushError,
    hub::{Attempts, Hub, attempted},
    large::{self, LargeFile},
    repository::{head, quoted},
};
use crate::{Body, Observer, Request, Verb};

const ASKING: &str = "the hub could not be asked about the files";
const COMMITTING: &str = "the files could not be committed";
/// What the hub wants to see of a file, in order to tell text from bytes.
const SAMPLE_BYTES: u64 = 512;

/// What became of the files.
pub(super) struct Committed {
    pub(super) commit: String,
    pub(super) sent: Vec<String>,
    pub(super) unchanged: Vec<String>,
    pub(super) ignored: Vec<String>,
}

/// How the hub takes a file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mode {
    path: String,
    upload_mode: UploadMode,
    #[serde(default)]
    should_ignore: bool,
    /// The hash of the file that is there.
    oid: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UploadMode {
    Regular,
    Lfs,
}

#[derive(Debug, Deserialize)]
struct Modes {
    files: Vec<Mode>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    commit_oid: String,
}

/// What is to be done with files.
#[derive(Default)]
struct Sorted<'a> {
    changes: Vec<Change<'a>>,
    /// Names of those that the hub has.
    unchanged: Vec<String>,
    /// Names of those that it leaves out.
    ignored: Vec<String>,
}

/// A file that is to be part of the commit.
enum Change<'a> {
    Regular(&'a PushFile),
    Large(LargeFile<'a>),
}

/// Commits what the hub doesn't have yet.
///
/// Whether a commit whose answer was lost has arrived is seen by asking again what the hub has.
pub(super) fn commit(
    hub: &Hub<'_>,
    request: &PushRequest<'_>,
    observer: &mut dyn Observer,
) -> Result<Committed, PushError> {
    let (mut attempts, mut sent) = (Attempts::default(), Vec::new());
    loop {
        let Sorted { changes, unchanged, ignored } = sorted(hub, request)?;
        if changes.is_empty() {
            let unchanged = unchanged.into_iter().filter(|name| !sent.contains(name)).collect();
            return Ok(Committed { commit: head(hub, request.revision)?, sent, unchanged, ignored });
        }
        sent = changes.iter().map(|change| change.file().name.clone()).collect();
        let large = changes.iter().filter_map(|change| match change {
            Change::Large(large) => Some(large),
            Change::Regular(_) => None,
        });
        large::send(hub, request.revision, &large.collect::<Vec<_>>(), observer)?;
        let body = payload(request.message, &changes)?;
        let posted = Request {
            verb: Verb::Post,
            url: &hub.api(&format!("/commit/{}", quoted(request.revision))),
            token: Some(hub.token),
            headers: &[("Content-Type", "application/x-ndjson")],
            body: Body::Bytes(&body),
        };
        match attempted(hub.upload.send(&posted))? {
            Ok(reply) => {
                let answer: Answer = hub.read(COMMITTING, reply)?;
                return Ok(Committed { commit: answer.commit_oid, sent, unchanged, ignored });
            }
            Err(message) => attempts.failed(hub, COMMITTING, message)?,
        }
    }
}

/// What is to be done with each file.
fn sorted<'a>(hub: &Hub<'_>, request: &PushRequest<'a>) -> Result<Sorted<'a>, PushError> {
    let modes = modes(hub, request)?;
    let mut found = Sorted::default();
    for file in request.files {
        let mode = modes.files.iter().find(|mode| mode.path == file.name).ok_or_else(|| {
            PushError::Answer { what: ASKING, problem: format!("it says nothing of {}", file.name) }
        })?;
        // No storage of large files takes an empty one.
        let regular = mode.upload_mode == UploadMode::Regular || file.length()? == 0;
        let hash = if regular { file.git_blob() } else { file.sha256() }?;
        if mode.should_ignore {
            found.ignored.push(file.name.clone());
        } else if mode.oid.as_deref() == Some(hash.as_str()) {
            found.unchanged.push(file.name.clone());
        } else if regular {
            found.changes.push(Change::Regular(file));
        } else {
            found.changes.push(Change::Large(LargeFile { file, sha256: hash, length: file.length()? }));
        }
    }
    Ok(found)
}

fn modes(hub: &Hub<'_>, request: &PushRequest<'_>) -> Result<Modes, PushError> {
    let files: Result<Vec<Value>, PushError> = request
        .files
        .iter()
        .map(|file| {
            let sample = STANDARD.encode(file.beginning(SAMPLE_BYTES)?);
            Ok(json!({"path": file.name, "sample": sample, "size": file.length()?}))
        })
        .collect();
    let url = hub.api(&format!("/preupload/{}", quoted(request.revision)));
    hub.read(ASKING, hub.post(ASKING, &url, &json!({"files": files?}))?)
}

/// A line for what the commit is called, and one for each file.
fn payload(message: &str, changes: &[Change<'_>]) -> Result<Vec<u8>, PushError> {
    let mut lines =
        format!("{}\n", json!({"key": "header", "value": {"summary": message, "description": ""}}));
    for change in changes {
        let line = match change {
            Change::Regular(file) => {
                let content = STANDARD.encode(file.beginning(u64::MAX)?);
                json!({"key": "file", "value": {"content": content, "path": file.name, "encoding": "base64"}})
            }
            Change::Large(LargeFile { file, sha256, length }) => json!({
                "key": "lfsFile",
                "value": {"path": file.name, "algo": "sha256", "oid": sha256, "size": length},
            }),
        };
        lines += &format!("{line}\n");
    }
    Ok(lines.into_bytes())
}

impl<'a> Change<'a> {
    fn file(&self) -> &'a PushFile {
        match self {
            Self::Regular(file) => file,
            Self::Large(large) => large.file,
        }
    }
}
