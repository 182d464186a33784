//! Pairs as JSON: an object a line, or an array of objects.

use std::io::{self, Write};

use irtune_data::Id;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{ConvertError, Converted, ConvertedPairs, PairFormat};
use crate::annotate::marked;

/// The name of the one question of projects that are written.
pub(super) const QUESTION: &str = "intention";

/// Where a pair's id goes: it is written as it stood, with digits that no number in memory holds. No text has this sign,
/// which is no character.
const ID: &str = "\u{FDD0}";

/// The place of an id, or null for none.
pub(super) fn id_place(id: Option<&Id>) -> Value {
    id.map_or(Value::Null, |_| ID.into())
}

/// A value with an id in its place.
struct WithId<'a>(&'a Value, Option<&'a Id>);

impl WithId<'_> {
    fn to_json(&self) -> Result<String, ConvertError> {
        Ok(serde_json::to_string(self).map_err(io::Error::from)?)
    }
}

impl Serialize for WithId<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.1) {
            (Value::String(text), Some(id)) if text == ID => id.serialize(serializer),
            (Value::Object(members), id) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, WithId(value, id))))
            }
            (other, _) => other.serialize(serializer),
        }
    }
}

/// An object a line.
pub(super) fn lines(
    pairs: ConvertedPairs<'_>,
    out: &mut dyn Write,
    object: impl Fn(usize, &Converted) -> Result<Value, ConvertError>,
) -> Result<usize, ConvertError> {
    let mut written = 0;
    for pair in pairs {
        let pair = pair?;
        let object = WithId(&object(written, &pair)?, pair.pair.id.as_ref()).to_json()?;
        writeln!(out, "{object}")?;
        written += 1;
    }
    Ok(written)
}

/// An array with an object a line.
pub(super) fn array(
    pairs: ConvertedPairs<'_>,
    out: &mut dyn Write,
    object: impl Fn(usize, &Converted) -> Result<Value, ConvertError>,
) -> Result<usize, ConvertError> {
    let mut written = 0;
    out.write_all(b"[")?;
    for pair in pairs {
        let before = if written == 0 { "\n" } else { ",\n" };
        let pair = pair?;
        let object = WithId(&object(written, &pair)?, pair.pair.id.as_ref()).to_json()?;
        write!(out, "{before}{object}")?;
        written += 1;
    }
    out.write_all(b"\n]\n")?;
    Ok(written)
}

/// An object of those that are there.
fn members<const N: usize>(all: [(&str, Value); N]) -> Value {
    let there = all.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(there.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// A pair's object in a format of flat objects.
pub(super) fn object(format: PairFormat, own: &Converted) -> Result<Value, ConvertError> {
    let pair = &own.pair;
    let (original, revised) = (json!(pair.original), json!(pair.revised));
    let (id, group, label) = (id_place(pair.id.as_ref()), json!(pair.group), json!(pair.label));
    let said = own.said();
    let agreed = json!(own.agreed());
    Ok(match format {
        PairFormat::Doccano => {
            let labels = pair
                .labels
                .as_ref()
                .map_or_else(|| json!(pair.label.iter().collect::<Vec<_>>()), |labels| json!(labels));
            let text = json!(marked(&pair.original, &pair.revised));
            let pairs =
                [("id", id), ("text", text), ("label", labels), ("original", original), ("revised", revised)];
            with(members(pairs), "group", group)
        }
        PairFormat::Iterater => {
            let labels = pair.labels.as_ref().map_or(label, |labels| json!(labels));
            let votes = pair.votes.as_ref().map_or(Value::Null, |votes| json!(votes));
            let pairs = [("id", id), ("before_sent", original), ("after_sent", revised), ("labels", labels)];
            with(with(members(pairs), "raw_intents", votes), "doc_id", group)
        }
        PairFormat::Re3 => {
            let label = pair.labels.as_ref().map_or(label, |labels| json!(labels));
            let pairs = [
                ("doc_name", json!(pair.group.as_deref().unwrap_or_default())),
                ("id", id),
                ("text_src", revised),
                ("text_tgt", original),
            ];
            with(members(pairs), "label", label)
        }
        PairFormat::Argilla => argilla(own)?,
        _ => {
            let pairs = [
                ("id", id),
                ("original", original),
                ("revised", revised),
                ("label", said),
                ("major_intent", agreed),
            ];
            with(members(pairs), "group", group)
        }
    })
}

/// With one more member, if there is one.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    if !value.is_null() {
        object[name] = value;
    }
    object
}

/// A record of Argilla.
///
/// # Source
/// `Record.to_dict` and `DatasetRecords.from_list` of Argilla 2.
fn argilla(own: &Converted) -> Result<Value, ConvertError> {
    let pair = &own.pair;
    let value = |labels: &[&str]| match (labels, pair.labels.is_some()) {
        ([label], false) => json!(label),
        _ => json!(labels),
    };
    let several =
        own.prediction.as_ref().is_some_and(|own| matches!(own.told, irtune_train::Told::Labels(_)));
    let annotators = own.annotators()?.into_iter().enumerate();
    let responses: Vec<Value> = annotators
        .filter_map(|(number, labels)| Some(json!({ "value": value(&labels?), "user_id": user(number) })))
        .collect();
    let suggestion = own.predicted().map(|(labels, score)| {
        let value = match (labels, several) {
            ([label], false) => json!(label),
            _ => json!(labels),
        };
        json!({ "value": value, "score": score, "agent": "irtune" })
    });
    let question = |value: Value| Value::Object(Map::from_iter([(QUESTION.to_owned(), value)]));
    let none = || json!({});
    Ok(json!({
        "id": pair.id.as_ref().map(Id::to_string),
        "fields": { "original": pair.original, "revised": pair.revised },
        "metadata": members([("group", json!(pair.group)), ("major_intent", json!(own.agreed()))]),
        "suggestions": suggestion.map_or_else(none, question),
        "responses": if responses.is_empty() { none() } else { question(responses.into()) },
    }))
}

/// The id of an annotator who has none.
fn user(number: usize) -> String {
    format!("00000000-0000-4000-8000-{:012}", number + 1)
}
