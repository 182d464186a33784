//! What people said, for other programs.

use axum::extract::{Path, State as From};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use irtune_labelling::store::{DocumentId, StoredDocument, json_lines};
use irtune_train::Told;

use super::context::Labelling;
use super::revision::prediction;
use crate::annotate::{Annotated, Annotation, Output};
use crate::serve::annotate::written;
use crate::serve::failure::ApiFailure;

/// Every labelled pair, as `irtune train` reads them.
pub(super) async fn pairs(From(labelling): From<Labelling>) -> Result<Response, ApiFailure> {
    let kind = labelling.server.current().kind();
    let pairs = labelling.stored(move |store| store.training_pairs(kind)).await?;
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], json_lines(&pairs)).into_response())
}

/// A document in one of the ways that `irtune annotate` writes, with people's labels in place of the model's.
pub(super) async fn document(
    From(labelling): From<Labelling>,
    Path((id, output)): Path<(i64, String)>,
) -> Result<Response, ApiFailure> {
    let output = output.parse::<Output>().map_err(|error| ApiFailure::Request(error.to_string()))?;
    let current = labelling.server.current();
    let (key, several) = (current.key.clone(), current.several);
    let document = labelling.stored(move |store| store.document(DocumentId(id), &key)).await?;
    let annotation = annotation(document, current.state.labels.clone(), several);
    Ok(written(output, &annotation))
}

/// Drafts as `irtune annotate` has them.
fn annotation(document: StoredDocument, labels: Vec<String>, several: bool) -> Annotation {
    let revisions = document.revisions.into_iter().map(|own| {
        let mut prediction = prediction(own.answer.as_ref());
        if let (Some(prediction), Some(said)) = (&mut prediction, own.opinions.settled()) {
            prediction.told = match said.first() {
                Some(label) if !several => Told::Label(label.clone()),
                _ => Told::Labels(said.to_vec()),
            };
        }
        Annotated { revision: own.revision, prediction }
    });
    Annotation {
        document: None,
        old_name: document.old_name,
        new_name: document.new_name,
        labels,
        revisions: revisions.collect(),
        old: document.old,
        new: document.new,
    }
}
