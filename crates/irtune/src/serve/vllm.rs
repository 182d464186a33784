//! `/classify`, as vLLM has it.
//!
//! Source: vLLM's pooling server (`vllm/entrypoints/pooling/classify`): its requests, answers and errors. Its inputs are
//! single texts; here each is a pair.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State as From;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use irtune_data::Row;
use irtune_train::Answer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::failure::ApiFailure;
use super::state::State;

/// Revisions to classify. Of what else vLLM takes, `use_activation`, `activation` and `softmax` may be true; the rest is not
/// looked at.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct VllmRequest {
    /// The model's name, as `/info` tells it; may be left out.
    #[serde(default)]
    model: Option<String>,
    /// Pairs: `[["original", "revised"], …]`.
    #[serde(default)]
    #[schema(value_type = Vec<Vec<String>>)]
    input: serde_json::Value,
    #[serde(default, alias = "activation", alias = "softmax")]
    use_activation: Option<bool>,
}

/// What the model says of all pairs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VllmResponse {
    id: String,
    /// Always `list`.
    object: &'static str,
    /// Seconds since 1970.
    created: u64,
    model: String,
    data: Vec<VllmClass>,
    usage: VllmUsage,
}

/// What the model says of a pair.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VllmClass {
    /// Which pair, counted from 0.
    index: usize,
    /// The most probable label; null where the model is not sure enough.
    label: Option<String>,
    /// The probability of each label, in their order.
    probs: Vec<f64>,
    num_classes: usize,
}

/// What was read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VllmUsage {
    /// Tokens of all prompts.
    prompt_tokens: usize,
    total_tokens: usize,
    /// Always 0.
    completion_tokens: usize,
}

/// Why a request has no answer, in vLLM's shape.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VllmError {
    error: VllmErrorInfo,
}

/// What is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VllmErrorInfo {
    message: String,
    /// `BadRequestError`, `NotFoundError` or the words of the code.
    r#type: String,
    param: Option<String>,
    code: u16,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum VllmFailure {
    /// Another model is asked for.
    Model(String),
    /// As with every other path.
    Api(Box<ApiFailure>),
}

impl<F: Into<ApiFailure>> std::convert::From<F> for VllmFailure {
    fn from(failure: F) -> Self {
        VllmFailure::Api(Box::new(failure.into()))
    }
}

impl IntoResponse for VllmFailure {
    fn into_response(self) -> Response {
        let (code, message, param) = match self {
            VllmFailure::Model(model) => (
                StatusCode::NOT_FOUND,
                format!("The model `{model}` does not exist."),
                Some("model".to_owned()),
            ),
            VllmFailure::Api(failure) => match failure.parts() {
                (StatusCode::UNPROCESSABLE_ENTITY, _, message) => (StatusCode::BAD_REQUEST, message, None),
                (code, _, message) => (code, message, None),
            },
        };
        let kind = match code {
            StatusCode::BAD_REQUEST => "BadRequestError",
            StatusCode::NOT_FOUND => "NotFoundError",
            other => other.canonical_reason().unwrap_or("Error"),
        };
        let error = VllmErrorInfo { message, r#type: kind.to_owned(), param, code: code.as_u16() };
        (code, Json(VllmError { error })).into_response()
    }
}

const PAIRS: &str = "`input` holds pairs of texts, [[\"original\", \"revised\"], ...]; a revision is two texts, one of them \
    possibly empty";

impl VllmRequest {
    fn rows(self, model: &str) -> Result<Vec<Row>, VllmFailure> {
        if let Some(asked) = self.model.filter(|asked| !asked.is_empty() && asked != model) {
            return Err(VllmFailure::Model(asked));
        }
        if self.use_activation == Some(false) {
            let message = "probabilities are all there is: leave out use_activation".to_owned();
            return Err(ApiFailure::Request(message).into());
        }
        let pairs: Vec<[String; 2]> =
            serde_json::from_value(self.input).map_err(|_| ApiFailure::Request(PAIRS.to_owned()))?;
        Ok(pairs.into_iter().map(|[original, revised]| Row::new(original, revised)).collect())
    }
}

fn class(index: usize, answer: &Answer) -> VllmClass {
    let probabilities = &answer.prediction.probabilities;
    let label = (!answer.prediction.abstained()).then(|| probabilities.highest().0.to_owned());
    let probs = probabilities.values().to_vec();
    VllmClass { index, label, num_classes: probs.len(), probs }
}

/// A name that no other answer has: `classify-` and 32 digits.
fn name() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("classify-{:016x}{:016x}", number(), number())
}

/// Classifies pairs as vLLM classifies texts.
#[utoipa::path(
    post,
    path = "/classify",
    request_body = VllmRequest,
    responses(
        (status = 200, body = VllmResponse),
        (status = 400, description = "a request or a pair that can't be used", body = VllmError),
        (status = 404, description = "another model", body = VllmError),
        (status = 413, description = "too many pairs, or too long a body", body = VllmError),
        (status = 429, description = "too many requests wait", body = VllmError),
    )
)]
pub(super) async fn classify(
    From(state): From<Arc<State>>,
    request: Result<Json<VllmRequest>, JsonRejection>,
) -> Result<Json<VllmResponse>, VllmFailure> {
    let rows = request?.0.rows(&state.name)?;
    let answers = state.answers(rows).await?;
    let tokens = answers.iter().map(|answer| answer.tokens).sum();
    Ok(Json(VllmResponse {
        id: name(),
        object: "list",
        created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        model: state.name.clone(),
        data: answers.iter().enumerate().map(|(index, answer)| class(index, answer)).collect(),
        usage: VllmUsage { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0 },
    }))
}
