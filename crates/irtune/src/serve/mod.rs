//! A model behind HTTP: `irtune serve`.
//!
//! A page takes two drafts and shows their revisions. Programs ask `/v1/classify` and `/v1/annotate`, or `/predict` as Text
//! Embeddings Inference has it. Requests of several connections are computed together (`irtune_train::Worker`).
//!
//! Texts are never logged, and no path of this machine can be read. Nothing is kept, but with a [`Project`], where people
//! correct labels.

mod annotate;
mod classify;
mod connections;
mod data_keys;
mod description;
mod failure;
mod form;
mod guard;
mod label_studio;
mod labelling;
mod metrics;
mod object;
mod options;
mod patient;
mod predict;
mod server;
mod state;
#[cfg(test)]
mod tests;
mod vllm;

use std::future::Future;
use std::io;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use irtune_model::ProblemType;
use irtune_train::{Predictor, Worker, WorkerOptions};
use tokio::net::TcpListener;

pub use data_keys::{DataKeys, NoDataKeys};
use failure::ApiFailure;
use labelling::Labelling;
pub use labelling::{Project, ProjectError};
pub use options::{Address, ServeOptions, UnsafeAddress};
use server::Server;
use state::State;

/// Answers requests until `shutdown` is done, then finishes those at hand. With a project, drafts and what people say of
/// their revisions are kept in it. `listening` is told the address, which is of interest where the port was left to the
/// system.
///
/// # Errors
/// When nobody can listen there, or the system fails.
pub fn serve(
    predictor: Predictor,
    name: String,
    options: ServeOptions,
    project: Option<Project>,
    listening: impl FnOnce(std::net::SocketAddr),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let address = options.address.socket();
    let labels = predictor.labels().names().to_vec();
    let several = predictor.problem() == ProblemType::MultiLabel;
    let key = project.as_ref().map_or_else(String::new, Project::model_key);
    let worker = Worker::start(predictor, WorkerOptions { queue: options.queue, ..WorkerOptions::default() });
    let server = Server::new(State::new(worker.caller(), labels, name, options), &key, several);
    let patience = server.current().state.options.timeout;
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        listening(listener.local_addr()?);
        connections::answer(listener, router(server, project), patience, shutdown).await;
        Ok(())
    });
    // What computes for a client that is gone is not waited for.
    runtime.shutdown_background();
    worker.finish();
    served
}

/// Every path there is.
fn router(server: Server, project: Option<Project>) -> Router {
    let limit = DefaultBodyLimit::max(server.current().state.options.body_bytes);
    let labelling = project.map(|project| Labelling::new(server.clone(), project));
    let pages = match labelling.clone() {
        Some(labelling) => labelling::router(labelling),
        None => Router::new().route("/", get(form::page)),
    };
    pages
        .route("/v1/classify", post(classify::classify))
        .route("/v1/annotate", post(annotate::annotate))
        .route("/predict", post(predict::predict))
        .route("/info", get(predict::info))
        .route("/classify", post(vllm::classify))
        .nest("/label-studio", label_studio::router(labelling))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(description::openapi))
        .fallback(async || ApiFailure::NoPath)
        .method_not_allowed_fallback(async || ApiFailure::Method)
        .layer(limit)
        .layer(from_fn(failure::as_json))
        .layer(from_fn_with_state(server.clone(), guard::guard))
        // Whether the server is there may be asked by anybody.
        .route("/health", get(|| async {}))
        .layer(from_fn_with_state(server.clone(), metrics::count))
        .layer(from_fn(guard::headers))
        .with_state(server)
}
