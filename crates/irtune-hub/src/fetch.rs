//! What is fetched onto this machine, behind a trait so that tests need no network.

use std::{io, path::Path, time::Duration};

use crate::{Package, Reply, Request, Upload, curl, pip};

/// Gets what is not on this machine.
pub trait Fetch {
    /// A short text.
    ///
    /// # Errors
    /// When it can't be had.
    fn text(&self, url: &str, token: Option<&str>) -> Result<String, FetchError>;

    /// A file, of which `target` may already hold the beginning: what is missing is appended. `arrived` is told from time
    /// to time how many bytes there are.
    ///
    /// # Errors
    /// When it can't be had or written; `target` may then be there in part.
    fn file(
        &self,
        url: &str,
        token: Option<&str>,
        target: &Path,
        arrived: &mut dyn FnMut(u64),
    ) -> Result<(), FetchError>;

    /// Waits before a transfer that brought nothing is tried again.
    fn pause(&self);

    /// The installers that can unpack a Python package, in the order in which they are tried: the program's name, then
    /// its first arguments.
    fn installers(&self) -> &'static [&'static [&'static str]];

    /// Unpacks a Python package into a folder with one of the installers.
    ///
    /// # Errors
    /// When the installer is not there or fails.
    fn install(&self, package: &Package, installer: &[&'static str], folder: &Path)
    -> Result<(), FetchError>;
}

/// The user's own `curl` and `pip`.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Fetch for System {
    fn text(&self, url: &str, token: Option<&str>) -> Result<String, FetchError> {
        curl::text(url, token)
    }

    fn file(
        &self,
        url: &str,
        token: Option<&str>,
        target: &Path,
        arrived: &mut dyn FnMut(u64),
    ) -> Result<(), FetchError> {
        curl::file(url, token, target, arrived)
    }

    fn pause(&self) {
        std::thread::sleep(Duration::from_secs(2));
    }

    fn installers(&self) -> &'static [&'static [&'static str]] {
        pip::INSTALLERS
    }

    fn install(
        &self,
        package: &Package,
        installer: &[&'static str],
        folder: &Path,
    ) -> Result<(), FetchError> {
        pip::install(package, installer, folder)
    }
}

impl Upload for System {
    fn send(&self, request: &Request<'_>) -> Result<Reply, FetchError> {
        curl::send(request)
    }

    fn pause(&self) {
        Fetch::pause(self);
    }
}

/// Why something could not be fetched or sent.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A program is not installed.
    #[error("there is no `{program}` here")]
    NoProgram {
        /// The program.
        program: &'static str,
    },
    /// A program is there, but can't be started.
    #[error("`{program}` could not be started ({source})")]
    Start {
        /// The program.
        program: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The program that fetches reported a failure.
    #[error("{message}")]
    Refused {
        /// Its own words.
        message: String,
    },
    /// The server answered with an error.
    #[error("{}", of_status(*status, message.as_deref()))]
    Status {
        /// HTTP's number of it.
        status: u16,
        /// The hub's name of it, from the header `X-Error-Code`.
        code: Option<String>,
        /// The hub's words, from the header `X-Error-Message`.
        message: Option<String>,
    },
    /// A connection could not be made, or broke.
    #[error("{message}")]
    Broken {
        /// The program's own words.
        message: String,
    },
    /// The server sends files only from their beginning.
    #[error("the server can't send the rest of a file")]
    NoRanges,
    /// What came is no text, or the program's output can't be read.
    #[error("{url}: {source}")]
    Unreadable {
        /// The address.
        url: String,
        /// What the system said.
        source: io::Error,
    },
}

fn of_status(status: u16, message: Option<&str>) -> String {
    match message {
        Some(message) => format!("{message} (HTTP status {status})"),
        None => format!("the server answered with HTTP status {status}"),
    }
}
