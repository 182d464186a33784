//! Pairs as tasks of Label Studio.

use serde_json::{Value, json};

use super::json::{QUESTION, id_place};
use super::{ConvertError, Converted};
use crate::label_studio::{ChoiceResult, TaskPrediction};

/// What the choices are about in the labelling configuration of docs/serve.md.
const SHOWN: &str = "revised";

/// A task; `number` counts the tasks from 0.
pub(super) fn task(number: usize, own: &Converted) -> Result<Value, ConvertError> {
    let pair = &own.pair;
    let mut data = json!({ "original": pair.original, "revised": pair.revised });
    let more = [
        ("id", id_place(pair.id.as_ref())),
        ("group", json!(pair.group)),
        ("major_intent", json!(own.agreed())),
    ];
    for (name, value) in more {
        if !value.is_null() {
            data[name] = value;
        }
    }
    let several = pair.votes.is_some();
    let annotations = own.annotators()?.into_iter().enumerate().map(|(annotator, labels)| {
        let result = labels.as_ref().map(|labels| choices(labels, None));
        let mut annotation = json!({ "was_cancelled": labels.is_none(), "result": result.as_slice() });
        if several {
            annotation["completed_by"] = json!(annotator + 1);
        }
        annotation
    });
    let mut task = json!({ "id": number + 1, "data": data, "annotations": annotations.collect::<Vec<_>>() });
    if own.prediction.is_some() {
        let result = own.predicted().map(|(labels, score)| {
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let result = vec![choices(&labels, Some(score))];
            TaskPrediction { result, score, model_version: "irtune".to_owned() }
        });
        task["predictions"] = json!(result.as_slice());
    }
    Ok(task)
}

fn choices(labels: &[&str], score: Option<f64>) -> ChoiceResult {
    let labels = labels.iter().map(|&label| label.to_owned()).collect();
    ChoiceResult::new(QUESTION, SHOWN, labels, score)
}
