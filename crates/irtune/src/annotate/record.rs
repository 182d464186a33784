//! A revision as a JSON object.

use super::{Annotated, Annotation};
use irtune_train::{Prediction, Probabilities};
use serde::Serialize;

/// A revision as a JSON object; original, revised, label and id are the columns that training reads.
#[derive(Debug, Serialize)]
struct Record<'a> {
    id: String,
    /// The document, so that training keeps its revisions together.
    #[serde(skip_serializing_if = "Option::is_none")]
    doc_name: Option<&'a str>,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<&'a str>,
    original: &'a str,
    revised: &'a str,
    /// Where the text begins and ends in the old draft's text, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_span: Option<[usize; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revised_span: Option<[usize; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<&'a Probabilities>,
}

impl<'a> Record<'a> {
    fn of(number: usize, annotated: &'a Annotated, several: bool, document: Option<&'a str>) -> Self {
        let (original, revised) = annotated.texts();
        let span = |passage: &Option<irtune_documents::Passage>| {
            passage.as_ref().map(|passage| [passage.span.start, passage.span.end])
        };
        let prediction: Option<&Prediction> = annotated.prediction.as_ref();
        Record {
            id: match document {
                Some(document) => format!("{document}:{}", number + 1),
                None => (number + 1).to_string(),
            },
            doc_name: document,
            kind: annotated.revision.kind.to_string(),
            section: annotated.section(),
            original,
            revised,
            original_span: span(&annotated.revision.original),
            revised_span: span(&annotated.revision.revised),
            label: prediction.filter(|_| !several).map(Prediction::label),
            labels: prediction.filter(|_| several).map(Prediction::labels),
            probabilities: prediction.map(|prediction| &prediction.probabilities),
        }
    }
}

/// A line a revision.
pub(super) fn lines(annotation: &Annotation) -> String {
    let several = annotation.several();
    let line = |(number, own)| {
        let record = Record::of(number, own, several, annotation.document.as_deref());
        serde_json::to_string(&record).expect("texts and finite numbers are JSON") + "\n"
    };
    annotation.changes().enumerate().map(line).collect()
}
