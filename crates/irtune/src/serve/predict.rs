//! `/predict` and `/info`, as Text Embeddings Inference has them.
//!
//! Source: text-embeddings-inference's router (`router/src/http`), by its published description.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as From;
use axum::extract::rejection::JsonRejection;
use irtune_data::Row;
use irtune_train::Prediction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::failure::{ApiError, ApiFailure};
use super::state::State;

/// A text, or a pair of texts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Texts {
    /// A text of a pair; by itself it is refused, since a revision has two.
    One(String),
    /// The original and the revised text.
    Several(Vec<String>),
}

/// A request of Text Embeddings Inference; what else it may hold (`truncate` …) is not looked at: pairs that are too
/// long are always shortened around their change.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PredictRequest {
    /// A pair `["original", "revised"]`, or a batch of pairs.
    #[schema(value_type = Vec<Texts>)]
    inputs: serde_json::Value,
    /// Scores that are no probabilities, which there are none of: only `false` is possible.
    #[serde(default)]
    raw_scores: bool,
}

/// A label with its probability.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Score {
    score: f64,
    label: String,
}

/// Labels with their probabilities, the most probable first: of a pair, or of each pair of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum PredictResponse {
    /// Of a pair.
    One(Vec<Score>),
    /// Of each pair.
    Batch(Vec<Vec<Score>>),
}

/// What serves, in Text Embeddings Inference's words.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Info {
    model_id: String,
    #[schema(value_type = Object)]
    model_type: serde_json::Value,
    max_client_batch_size: usize,
    version: &'static str,
}

const TWO_TEXTS: &str = "a revision is two texts: [\"original\", \"revised\"], one of them possibly empty";

impl PredictRequest {
    /// The rows, and whether they are a batch.
    fn rows(self) -> Result<(Vec<Row>, bool), ApiFailure> {
        if self.raw_scores {
            return Err(ApiFailure::Request(
                "raw_scores: scores are probabilities here; leave it out".to_owned(),
            ));
        }
        let refused = || ApiFailure::Request(TWO_TEXTS.to_owned());
        let pair = |texts: Vec<String>| {
            let [original, revised] = <[String; 2]>::try_from(texts).map_err(|_| refused())?;
            Ok::<_, ApiFailure>(Row::new(original, revised))
        };
        let inputs: Vec<Texts> = serde_json::from_value(self.inputs).map_err(|_| refused())?;
        let (mut texts, mut pairs) = (Vec::new(), Vec::new());
        for input in inputs {
            match input {
                Texts::One(text) => texts.push(text),
                Texts::Several(own) => pairs.push(pair(own)?),
            }
        }
        match (texts.is_empty(), pairs.is_empty()) {
            (true, _) => Ok((pairs, true)),
            (_, true) => Ok((vec![pair(texts)?], false)),
            _ => Err(refused()),
        }
    }
}

fn scores(prediction: &Prediction) -> Vec<Score> {
    let score = |(label, score): (&str, f64)| Score { score, label: label.to_owned() };
    let mut scores: Vec<Score> = prediction.probabilities.iter().map(score).collect();
    scores.sort_by(|one, other| other.score.total_cmp(&one.score));
    scores
}

/// Classifies a pair or a batch of pairs.
#[utoipa::path(
    post,
    path = "/predict",
    request_body = PredictRequest,
    responses(
        (status = 200, body = PredictResponse),
        (status = 413, body = ApiError),
        (status = 422, body = ApiError),
        (status = 429, body = ApiError),
    )
)]
pub(super) async fn predict(
    From(state): From<Arc<State>>,
    request: Result<Json<PredictRequest>, JsonRejection>,
) -> Result<Json<PredictResponse>, ApiFailure> {
    let (rows, is_batch) = request?.0.rows()?;
    let predictions = state.classify(rows).await?;
    let mut all = predictions.iter().map(scores);
    Ok(Json(match is_batch {
        true => PredictResponse::Batch(all.collect()),
        false => PredictResponse::One(all.next().unwrap_or_default()),
    }))
}

/// Says what serves.
#[utoipa::path(get, path = "/info", responses((status = 200, body = Info)))]
pub(super) async fn info(From(state): From<Arc<State>>) -> Json<Info> {
    let labels = state.labels.iter().enumerate();
    let id2label: serde_json::Map<_, _> =
        labels.clone().map(|(id, label)| (id.to_string(), label.as_str().into())).collect();
    let label2id: serde_json::Map<_, _> = labels.map(|(id, label)| (label.clone(), id.into())).collect();
    Json(Info {
        model_id: state.name.clone(),
        model_type: serde_json::json!({ "classifier": { "id2label": id2label, "label2id": label2id } }),
        max_client_batch_size: state.options.pairs,
        version: env!("CARGO_PKG_VERSION"),
    })
}
