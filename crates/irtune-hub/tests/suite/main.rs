//! Finding and fetching bases, with a network that the tests make up.

mod download;
mod fake;
mod locate;
mod push;
