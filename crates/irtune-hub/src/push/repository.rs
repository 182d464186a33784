//! The repository and the branch that files are put into, made where they are not there.

use serde::Deserialize;
use serde_json::json;

use super::{error::PushError, hub::Hub};

const MAKING: &str = "the repository could not be made";
const LOOKING: &str = "the repository could not be looked at";
const BRANCHING: &str = "the branch could not be made";

/// What the hub says of a repository at a revision.
#[derive(Debug, Deserialize)]
struct Known {
    #[serde(default)]
    private: bool,
    #[serde(default)]
    sha: String,
}

/// Makes the repository, or finds it; true when it was made. A private one is private afterwards.
pub(super) fn make(hub: &Hub<'_>, private: bool) -> Result<bool, PushError> {
    let mut body = json!({"name": hub.name.name, "organization": hub.name.organisation});
    if private {
        body["visibility"] = "private".into();
    }
    let reply = hub.post(MAKING, &format!("{}/api/repos/create", hub.endpoint), &body)?;
    let created = match reply.status {
        409 => false,
        // A token that may write to a repository need not be one that may make it.
        401..=403 if hub.get(LOOKING, &hub.api(""))?.status == 200 => false,
        _ => {
            hub.accepted(MAKING, reply)?;
            true
        }
    };
    if private {
        let known: Known = hub.read(LOOKING, hub.get(LOOKING, &hub.api(""))?)?;
        if !known.private {
            let (name, endpoint) = (Box::new(hub.name.clone()), hub.endpoint.to_owned());
            return Err(PushError::Public { name, endpoint });
        }
    }
    Ok(created)
}

/// Makes a branch, unless it is there.
pub(super) fn make_branch(hub: &Hub<'_>, branch: &str) -> Result<(), PushError> {
    let url = hub.api(&format!("/branch/{}", quoted(branch)));
    let reply = hub.post(BRANCHING, &url, &json!({}))?;
    if reply.status == 409 {
        return Ok(());
    }
    hub.accepted(BRANCHING, reply).map(|_| ())
}

/// The commit that a branch is at.
pub(super) fn head(hub: &Hub<'_>, branch: &str) -> Result<String, PushError> {
    let reply = hub.get(LOOKING, &hub.api(&format!("/revision/{}", quoted(branch))))?;
    Ok(hub.read::<Known>(LOOKING, reply)?.sha)
}

/// A revision as a part of an address: its other characters are plain.
pub(super) fn quoted(revision: &str) -> String {
    revision.replace('/', "%2F")
}
