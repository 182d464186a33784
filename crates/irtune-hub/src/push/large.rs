//! Large files, which lie beside git.
//!
//! # Source
//! Git LFS's [batch API](https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md), with the hub's own transfer in
//! parts as `huggingface_hub/lfs.py` reads it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{PushFile, error::PushError, hub::Hub};
use crate::{Body, Event, Observer, Reply, Request, Verb};

const ASKING: &str = "the hub could not be asked where large files go";
const SENDING: &str = "a large file could not be sent";
const LFS: &[(&str, &str)] =
    &[("Accept", "application/vnd.git-lfs+json"), ("Content-Type", "application/vnd.git-lfs+json")];

/// A large file that is to be part of the commit.
pub(super) struct LargeFile<'a> {
    pub(super) file: &'a PushFile,
    pub(super) sha256: String,
    pub(super) length: u64,
}

#[derive(Debug, Deserialize)]
struct Batch {
    objects: Vec<Object>,
}

/// What becomes of one file.
#[derive(Debug, Deserialize)]
struct Object {
    oid: String,
    /// Nothing of a file that is there.
    actions: Option<Actions>,
    error: Option<Problem>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    message: String,
}

#[derive(Debug, Deserialize)]
struct Actions {
    upload: Option<Action>,
    verify: Option<Action>,
}

/// A request that is to be made.
#[derive(Debug, Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: Option<BTreeMap<String, Value>>,
}

/// Sends the large files that the hub doesn't have.
pub(super) fn send(
    hub: &Hub<'_>,
    revision: &str,
    files: &[&LargeFile<'_>],
    observer: &mut dyn Observer,
) -> Result<(), PushError> {
    if files.is_empty() {
        return Ok(());
    }
    let objects: Vec<Value> =
        files.iter().map(|large| json!({"oid": large.sha256, "size": large.length})).collect();
    let asked = json!({
        "operation": "upload", "transfers": ["basic", "multipart"], "objects": objects, "hash_algo": "sha256",
        "ref": {"name": revision},
    });
    let url = format!("{}/{}.git/info/lfs/objects/batch", hub.endpoint, hub.name);
    let reply = post(hub, ASKING, &url, &asked)?;
    let batch: Batch = hub.read(ASKING, reply)?;
    for large in files {
        let unknown = || answer(ASKING, format!("it says nothing of {}", large.file.name));
        let object = batch.objects.iter().find(|object| object.oid == large.sha256).ok_or_else(unknown)?;
        if let Some(Problem { message }) = &object.error {
            let said = format!("{}: {message}", large.file.name);
            return Err(PushError::Refused { what: SENDING, said });
        }
        let Some(Actions { upload: Some(upload), verify }) = &object.actions else { continue };
        let sent = large.send(hub, upload, observer);
        observer.event(Event::TransferEnded);
        sent?;
        if let Some(verify) = verify {
            let (url, known) = (hub.own(&verify.href), json!({"oid": large.sha256, "size": large.length}));
            hub.accepted(SENDING, hub.post(SENDING, &url, &known)?)?;
        }
    }
    Ok(())
}

/// Posts what is said about large files; the token goes to the hub alone.
fn post(hub: &Hub<'_>, what: &'static str, url: &str, body: &Value) -> Result<Reply, PushError> {
    let (body, token) = (body.to_string(), hub.token_for(url));
    let body = Body::Bytes(body.as_bytes());
    hub.send(what, &Request { verb: Verb::Post, url, token, headers: LFS, body })
}

fn answer(what: &'static str, problem: String) -> PushError {
    PushError::Answer { what, problem }
}

impl LargeFile<'_> {
    /// Sends the file where it is to go, at once or in parts.
    fn send(&self, hub: &Hub<'_>, to: &Action, observer: &mut dyn Observer) -> Result<(), PushError> {
        let headers = to.header.iter().flatten();
        let Some(bytes) = headers.clone().find(|(name, _)| *name == "chunk_size") else {
            let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let text = headers
                .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
                .filter(|(name, value)| plain(name) && !value.contains(['\r', '\n']));
            self.told(observer, 0);
            self.put(hub, &hub.own(&to.href), &text.collect::<Vec<_>>(), self.file.stretch(0, self.length))?;
            self.told(observer, self.length);
            return Ok(());
        };
        let wrong = || answer(SENDING, "its parts are not those of the file".to_owned());
        let bytes = number(bytes.1).filter(|&bytes| bytes > 0).ok_or_else(wrong)?;
        let mut parts: Vec<(u64, &str)> =
            headers.filter_map(|(name, url)| Some((name.parse().ok()?, url.as_str()?))).collect();
        parts.sort_unstable();
        if parts.len() as u64 != self.length.div_ceil(bytes) {
            return Err(wrong());
        }
        let mut done = Vec::with_capacity(parts.len());
        for (from, (part, url)) in (0..).step_by(bytes as usize).zip(parts) {
            self.told(observer, from);
            let length = bytes.min(self.length - from);
            let reply = self.put(hub, url, &[], self.file.stretch(from, length))?;
            let etag = reply.header("etag").filter(|etag| !etag.is_empty());
            let etag = etag.ok_or_else(|| answer(SENDING, format!("part {part} has no ETag")))?;
            done.push(json!({"partNumber": part, "etag": etag}));
        }
        self.told(observer, self.length);
        let finished = json!({"oid": self.sha256, "parts": done});
        hub.accepted(SENDING, post(hub, SENDING, &hub.own(&to.href), &finished)?).map(|_| ())
    }

    fn told(&self, observer: &mut dyn Observer, done: u64) {
        observer.event(Event::Sending { file: &self.file.name, done, total: self.length });
    }

    /// Puts bytes at an address that lets whoever has it write: the token is not for it.
    fn put(
        &self,
        hub: &Hub<'_>,
        url: &str,
        headers: &[(&str, &str)],
        body: Body<'_>,
    ) -> Result<Reply, PushError> {
        let reply = hub.send(SENDING, &Request { verb: Verb::Put, url, token: None, headers, body })?;
        match reply.status {
            // What stores files knows no token, so that is not what it misses.
            401 | 403 => Err(PushError::Refused {
                what: SENDING,
                said: format!("{}: the storage answered with HTTP status {}", self.file.name, reply.status),
            }),
            _ => hub.accepted(SENDING, reply),
        }
    }
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
