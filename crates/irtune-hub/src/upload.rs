//! What is sent from this machine, behind a trait so that tests need no network.

use std::path::Path;

use crate::FetchError;

/// Sends what is on this machine.
pub trait Upload {
    /// Sends a request and gives the answer, whatever its status.
    ///
    /// # Errors
    /// When it can't be sent, or no answer comes.
    fn send(&self, request: &Request<'_>) -> Result<Reply, FetchError>;

    /// Waits before a request that brought nothing is sent again.
    fn pause(&self);
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// To be told something.
    Get,
    /// To do something.
    Post,
    /// To keep bytes at an address.
    Put,
}

/// A request over HTTP.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What it asks for.
    pub verb: Verb,
    /// The address.
    pub url: &'a str,
    /// The access token, for the hub alone.
    pub token: Option<&'a str>,
    /// Further headers, name and value.
    pub headers: &'a [(&'a str, &'a str)],
    /// What is sent; nothing of a [`Verb::Get`].
    pub body: Body<'a>,
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// Bytes in memory.
    Bytes(&'a [u8]),
    /// A stretch of a file.
    Stretch {
        /// The file.
        path: &'a Path,
        /// Its first byte.
        from: u64,
        /// Bytes of it.
        length: u64,
    },
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// HTTP's number of how it went.
    pub status: u16,
    /// Its headers, as they came.
    pub headers: String,
    /// Its text.
    pub text: String,
}

impl Reply {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        crate::curl::header(&self.headers, name)
    }
}
