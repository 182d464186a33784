//! Sentences that a person joins or takes apart.

use axum::Json;
use axum::extract::State as From;
use axum::extract::rejection::JsonRejection;
use irtune_documents::{Revision, join, take_apart};
use irtune_labelling::store::{DocumentId, RevisionId, StoreError};
use serde::Deserialize;

use super::annotator::Annotator;
use super::context::Labelling;
use super::say::Kept;
use crate::serve::failure::ApiFailure;

/// One revision to take apart, or two to join.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Realignment {
    document: DocumentId,
    revisions: Vec<RevisionId>,
}

/// Takes a revision apart, or joins two.
pub(super) async fn realign(
    From(labelling): From<Labelling>,
    annotator: Annotator,
    asked: Result<Json<Realignment>, JsonRejection>,
) -> Result<Json<Kept>, ApiFailure> {
    let (Json(Realignment { document: id, revisions: asked }), name) = (asked?, annotator.known()?);
    // Answers are of no interest here, so no model is named.
    let document = labelling.stored(move |store| store.document(id, "")).await?;
    let both = (&document.old, &document.new);
    let find = |id: RevisionId| {
        let own = document.revisions.iter().find(|own| own.id == id);
        own.map(|own| &own.revision).ok_or(StoreError::NoRevision(id))
    };
    let refused = |error: irtune_documents::RealignError| ApiFailure::Request(error.to_string());
    let (made, said): (Vec<Revision>, _) = match *asked.as_slice() {
        [one] => (take_apart(both, find(one)?).map_err(refused)?, "Taken apart."),
        [first, second] if first != second => {
            let others = document.revisions.iter().filter(|own| own.id != first && own.id != second);
            let others: Vec<&Revision> = others.map(|own| &own.revision).collect();
            (vec![join(both, (find(first)?, find(second)?), &others).map_err(refused)?], "Joined.")
        }
        _ => return Err(ApiFailure::Request("one revision is taken apart, or two are joined".into())),
    };
    labelling.stored(move |store| store.realign(id, &name, &asked, &made)).await?;
    Ok(Json(Kept { said: said.to_owned() }))
}
