//! Counts for Prometheus.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as From};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::state::State;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    path: String,
    status: u16,
}

/// What is counted.
pub(super) struct Counts {
    registry: Registry,
    requests: Family<Kind, Counter>,
    seconds: Histogram,
    /// Pairs that were classified.
    pub pairs: Counter,
}

impl Default for Counts {
    fn default() -> Self {
        let requests = Family::<Kind, Counter>::default();
        let pairs = Counter::default();
        let seconds = Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]);
        let mut registry = Registry::with_prefix("irtune");
        registry.register("requests", "Requests that were answered", requests.clone());
        registry.register("pairs", "Pairs that were classified", pairs.clone());
        registry.register("request_seconds", "How long requests took", seconds.clone());
        Counts { registry, requests, seconds, pairs }
    }
}

/// Counts a request; one to no path is counted as such, so that nobody makes up paths to count.
pub(super) async fn count(
    From(state): From<Arc<State>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let response = next.run(request).await;
    let path = path.map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    state.counts.requests.get_or_create(&Kind { path, status: response.status().as_u16() }).inc();
    state.counts.seconds.observe(started.elapsed().as_secs_f64());
    response
}

/// Everything that is counted, in the text that Prometheus reads.
pub(super) async fn metrics(From(state): From<Arc<State>>) -> Response {
    let mut text = String::new();
    // Memory takes every text.
    let _ = encode(&mut text, &state.counts.registry);
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
