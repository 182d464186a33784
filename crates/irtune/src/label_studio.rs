//! What Label Studio calls a result: choices that a person made, or a model.
//!
//! # Source
//! Label Studio's documentation of its JSON format, "Basic Label Studio JSON format" and "Import pre-annotated data".

use serde::Serialize;
use utoipa::ToSchema;

/// A model's answer about a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskPrediction {
    /// One choice made; none where the model gives no label.
    pub result: Vec<ChoiceResult>,
    /// How sure the model is.
    pub score: f64,
    pub model_version: String,
}

/// Choices that are made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChoiceResult {
    /// The name of the choices.
    from_name: String,
    /// The name of what they are about.
    to_name: String,
    /// Always `choices`.
    r#type: &'static str,
    value: ChoiceValue,
    /// How sure a model is.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

/// The choices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChoiceValue {
    choices: Vec<String>,
}

impl ChoiceResult {
    /// What was chosen; with the score where a model chose.
    pub fn new(from_name: &str, to_name: &str, choices: Vec<String>, score: Option<f64>) -> ChoiceResult {
        let (from_name, to_name) = (from_name.to_owned(), to_name.to_owned());
        ChoiceResult { from_name, to_name, r#type: "choices", value: ChoiceValue { choices }, score }
    }
}
