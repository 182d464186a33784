//! The hub as it is written to: requests of JSON, sent again where the connection breaks.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Body, ENDPOINT, FetchError, HubName, Reply, Request, Upload, Verb, push::PushError};

/// Attempts at one request.
const ATTEMPTS: usize = 3;

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

/// A repository on the hub, and what it is written through.
pub(super) struct Hub<'a> {
    pub(super) name: &'a HubName,
    pub(super) endpoint: &'a str,
    pub(super) token: &'a str,
    pub(super) upload: &'a dyn Upload,
}

impl<'a> Hub<'a> {
    /// An address below the repository's own in the API.
    pub(super) fn api(&self, rest: &str) -> String {
        format!("{}/api/models/{}{rest}", self.endpoint, self.name)
    }

    /// Posts JSON; the token goes to the hub alone.
    pub(super) fn post(&self, what: &'static str, url: &str, body: &Value) -> Result<Reply, PushError> {
        let body = body.to_string();
        let request = Request {
            verb: Verb::Post,
            url,
            token: self.token_for(url),
            headers: JSON,
            body: Body::Bytes(body.as_bytes()),
        };
        self.send(what, &request)
    }

    /// Asks the hub for JSON.
    pub(super) fn get(&self, what: &'static str, url: &str) -> Result<Reply, PushError> {
        let request =
            Request { verb: Verb::Get, url, token: Some(self.token), headers: &[], body: Body::Bytes(&[]) };
        self.send(what, &request)
    }

    /// Sends a request, again where the connection breaks or the server has a problem of its own.
    pub(super) fn send(&self, what: &'static str, request: &Request<'_>) -> Result<Reply, PushError> {
        let mut attempts = Attempts::default();
        loop {
            match attempted(self.upload.send(request))? {
                Ok(reply) => return Ok(reply),
                Err(message) => attempts.failed(self, what, message)?,
            }
        }
    }

    /// An answer that says yes; else what the hub's refusal means.
    pub(super) fn accepted(&self, what: &'static str, reply: Reply) -> Result<Reply, PushError> {
        let said = || {
            let named = serde_json::from_str::<Value>(&reply.text).ok();
            let named = named.and_then(|value| value["error"].as_str().map(str::to_owned));
            let message = reply.header("x-error-message").or(named);
            FetchError::Status { status: reply.status, code: None, message }.to_string()
        };
        match reply.status {
            200..=299 => Ok(reply),
            401 | 403 => Err(PushError::NoAccess {
                name: Box::new(self.name.clone()),
                endpoint: self.endpoint.to_owned(),
                said: said(),
            }),
            _ => Err(PushError::Refused { what, said: said() }),
        }
    }

    /// What an answer that says yes holds.
    pub(super) fn read<T: DeserializeOwned>(&self, what: &'static str, reply: Reply) -> Result<T, PushError> {
        let reply = self.accepted(what, reply)?;
        serde_json::from_str(&reply.text)
            .map_err(|error| PushError::Answer { what, problem: error.to_string() })
    }

    /// An address that the hub names of itself, at the mirror that stands for it.
    pub(super) fn own(&self, url: &str) -> String {
        url.strip_prefix(ENDPOINT)
            .filter(|rest| rest.starts_with('/'))
            .map_or_else(|| url.to_owned(), |rest| format!("{}{rest}", self.endpoint))
    }

    /// The token, where an address is the hub's.
    pub(super) fn token_for(&self, url: &str) -> Option<&'a str> {
        url.strip_prefix(self.endpoint).is_some_and(|rest| rest.starts_with('/')).then_some(self.token)
    }
}

/// An answer, or what is said of an attempt that another one may do better than.
pub(super) fn attempted(sent: Result<Reply, FetchError>) -> Result<Result<Reply, String>, PushError> {
    match sent {
        Ok(reply) if matches!(reply.status, 429 | 500..=599) => {
            Ok(Err(FetchError::Status { status: reply.status, code: None, message: None }.to_string()))
        }
        Ok(reply) => Ok(Ok(reply)),
        Err(FetchError::Broken { message }) => Ok(Err(message)),
        Err(error) => Err(error.into()),
    }
}

/// Counts attempts.
#[derive(Default)]
pub(super) struct Attempts(usize);

impl Attempts {
    /// Waits for the next attempt; an error where there have been enough.
    pub(super) fn failed(
        &mut self,
        hub: &Hub<'_>,
        what: &'static str,
        message: String,
    ) -> Result<(), PushError> {
        self.0 += 1;
        if self.0 == ATTEMPTS {
            return Err(PushError::Broken { what, attempts: ATTEMPTS, message });
        }
        hub.upload.pause();
        Ok(())
    }
}
