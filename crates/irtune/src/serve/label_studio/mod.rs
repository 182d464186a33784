//! A model of Label Studio: `/label-studio/…`, as its ML backends answer.
//!
//! Source: label-studio-ml-backend (`label_studio_ml/api.py`), and what Label Studio asks (`label_studio/ml/api_connector.py`).

mod annotations;
mod configuration;
mod predictions;

use std::sync::Arc;

use axum::extract::State as From;
use axum::extract::rejection::JsonRejection;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::failure::{ApiError, ApiFailure};
use super::labelling::Labelling;
use super::server::Server;
use super::state::State;
use crate::label_studio::TaskPrediction;
use annotations::{Told, told};
use configuration::Configuration;
use predictions::{prediction, row};

/// What its annotations are kept under in a project.
const SOURCE: &str = "Label Studio";

/// Every path under the backend's address; `labelling` keeps annotations, where there is a project.
pub(super) fn router(labelling: Option<Labelling>) -> Router<Server> {
    Router::new()
        .route("/health", get(|| async { Json(json!({ "status": "UP", "model_class": "irtune" })) }))
        .route("/versions", get(versions))
        .route("/setup", post(setup))
        .route("/predict", post(predict))
        .route("/train", post(|| async { UNTRAINED }))
        .route("/webhook", post(webhook).with_state(labelling))
}

/// A project that is set up; what else Label Studio sends with it, its access token for one, is not looked at.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct SetupRequest {
    /// The labelling configuration (XML).
    schema: String,
}

/// Which model answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelVersion {
    model_version: String,
}

/// Tasks to predict; `project`, `params` and others are not looked at.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TasksRequest {
    /// Tasks as Label Studio has them: an object each, with its `data`.
    #[schema(value_type = Vec<Object>)]
    tasks: Vec<Value>,
    /// The labelling configuration (XML).
    label_config: String,
}

/// What the model says of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TasksResponse {
    /// One a task, in their order.
    results: Vec<TaskPrediction>,
    model_version: String,
}

/// What happened in Label Studio; what else an event holds is not looked at.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Event {
    /// Such as `ANNOTATION_CREATED` or `START_TRAINING`.
    action: String,
    /// What was annotated, and how; of several a list.
    #[serde(default)]
    #[schema(value_type = Object)]
    annotation: Value,
    /// Those that were deleted.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    annotations: Value,
    /// The task, or a list of them.
    #[serde(default)]
    #[schema(value_type = Object)]
    task: Value,
    /// The project, with its `label_config`.
    #[serde(default)]
    #[schema(value_type = Object)]
    project: Value,
}

const UNTRAINED: ApiFailure = ApiFailure::Undone(
    "this server doesn't train: export the annotations as JSON and give them to irtune train",
);

/// Whether the labelling configuration suits the model.
#[utoipa::path(
    post,
    path = "/label-studio/setup",
    request_body = SetupRequest,
    responses((status = 200, body = ModelVersion), (status = 422, body = ApiError))
)]
pub(super) async fn setup(
    From(state): From<Arc<State>>,
    request: Result<Json<SetupRequest>, JsonRejection>,
) -> Result<Json<ModelVersion>, ApiFailure> {
    Configuration::read(&request?.0.schema, &state.labels)?;
    Ok(Json(ModelVersion { model_version: state.name.clone() }))
}

async fn versions(From(state): From<Arc<State>>) -> Json<Value> {
    Json(json!({ "versions": [state.name] }))
}

/// Predicts tasks.
#[utoipa::path(
    post,
    path = "/label-studio/predict",
    request_body = TasksRequest,
    responses(
        (status = 200, body = TasksResponse),
        (status = 413, body = ApiError),
        (status = 422, body = ApiError),
        (status = 429, body = ApiError),
    )
)]
pub(super) async fn predict(
    From(state): From<Arc<State>>,
    request: Result<Json<TasksRequest>, JsonRejection>,
) -> Result<Json<TasksResponse>, ApiFailure> {
    let TasksRequest { tasks, label_config } = request?.0;
    let configuration = Configuration::read(&label_config, &state.labels)?;
    let rows: Vec<_> = tasks
        .iter()
        .map(|task| row(task, &configuration, state.options.data_keys.as_ref()))
        .collect::<Result<_, _>>()?;
    // A task without any text has no revision to tell of.
    let asked = rows.iter().filter_map(Clone::clone).collect();
    let mut answers = state.classify(asked).await?.into_iter();
    let results = rows.iter().map(|row| {
        let answer = row.as_ref().and_then(|_| answers.next());
        prediction(answer.as_ref(), &configuration, &state.name)
    });
    Ok(Json(TasksResponse { results: results.collect(), model_version: state.name.clone() }))
}

/// Keeps annotations in the project, and says what becomes of any other event: nothing.
#[utoipa::path(
    post,
    path = "/label-studio/webhook",
    request_body = Event,
    responses(
        (status = 200, body = Object),
        (status = 422, body = ApiError),
        (status = 501, description = "training is asked for", body = ApiError),
    )
)]
pub(super) async fn webhook(
    From(labelling): From<Option<Labelling>>,
    request: Result<Json<Event>, JsonRejection>,
) -> Result<Json<Value>, ApiFailure> {
    let Json(event) = request?;
    let status = match (event.action.as_str(), labelling) {
        ("START_TRAINING", _) => return Err(UNTRAINED),
        (action, None) => format!("{action} is not kept: this server keeps nothing"),
        (action, Some(labelling)) => match told(&event, &labelling.server.current())? {
            Told::Said(words) => {
                let count = words.len();
                labelling.keep_outside(SOURCE, words).await?;
                format!("{action}: {count} kept")
            }
            Told::Gone(names) => {
                let count = labelling.retract_outside(SOURCE, names).await?;
                format!("{action}: {count} taken back")
            }
            Told::Other => format!("{action} is not kept: it tells of no annotation"),
        },
    };
    Ok(Json(json!({ "status": status })))
}
