//! Tasks as rows, and predictions as Label Studio keeps them.

use irtune_data::Row;
use irtune_train::{Prediction, Told};
use serde_json::Value;

use super::configuration::Configuration;
use crate::label_studio::{ChoiceResult, TaskPrediction};
use crate::serve::data_keys::DataKeys;
use crate::serve::failure::ApiFailure;

/// Names that keys of the original and of the revised text have.
const USUAL: [(&str, &str); 2] = [("original", "revised"), ("before", "after")];

/// The revision in a task; nothing where both texts are empty.
///
/// # Errors
/// When its texts aren't found.
pub(super) fn row(
    task: &Value,
    configuration: &Configuration,
    keys: Option<&DataKeys>,
) -> Result<Option<Row>, ApiFailure> {
    let data = &task["data"];
    let name = || task.get("id").map_or_else(|| "a task".to_owned(), |id| format!("task {id}"));
    let usual = USUAL.into_iter().find(|(original, revised)| {
        let both = [original, revised].map(|key| data.get(key));
        both.iter().all(Option::is_some) && both.into_iter().flatten().any(Value::is_string)
    });
    let (original, revised) = match (keys, usual, configuration.shown.as_slice()) {
        (Some(keys), ..) => (keys.original.as_str(), keys.revised.as_str()),
        (None, Some(usual), _) => usual,
        (None, None, [original, revised]) => (original.as_str(), revised.as_str()),
        _ => {
            return Err(ApiFailure::Request(format!(
                "{}: which of its data are the original and the revised text can't be told; start the server with \
                 --label-studio-keys ORIGINAL,REVISED",
                name()
            )));
        }
    };
    let text = |key: &str| match value(data, key) {
        Some(Value::String(text)) => Ok(text.clone()),
        // Of an addition or a deletion one may be null.
        Some(Value::Null) => Ok(String::new()),
        Some(_) => Err(ApiFailure::Request(format!("{}: its data hold no text under {key:?}", name()))),
        None => Err(ApiFailure::Request(format!("{}: its data hold nothing under {key:?}", name()))),
    };
    let row = Row::new(text(original)?, text(revised)?);
    let is_empty = row.original.trim().is_empty() && row.revised.trim().is_empty();
    Ok((!is_empty).then_some(row))
}

/// A value of an object by its key, or by dots into objects.
fn value<'a>(data: &'a Value, key: &str) -> Option<&'a Value> {
    data.get(key).or_else(|| key.split('.').try_fold(data, |value, key| value.get(key)))
}

/// What the model says of a task.
pub(super) fn prediction(
    answer: Option<&Prediction>,
    configuration: &Configuration,
    model: &str,
) -> TaskPrediction {
    let choices: Vec<String> = answer
        .map_or(&[][..], Prediction::labels)
        .iter()
        .filter_map(|label| configuration.said(label).map(str::to_owned))
        .collect();
    let (is_chosen, score) = (!choices.is_empty(), answer.map_or(0.0, score));
    let Configuration { from_name, to_name, .. } = configuration;
    let result = ChoiceResult::new(from_name, to_name, choices, Some(score));
    let result = Some(result).filter(|_| is_chosen);
    TaskPrediction { result: result.into_iter().collect(), score, model_version: model.to_owned() }
}

/// The probability of the most probable label; where there can be several, that of the answer about the label which is the
/// least sure.
fn score(prediction: &Prediction) -> f64 {
    match &prediction.told {
        Told::Label(_) | Told::Abstained => prediction.probabilities.highest().1,
        Told::Labels(_) => {
            let sure = prediction.probabilities.values().iter().map(|value| value.max(1.0 - value));
            sure.fold(1.0, f64::min)
        }
    }
}
