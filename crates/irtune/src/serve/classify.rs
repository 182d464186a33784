//! `/v1/classify`: pairs in, predictions out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as From;
use axum::extract::rejection::JsonRejection;
use irtune_data::{Id, Row};
use irtune_train::Prediction;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::failure::{ApiError, ApiFailure};
use super::object::Object;
use super::state::State;

/// A revision to classify.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    /// The pair's own name, which its answer has too, as it stands here: a text or a number.
    #[schema(value_type = Option<Object>)]
    id: Option<Box<RawValue>>,
    /// The text before; empty, null or left out for an addition.
    original: Option<String>,
    /// The text after; empty, null or left out for a deletion.
    revised: Option<String>,
}

/// Revisions to classify.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClassifyRequest {
    /// The revisions.
    #[schema(value_type = Vec<Pair>)]
    pairs: Vec<Object<Pair>>,
}

/// What the model says of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClassifyResponse {
    /// One a pair, in their order: what `irtune predict` writes.
    #[schema(value_type = Vec<Object>)]
    predictions: Vec<Prediction>,
}

/// Classifies revisions.
#[utoipa::path(
    post,
    path = "/v1/classify",
    request_body = ClassifyRequest,
    responses(
        (status = 200, body = ClassifyResponse),
        (status = 413, description = "too many pairs, or too long a body", body = ApiError),
        (status = 422, description = "a request or a pair that can't be used", body = ApiError),
        (status = 429, description = "too many requests wait", body = ApiError),
    )
)]
pub(super) async fn classify(
    From(state): From<Arc<State>>,
    request: Result<Json<ClassifyRequest>, JsonRejection>,
) -> Result<Json<ClassifyResponse>, ApiFailure> {
    let Json(request) = request?;
    let row = |Object(Pair { id, original, revised }): Object<Pair>| Row {
        id: id.map(|id| Id::written(&id)),
        ..Row::new(original.unwrap_or_default(), revised.unwrap_or_default())
    };
    let rows: Vec<Row> = request.pairs.into_iter().map(row).collect();
    Ok(Json(ClassifyResponse { predictions: state.classify(rows).await? }))
}

impl std::convert::From<JsonRejection> for ApiFailure {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status().as_u16() {
            // JSON of another shape, or none.
            400 | 422 => ApiFailure::Request(rejection.body_text()),
            _ => ApiFailure::Body(rejection.status(), rejection.body_text()),
        }
    }
}
