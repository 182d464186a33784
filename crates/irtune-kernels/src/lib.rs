//! See the crate description; written in `ARCHITECTURE.md`.
