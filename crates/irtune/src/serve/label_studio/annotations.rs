//! Annotations that an event of Label Studio carries.
//!
//! # Source
//! Label Studio's "Webhook event format reference", and `WebhookAction.ACTIONS` in `label_studio/webhooks/models.py`.

use irtune_labelling::store::{OutsideWord, PoolPair};
use serde_json::Value;

use super::configuration::Configuration;
use super::predictions::row;
use super::{Event, SOURCE};
use crate::serve::failure::ApiFailure;
use crate::serve::server::Current;

/// What became of annotations.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    /// They say this now.
    Said(Vec<OutsideWord>),
    /// These are gone.
    Gone(Vec<String>),
    /// It is about something else.
    Other,
}

/// Reads an event; `current` is the model whose labels are meant.
///
/// # Errors
/// When an annotation can't be read, or its choices are none of the model's labels.
pub(super) fn told(event: &Event, current: &Current) -> Result<Told, ApiFailure> {
    match event.action.as_str() {
        "ANNOTATION_CREATED" | "ANNOTATIONS_CREATED" | "ANNOTATION_UPDATED" => {
            said(event, current).map(Told::Said)
        }
        "ANNOTATION_DELETED" | "ANNOTATIONS_DELETED" => gone(event).map(Told::Gone),
        _ => Ok(Told::Other),
    }
}

fn said(event: &Event, current: &Current) -> Result<Vec<OutsideWord>, ApiFailure> {
    let annotations = several(&event.annotation);
    if annotations.is_empty() {
        return Err(refused("it holds no annotation; let the webhook send its payload"));
    }
    let config = event.project["label_config"]
        .as_str()
        .ok_or_else(|| refused("it holds no project with its label_config"))?;
    let configuration = Configuration::read(config, &current.state.labels)?;
    let tasks = several(&event.task);
    let of = |annotation: &Value| {
        // One annotation comes with its task; several may be of several.
        let own = tasks.iter().find(|task| task["id"] == annotation["task"]);
        let task = own.or(tasks.first().filter(|_| annotations.len() == 1));
        let task = task.ok_or_else(|| refused("it holds no task"))?;
        word(annotation, task, &configuration, current)
    };
    // A task without any text has no revision to speak of.
    annotations.iter().filter_map(|annotation| of(annotation).transpose()).collect()
}

/// What an annotation says.
fn word(
    annotation: &Value,
    task: &Value,
    configuration: &Configuration,
    current: &Current,
) -> Result<Option<OutsideWord>, ApiFailure> {
    let keys = current.state.options.data_keys.as_ref();
    let Some(row) = row(task, configuration, keys)? else { return Ok(None) };
    let results = annotation["result"].as_array().map_or(&[][..], Vec::as_slice);
    let own = results.iter().filter(|result| result["from_name"] == configuration.from_name.as_str());
    let choices = own.flat_map(|result| result["value"]["choices"].as_array().cloned().unwrap_or_default());
    let labels: Vec<String> = choices
        .map(|choice| {
            let said = choice.as_str().unwrap_or_default();
            let unknown = || refused(&format!("{choice} is no label of the model"));
            configuration.label(said).map(str::to_owned).ok_or_else(unknown)
        })
        .collect::<Result<_, _>>()?;
    // Who skips a task passes, and so does who chooses nothing where there is something to choose.
    let passed = annotation["was_cancelled"] == true || (labels.is_empty() && !current.several);
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Ok(Some(OutsideWord {
        name: name(annotation)?,
        annotator: annotator(&annotation["completed_by"]),
        pair: PoolPair {
            original: row.original,
            revised: row.revised,
            group: text(&task["data"]["group"]),
            name: text(&task["data"]["id"]),
        },
        labels: (!passed).then_some(labels),
    }))
}

fn gone(event: &Event) -> Result<Vec<String>, ApiFailure> {
    let mut all = several(&event.annotations);
    all.extend(several(&event.annotation));
    if all.is_empty() {
        return Err(refused("it holds no annotation; let the webhook send its payload"));
    }
    all.into_iter().map(name).collect()
}

/// One of something, or a list of it.
fn several(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// What Label Studio calls an annotation.
fn name(annotation: &Value) -> Result<String, ApiFailure> {
    annotation["id"].as_i64().map(|id| id.to_string()).ok_or_else(|| refused("an annotation has no id"))
}

/// Who made an annotation: a user's number, or more of them.
fn annotator(user: &Value) -> String {
    let named = ["email", "username"].into_iter().find_map(|key| user[key].as_str());
    let number = user.as_i64().or_else(|| user["id"].as_i64());
    match (named.filter(|name| !name.is_empty()), number) {
        (Some(name), _) => name.to_owned(),
        (None, Some(number)) => format!("{SOURCE} {number}"),
        (None, None) => SOURCE.to_owned(),
    }
}

fn refused(what: &str) -> ApiFailure {
    ApiFailure::Request(format!("the event can't be kept: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn annotators_are_named_by_what_is_known_of_them() {
        assert_eq!(annotator(&json!(3)), "Label Studio 3");
        assert_eq!(annotator(&json!({"id": 3, "email": "a@b.org"})), "a@b.org");
        assert_eq!(annotator(&json!({"id": 3, "email": "", "username": null})), "Label Studio 3");
        assert_eq!(annotator(&Value::Null), "Label Studio");
    }
}
