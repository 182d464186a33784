//! Two drafts with their revisions, to be corrected.

use axum::extract::{Path, State as From};
use axum::response::Html;
use irtune_documents::RevisionKind;
use irtune_labelling::store::{DocumentId, StoredRevision};
use maud::{Markup, html};

use super::annotator::Annotator;
use super::context::Labelling;
use super::revision::{Choice, choice, prediction, said, shown, texts};
use super::{frame, predictions};
use crate::serve::failure::ApiFailure;
use crate::serve::server::Current;

/// The page of two drafts.
pub(super) async fn page(
    From(labelling): From<Labelling>,
    Path(id): Path<i64>,
    annotator: Annotator,
) -> Result<Html<String>, ApiFailure> {
    let id = DocumentId(id);
    let current = labelling.server.current();
    let most = current.state.options.pairs;
    // Where the model can't answer now, the page is shown without it.
    let unanswered = predictions::ask(&labelling, Some(id), most).await.is_err();
    let key = current.key.clone();
    let document = labelling.stored(move |store| store.document(id, &key)).await?;
    let changed = document.revisions.iter().filter(|own| !own.revision.has_same_text()).count();
    let labelled = document.revisions.iter().filter(|own| own.opinions.settled().is_some()).count();
    let mut number = 0;
    let body = html! {
        p { (changed) " revisions, " (labelled) " of them labelled. A click or a digit says a label; the arrow keys lead from one revision to the next. Split takes a revision apart into its sentences; Join, pressed on two, puts them together." }
        @if unanswered { p class="warning" { "The model can't answer now; load the page again later." } }
        p { "Save it: " @for (output, name) in [("jsonl", "JSON lines"), ("csv", "table"), ("docx", "Word document"), ("html", "page"), ("json", "IteraTeR document")] {
            a href=(format!("/labelling/documents/{id}/export/{output}")) { (name) } " "
        } }
        div id="document" data-document=(id) {
            @for own in &document.revisions {
                @if own.revision.kind == RevisionKind::Unchanged {
                    (unchanged(own))
                } @else {
                    @let shown = { number += 1; number };
                    (revision(own, shown, &current))
                }
            }
        }
    };
    let title = format!("{} → {}", document.old_name, document.new_name);
    Ok(frame::page("", &title, &annotator, &body))
}

fn unchanged(own: &StoredRevision) -> Markup {
    let text = own.revision.revised.as_ref().map_or("", |passage| passage.text.as_str());
    html! { p class="same" { (text) " " button type="button" class="quiet" data-join=(own.id) aria-pressed="false" { "Join" } } }
}

fn revision(own: &StoredRevision, number: usize, current: &Current) -> Markup {
    let text = |passage: &Option<irtune_documents::Passage>| {
        passage.as_ref().map_or_else(String::new, |passage| passage.text.clone())
    };
    let (original, revised) = (text(&own.revision.original), text(&own.revision.revised));
    let prediction = prediction(own.answer.as_ref());
    let chosen = shown(&own.opinions, prediction.as_ref());
    let splits = own.revision.original.is_some() && own.revision.revised.is_some();
    html! {
        article class="revision" tabindex="0" id=(format!("r{}", own.id)) aria-label=(format!("Revision {number}, {}", own.revision.kind)) {
            p class="head" {
                span { (number) " · " (own.revision.kind) }
                @if splits { button type="button" class="quiet" data-split=(own.id) { "Split" } }
                button type="button" class="quiet" data-join=(own.id) aria-pressed="false" { "Join" }
            }
            (texts(&original, &revised))
            @if !own.revision.has_same_text() {
                (choice(&Choice {
                    id: own.id,
                    labels: &current.state.labels,
                    chosen: &chosen,
                    prediction: prediction.as_ref(),
                    several: current.several,
                    path: "/labelling/labels",
                    name: format!("Intention of revision {number}"),
                }))
                p class="said" { (said(&own.opinions).unwrap_or_else(|| "only the model said something".to_owned())) }
            }
        }
    }
}
