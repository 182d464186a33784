//! Records of labelling tools, Label Studio's tasks and Argilla's records, as rows with what each annotator said.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::labels::Labels;
use super::object::{Found, Object};
use super::record::{Record, Values};
use crate::error::{DataError, Quoted};

/// Members of a task's data that are never lifted: what was said stands elsewhere.
const NOT_DATA: [&str; 2] = ["label", "labels"];

/// The annotators of a file, in the order in which they are met, and what they were asked.
#[derive(Debug, Default)]
pub(super) struct Annotators {
    names: Vec<String>,
    /// The first question that has an answer.
    question: Option<String>,
}

impl Annotators {
    /// Where an annotator's answers stand.
    fn place(&mut self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        })
    }
}

/// What one annotator chose under one name; none of the choices where they said nothing.
struct Answer {
    question: String,
    annotator: String,
    choices: Vec<String>,
}

/// The parts of an object that is a task: what it shows, and what was said.
fn parts(object: &Object) -> Option<([Option<&RawValue>; 2], &RawValue, Tool)> {
    let value = |name: &str, opening: &[char]| match object.find(name) {
        Found::Value(value) if value.get().starts_with(opening) => Some(value),
        _ => None,
    };
    if let (Some(data), Some(said)) = (value("data", &['{']), value("annotations", &['['])) {
        return Some(([Some(data), None], said, Tool::LabelStudio));
    }
    let (fields, said) = (value("fields", &['{'])?, value("responses", &['{', '['])?);
    Some(([Some(fields), value("metadata", &['{'])], said, Tool::Argilla))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    LabelStudio,
    Argilla,
}

/// Whether an object is a task of a labelling tool.
pub(super) fn is_task(object: &Object) -> bool {
    parts(object).is_some()
}

/// A task as a row: what it shows stands beside what else it has, and under the name of each question what was said, also
/// under `labels` where there is one question. Any other record stays as it is. `is_named` says that somebody named the
/// question that counts.
///
/// # Errors
/// When what was said is of another shape, or answers several questions of which none is named.
///
/// # Source
/// Label Studio's JSON export; `Record.to_dict` of Argilla 2.
pub(super) fn row(
    record: Record,
    annotators: &mut Annotators,
    labels: Labels,
    is_named: bool,
) -> Result<Record, DataError> {
    let Values::Object(object) = &record.values else { return Ok(record) };
    let Some((shown, said, tool)) = parts(object) else { return Ok(record) };
    let unreadable = |source| DataError::Unreadable { place: record.place.clone(), source };
    let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
    for own in shown.into_iter().flatten() {
        let own: Object = serde_json::from_str(own.get()).map_err(unreadable)?;
        members.extend(own.0.into_iter().filter(|(name, _)| !NOT_DATA.contains(&name.as_str())));
    }
    if labels != Labels::Ignored {
        let said: Value = serde_json::from_str(said.get()).map_err(unreadable)?;
        let answers = match tool {
            Tool::LabelStudio => annotations(&said),
            Tool::Argilla => responses(&said),
        };
        let mut questions: Vec<&str> = Vec::new();
        for answer in answers.iter().filter(|answer| !answer.question.is_empty()) {
            if !questions.contains(&answer.question.as_str()) {
                questions.push(&answer.question);
            }
        }
        if !is_named {
            for question in &questions {
                let first = annotators.question.get_or_insert_with(|| (*question).to_owned());
                if first != question {
                    let questions = Quoted(vec![first.clone(), (*question).to_owned()]);
                    return Err(DataError::SeveralQuestions { place: record.place.clone(), questions });
                }
            }
        }
        let mut named: Vec<(String, Value)> = Vec::new();
        for question in &questions {
            named.push(((*question).to_owned(), value(&answers, question, annotators, labels)));
        }
        match named.as_slice() {
            [] => named.push(("labels".to_owned(), Value::Null)),
            [(name, only)] if !NOT_DATA.contains(&name.as_str()) => {
                named.push(("labels".to_owned(), only.clone()));
            }
            _ => {}
        }
        for (name, value) in named {
            members.retain(|(known, _)| *known != name);
            members.push((name, to_raw_value(&value).map_err(unreadable)?));
        }
    }
    let names: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
    members.extend(object.0.iter().filter(|(name, _)| !names.contains(name)).cloned());
    Ok(Record { place: record.place.clone(), values: Values::Object(Object(members)) })
}

/// What all annotators said to a question: a label, a list with an entry each, or the labels that most of them chose.
fn value(answers: &[Answer], question: &str, annotators: &mut Annotators, labels: Labels) -> Value {
    let mut entries: Vec<Option<&[String]>> = Vec::new();
    for answer in answers {
        let place = annotators.place(&answer.annotator);
        if entries.len() <= place {
            entries.resize(place + 1, None);
        }
        if answer.question == question {
            entries[place] = Some(&answer.choices);
        }
    }
    let given: Vec<&[String]> = entries.iter().flatten().copied().collect();
    if given.is_empty() {
        return Value::Null;
    }
    if labels == Labels::Several || given.iter().any(|choices| choices.len() > 1) {
        let mut all: Vec<&String> = given.iter().copied().flatten().collect();
        all.sort();
        all.dedup();
        let most = |label: &&String| 2 * given.iter().filter(|own| own.contains(label)).count() > given.len();
        return json!({ "choices": all.into_iter().filter(most).collect::<Vec<_>>() });
    }
    match (annotators.names.len(), given.as_slice()) {
        (1, [choices]) => choices.first().map_or(Value::Null, |label| label.as_str().into()),
        _ => {
            // A list of one would be the label of a pair that can have several.
            entries.resize(entries.len().max(2), None);
            let label = |own: Option<&'_ [String]>| own.and_then(<[String]>::first).cloned();
            entries.into_iter().map(|own| label(own).map_or(Value::Null, Value::from)).collect()
        }
    }
}

/// What a task's annotations say. Of one that was cancelled only the annotator counts.
fn annotations(said: &Value) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (number, annotation) in said.as_array().into_iter().flatten().enumerate() {
        let by = &annotation["completed_by"];
        let by = match by {
            Value::Object(user) => user.get("id").or_else(|| user.get("email")).unwrap_or(by),
            other => other,
        };
        let annotator = if by.is_null() { format!("annotation {number}") } else { text(by) };
        let before = answers.len();
        let cancelled = annotation["was_cancelled"].as_bool() == Some(true);
        for result in annotation["result"].as_array().into_iter().flatten().filter(|_| !cancelled) {
            let value = &result["value"];
            let choices: Vec<String> = match (value["choices"].as_array(), value["taxonomy"].as_array()) {
                (Some(choices), _) => choices.iter().map(text).collect(),
                (None, Some(paths)) => paths.iter().map(path).collect(),
                (None, None) => continue,
            };
            let question = text(&result["from_name"]);
            answers.push(Answer { question, annotator: annotator.clone(), choices });
        }
        if answers.len() == before {
            answers.push(Answer { question: String::new(), annotator, choices: Vec::new() });
        }
    }
    answers
}

/// A label with levels, as a list of them.
fn path(levels: &Value) -> String {
    levels
        .as_array()
        .map_or_else(|| text(levels), |levels| levels.iter().map(text).collect::<Vec<_>>().join("/"))
}

/// What a record's responses say: by question, or by annotator with their status.
fn responses(said: &Value) -> Vec<Answer> {
    let choices = |value: &Value| match value {
        Value::Array(labels) => labels.iter().map(text).collect(),
        other => vec![text(other)],
    };
    let answer = |question: &str, annotator: &Value, value: &Value| Answer {
        question: question.to_owned(),
        annotator: text(annotator),
        choices: choices(value),
    };
    match said {
        Value::Object(questions) => questions
            .iter()
            .flat_map(|(question, answers)| {
                answers.as_array().into_iter().flatten().map(move |own| (question, own))
            })
            .map(|(question, own)| answer(question, &own["user_id"], &own["value"]))
            .collect(),
        _ => {
            let submitted = |own: &&Value| own["status"].as_str().is_none_or(|status| status == "submitted");
            let all = said.as_array().into_iter().flatten().filter(submitted);
            let values = |own: &'_ Value| own["values"].as_object().cloned().unwrap_or_default();
            all.flat_map(|own| {
                values(own)
                    .into_iter()
                    .map(|(question, value)| answer(&question, &own["user_id"], &value["value"]))
            })
            .collect()
        }
    }
}

/// A text, or any other value as it is written.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
