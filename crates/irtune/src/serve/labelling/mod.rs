//! The page on which people correct labels, and what is made of them: with a [`Project`].
//!
//! | file | path |
//! |---|---|
//! | `documents.rs` | `/`, and `POST /labelling/documents`, which takes drafts |
//! | `document.rs` | `/labelling/documents/{id}`: two drafts with their revisions |
//! | `say.rs` | `POST /labelling/labels`, `…/decisions`, `…/undo`: what a person says |
//! | `alignment.rs` | `POST /labelling/alignment`: sentences joined or parted |
//! | `next.rs` | `/labelling/next`: one revision at a time |
//! | `pool.rs` | `POST /labelling/pools`: pairs to be labelled |
//! | `outside.rs` | what other programs tell of (`serve/label_studio`) |
//! | `agreement.rs` | `/labelling/agreement`: how far annotators agree, and what is decided where they don't |
//! | `training.rs` | `/labelling/training`: a model trained again |
//! | `export.rs` | what people said, for other programs |
//!
//! What a person does is one small POST of JSON, which is in the store before it is answered. Each of them must come from a
//! page of this server.

mod agreement;
mod alignment;
mod annotator;
mod assets;
mod context;
mod document;
mod documents;
mod export;
mod frame;
mod next;
mod order;
mod outside;
mod pool;
mod predictions;
mod project;
mod retrain;
mod revision;
mod same_origin;
mod say;
#[cfg(test)]
mod tests;
mod training;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use super::server::Server;
pub(super) use context::Labelling;
pub use project::{Project, ProjectError};

/// The paths of labelling.
pub(super) fn router(labelling: Labelling) -> Router<Server> {
    predictions::ask_for_missing(&labelling);
    Router::new()
        .route("/", get(documents::page))
        .route("/labelling/style.css", get(assets::style))
        .route("/labelling/script.js", get(assets::script))
        .route("/labelling/name", post(annotator::name))
        .route("/labelling/documents", post(documents::add))
        .route("/labelling/documents/{id}", get(document::page))
        .route("/labelling/documents/{id}/export/{output}", get(export::document))
        .route("/labelling/pools", post(pool::add))
        .route("/labelling/labels", post(say::label))
        .route("/labelling/decisions", post(say::decide))
        .route("/labelling/undo", post(say::undo))
        .route("/labelling/alignment", post(alignment::realign))
        .route("/labelling/next", get(next::page))
        .route("/labelling/agreement", get(agreement::page))
        .route("/labelling/pairs.jsonl", get(export::pairs))
        .route("/labelling/training", get(training::page).post(training::start))
        .route("/labelling/training/progress", get(training::progress))
        .route("/labelling/training/cancel", post(training::cancel))
        .route("/labelling/training/resume", post(training::resume))
        .route("/labelling/training/judge", post(training::judge))
        .layer(from_fn(same_origin::check))
        .with_state(labelling)
}
