//! Everything that leaves the machine, behind a trait so that tests need no network.

use std::{io, path::Path};

use crate::{Package, curl, pip};

/// Gets what is not on this machine.
pub trait Fetch {
    /// A short text.
    ///
    /// # Errors
    /// When it can't be had.
    fn text(&self, url: &str, token: Option<&str>) -> Result<String, FetchError>;

    /// A file, written to `target`; `arrived` is told from time to time how many bytes have arrived.
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

/// Why something could not be fetched.
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
    /// What came is no text, or the program's output can't be read.
    #[error("{url}: {source}")]
    Unreadable {
        /// The address.
        url: String,
        /// What the system said.
        source: io::Error,
    },
}
