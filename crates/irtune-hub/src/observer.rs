//! What is told while a base is fetched, or a model sent.

use crate::Package;

/// Something that happens while a base is fetched, or a model sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A Python package is about to be fetched.
    Package(&'a Package),
    /// A file is being downloaded.
    Downloading {
        /// Its name.
        file: &'a str,
        /// Bytes that have arrived.
        done: u64,
        /// Bytes in all, where the hub says.
        total: Option<u64>,
    },
    /// A file is being sent.
    Sending {
        /// Its name.
        file: &'a str,
        /// Bytes that the hub has.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// A file has arrived, or failed to.
    TransferEnded,
}

/// Is told what happens while a base is fetched, or a model sent.
pub trait Observer {
    /// Takes note of an event.
    fn event(&mut self, event: Event<'_>);
}

/// Takes note of nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: Event<'_>) {}
}
