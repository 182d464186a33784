//! What a person says of revisions.

use axum::Json;
use axum::extract::State as From;
use axum::extract::rejection::JsonRejection;
use irtune_labelling::store::RevisionId;
use serde::{Deserialize, Serialize};

use super::annotator::Annotator;
use super::context::Labelling;
use crate::serve::failure::ApiFailure;
use crate::serve::server::Current;

/// What is said of a revision.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Word {
    revision: RevisionId,
    /// Its labels; `null` to pass.
    labels: Option<Vec<String>>,
}

/// What is kept now.
#[derive(Debug, Serialize)]
pub(super) struct Kept {
    /// In words.
    pub said: String,
}

/// Keeps a person's labels of a revision, or that they pass.
pub(super) async fn label(
    From(labelling): From<Labelling>,
    annotator: Annotator,
    word: Result<Json<Word>, JsonRejection>,
) -> Result<Json<Kept>, ApiFailure> {
    let (Json(Word { revision, labels }), name) = (word?, annotator.known()?);
    let labels = labels.map(|labels| checked(&labelling.server.current(), labels)).transpose()?;
    let said = words(labels.as_deref());
    labelling.stored(move |store| store.say(revision, &name, labels.as_deref())).await?;
    Ok(Json(Kept { said }))
}

/// Keeps what is decided about a revision.
pub(super) async fn decide(
    From(labelling): From<Labelling>,
    annotator: Annotator,
    word: Result<Json<Word>, JsonRejection>,
) -> Result<Json<Kept>, ApiFailure> {
    let (Json(Word { revision, labels }), name) = (word?, annotator.known()?);
    let labels = labels.ok_or_else(|| ApiFailure::Request("a decision needs labels".into()))?;
    let labels = checked(&labelling.server.current(), labels)?;
    let said = words(Some(&labels));
    labelling.stored(move |store| store.decide(revision, &name, &labels)).await?;
    Ok(Json(Kept { said }))
}

/// Undoes the last thing that a person did.
pub(super) async fn undo(
    From(labelling): From<Labelling>,
    annotator: Annotator,
) -> Result<Json<Kept>, ApiFailure> {
    let name = annotator.known()?;
    let undone = labelling.stored(move |store| store.undo(&name)).await?;
    let said = undone.map_or_else(|| "There is nothing to undo.".to_owned(), |_| "Undone.".to_owned());
    Ok(Json(Kept { said }))
}

/// Labels that the model has, each once and in its order; one, unless it can give several.
pub(super) fn checked(current: &Current, labels: Vec<String>) -> Result<Vec<String>, ApiFailure> {
    let known = &current.state.labels;
    if let Some(unknown) = labels.iter().find(|label| !known.contains(label)) {
        let known = known.join(", ");
        return Err(ApiFailure::Request(format!("there is no label {unknown:?}; there are {known}")));
    }
    if !current.several && labels.len() != 1 {
        return Err(ApiFailure::Request(format!("a revision has one label, not {}", labels.len())));
    }
    Ok(known.iter().filter(|label| labels.contains(label)).cloned().collect())
}

fn words(labels: Option<&[String]>) -> String {
    match labels {
        None => "Passed.".to_owned(),
        Some([]) => "Saved: no label.".to_owned(),
        Some(labels) => format!("Saved: {}.", labels.join(", ")),
    }
}
