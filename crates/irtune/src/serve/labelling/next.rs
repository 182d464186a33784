//! One revision at a time.

use std::sync::PoisonError;

use axum::extract::State as From;
use axum::response::Html;
use irtune_labelling::store::Item;
use maud::html;

use super::annotator::Annotator;
use super::context::Labelling;
use super::frame;
use super::revision::{Choice, choice, prediction, texts};
use crate::serve::failure::ApiFailure;

/// The revision that a person is asked about next.
pub(super) async fn page(
    From(labelling): From<Labelling>,
    annotator: Annotator,
) -> Result<Html<String>, ApiFailure> {
    let current = labelling.server.current();
    let key = current.key.clone();
    let items = labelling.stored(move |store| store.items(&key)).await?;
    let name = annotator.0.clone().unwrap_or_default();
    let (labelled, waiting, first) = chosen(&labelling, items, name).await?;
    let body = html! {
        p { (labelled) " labelled or passed by you, " (waiting) " waiting." }
        @match first {
            None => p { "There is nothing left. " a href="/" { "Add drafts or pairs" } ", or " a href="/labelling/training" { "train again" } "." },
            Some(item) => {
                @let prediction = prediction(item.answer.as_ref());
                article class="revision" id="next" data-next {
                    @if let Some(section) = &item.section { p class="head" { (section) } }
                    (texts(&item.original, &item.revised))
                    (choice(&Choice {
                        id: item.id,
                        labels: &current.state.labels,
                        chosen: &[],
                        prediction: prediction.as_ref(),
                        several: current.several,
                        path: "/labelling/labels",
                        name: "Why was it revised?".to_owned(),
                    }))
                    p {
                        button type="button" data-pass=(item.id) { kbd { "0" } " Pass" }
                        @if current.several { " " a href="/labelling/next" { "Next" } }
                    }
                }
            }
        }
    };
    Ok(frame::page("/labelling/next", "Annotate next", &annotator, &body))
}

/// How many an annotator has labelled or passed, how many wait for them, and the one to ask about first.
async fn chosen(
    labelling: &Labelling,
    items: Vec<Item>,
    annotator: String,
) -> Result<(usize, usize, Option<Item>), ApiFailure> {
    let current = labelling.server.current();
    let project = labelling.project.clone();
    let found = tokio::task::spawn_blocking(move || {
        let labelled = items.iter().filter(|item| item.opinions.of(&annotator).is_some()).count();
        let waits = |item: &&Item| item.opinions.of(&annotator).is_none() && item.opinions.decided.is_none();
        let waiting: Vec<&Item> = items.iter().filter(waits).collect();
        let mut order = project.order.lock().unwrap_or_else(PoisonError::into_inner);
        let first = order.first(&current.key, &current.state.labels, &items, &waiting);
        let waiting = waiting.len();
        (labelled, waiting, first.and_then(|id| items.into_iter().find(|item| item.id == id)))
    });
    found.await.map_err(|_| ApiFailure::Broken)
}
