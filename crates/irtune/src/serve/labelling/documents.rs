//! The list of documents, and where drafts come in.

use axum::extract::State as From;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::response::{Html, Redirect};
use irtune_labelling::store::NewDocument;
use maud::html;

use super::annotator::Annotator;
use super::context::Labelling;
use super::frame;
use crate::serve::annotate::{AnnotateForm, aligned};
use crate::serve::failure::ApiFailure;
use crate::serve::form::drafts;

/// All documents and pools, and the forms that take more.
pub(super) async fn page(
    From(labelling): From<Labelling>,
    annotator: Annotator,
) -> Result<Html<String>, ApiFailure> {
    let (documents, pools) = labelling.stored(|store| Ok((store.documents()?, store.pools()?))).await?;
    let state = labelling.server.current().state;
    let body = html! {
        p { "The model is " strong { (state.name) } "; it tells " (state.labels.join(", ")) ". Drafts and labels are kept in the project." }
        @if !documents.is_empty() {
            table {
                thead { tr { th scope="col" { "Document" } th scope="col" { "Revisions" } th scope="col" { "Labelled" } } }
                tbody { @for own in &documents { tr {
                    td { a href=(format!("/labelling/documents/{}", own.id)) { (own.old_name) " → " (own.new_name) } }
                    td { (own.revisions) } td { (own.labelled) }
                } } }
            }
        }
        @if !pools.is_empty() {
            table {
                thead { tr { th scope="col" { "Imported pairs" } th scope="col" { "Pairs" } th scope="col" { "Labelled" } } }
                tbody { @for own in &pools { tr { td { (own.name) } td { (own.pairs) } td { (own.labelled) } } } }
            }
        }
        p { a href="/labelling/pairs.jsonl" { "Everything that was labelled, as training pairs" } }
        h2 { "Two drafts" }
        form method="post" action="/labelling/documents" enctype="multipart/form-data" {
            (drafts(8))
            button type="submit" { "Show the revisions" }
        }
        h2 { "Pairs to be labelled" }
        form method="post" action="/labelling/pools" enctype="multipart/form-data" {
            label { "A file of pairs (JSON, CSV, TSV, Excel or Parquet) " input type="file" name="pairs" required; }
            button type="submit" { "Import them" }
        }
    };
    Ok(frame::page("/", "Documents", &annotator, &body))
}

/// Takes two drafts and leads to their page.
pub(super) async fn add(
    From(labelling): From<Labelling>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Redirect, ApiFailure> {
    let form = form.map_err(|_| ApiFailure::NoForm)?;
    let form = AnnotateForm::read(form).await?;
    let annotation = aligned(form, Vec::new()).await?;
    let most = labelling.server.current().state.options.pairs;
    let pairs = annotation.questions().len();
    if pairs > most {
        return Err(ApiFailure::TooMany { pairs, most });
    }
    let add = labelling.stored(move |store| {
        let revisions: Vec<_> = annotation.revisions.into_iter().map(|own| own.revision).collect();
        store.add_document(&NewDocument {
            old_name: &annotation.old_name,
            new_name: &annotation.new_name,
            old: &annotation.old,
            new: &annotation.new,
            revisions: &revisions,
        })
    });
    Ok(Redirect::to(&format!("/labelling/documents/{}", add.await?)))
}
