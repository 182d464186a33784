//! What is said when a request can't be answered.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use irtune_labelling::store::StoreError;
use irtune_train::{PredictorError, WorkerError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::annotate::DraftError;

/// Bytes of a refusal that are kept, at most.
const MOST_SAID: usize = 4096;

/// Why a request has no answer, in Text Embeddings Inference's shape.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiError {
    /// What is wrong.
    pub error: String,
    /// `Validation`, `Tokenizer`, `Backend`, `Overloaded` or `Unauthorized`.
    pub error_type: &'static str,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum ApiFailure {
    /// The request is not what the path takes.
    Request(String),
    /// A body of another kind or too long: said by the reader, with its own code.
    Body(StatusCode, String),
    /// A body that is no form.
    NoForm,
    /// No such path.
    NoPath,
    /// A path that is asked in another way.
    Method,
    /// More pairs than a request may have.
    TooMany { pairs: usize, most: usize },
    /// Drafts that can't be read.
    Draft(DraftError),
    /// It took too long.
    Slow,
    /// The model or a thread failed.
    Broken,
    /// What the model's worker says.
    Worker(WorkerError),
    /// What the store of labels says.
    Store(StoreError),
    /// Something that can't be done as things are now.
    Conflict(String),
    /// What this server does not do.
    Undone(&'static str),
    /// No token, or another one.
    Token,
    /// Asked by a page of another site.
    Origin,
    /// Asked under a name that isn't this machine's.
    Host,
}

impl From<WorkerError> for ApiFailure {
    fn from(error: WorkerError) -> Self {
        ApiFailure::Worker(error)
    }
}

impl From<StoreError> for ApiFailure {
    fn from(error: StoreError) -> Self {
        ApiFailure::Store(error)
    }
}

impl From<DraftError> for ApiFailure {
    fn from(error: DraftError) -> Self {
        ApiFailure::Draft(error)
    }
}

impl ApiFailure {
    /// The code, the kind of error in Text Embeddings Inference's words, and what is wrong.
    pub fn parts(self) -> (StatusCode, &'static str, String) {
        let invalid = StatusCode::UNPROCESSABLE_ENTITY;
        match self {
            ApiFailure::Request(message) => (invalid, "Validation", message),
            ApiFailure::Body(code, message) => (code, "Validation", message),
            ApiFailure::NoForm => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Validation", "send a form: multipart/form-data".into())
            }
            ApiFailure::NoPath => (
                StatusCode::NOT_FOUND,
                "Validation",
                "there is nothing here; /openapi.json lists every path".into(),
            ),
            ApiFailure::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Validation",
                "this path is asked by another method; /openapi.json says by which".into(),
            ),
            ApiFailure::TooMany { pairs, most } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "Validation",
                format!("{pairs} pairs in one request; at most {most} are taken"),
            ),
            ApiFailure::Draft(error) => (invalid, "Validation", error.to_string()),
            ApiFailure::Slow => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Overloaded",
                "it took too long; ask for less, or later".into(),
            ),
            ApiFailure::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "Backend", "the server failed".into()),
            ApiFailure::Worker(error) => {
                let (code, kind) = match &error {
                    WorkerError::Predictor(PredictorError::Data(_)) => (invalid, "Tokenizer"),
                    WorkerError::Predictor(_) => (StatusCode::FAILED_DEPENDENCY, "Backend"),
                    WorkerError::Busy { .. } => (StatusCode::TOO_MANY_REQUESTS, "Overloaded"),
                    WorkerError::Stopped => (StatusCode::SERVICE_UNAVAILABLE, "Overloaded"),
                    WorkerError::Panicked { .. } => (StatusCode::FAILED_DEPENDENCY, "Backend"),
                };
                (code, kind, error.to_string())
            }
            ApiFailure::Conflict(message) => (StatusCode::CONFLICT, "Validation", message),
            ApiFailure::Store(error) => {
                let (code, kind) = match &error {
                    StoreError::NoDocument(_) | StoreError::NoModel(_) => {
                        (StatusCode::NOT_FOUND, "Validation")
                    }
                    StoreError::NoRevision(_) | StoreError::Superseded | StoreError::Unfinished(_) => {
                        (StatusCode::CONFLICT, "Validation")
                    }
                    StoreError::Name => (invalid, "Validation"),
                    _ => (StatusCode::INTERNAL_SERVER_ERROR, "Backend"),
                };
                (code, kind, error.to_string())
            }
            ApiFailure::Undone(message) => (StatusCode::NOT_IMPLEMENTED, "Backend", message.to_owned()),
            ApiFailure::Token => (
                StatusCode::UNAUTHORIZED,
                "Unauthorized",
                "show the server's token: Authorization: Bearer TOKEN".into(),
            ),
            ApiFailure::Origin => {
                (StatusCode::FORBIDDEN, "Unauthorized", "this server answers to its own page only".into())
            }
            ApiFailure::Host => (
                StatusCode::FORBIDDEN,
                "Unauthorized",
                "this server answers to localhost only; start it with --listen and a token for other names"
                    .into(),
            ),
        }
    }
}

/// Makes the plain text of a refusal that the framework makes, such as of a path with a number that is none, an error as
/// every other.
pub(super) async fn as_json(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let text = |value: &HeaderValue| value.as_bytes().starts_with(b"text/plain");
    if !response.status().is_client_error() || !response.headers().get(CONTENT_TYPE).is_some_and(text) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let said = to_bytes(body, MOST_SAID).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    match parts.status {
        StatusCode::BAD_REQUEST => ApiFailure::Body(StatusCode::NOT_FOUND, said).into_response(),
        status => ApiFailure::Body(status, said).into_response(),
    }
}

impl IntoResponse for ApiFailure {
    fn into_response(self) -> Response {
        let (code, error_type, error) = self.parts();
        let body = Json(ApiError { error, error_type });
        match code {
            // A browser then asks for it: any name, and the token as the password.
            StatusCode::UNAUTHORIZED => {
                (code, [(WWW_AUTHENTICATE, "Basic realm=\"irtune\"")], body).into_response()
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                (code, [(RETRY_AFTER, "1")], body).into_response()
            }
            _ => (code, body).into_response(),
        }
    }
}
