//! One revision at a time.

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
    let name = annotator.0.as_deref().unwrap_or_default();
    let labelled = items.iter().filter(|item| item.opinions.of(name).is_some()).count();
    let waiting: Vec<&Item> = items
        .iter()
        .filter(|item| item.opinions.of(name).is_none() && item.opinions.decided.is_none())
        .collect();
    let body = html! {
        p { (labelled) " labelled or passed by you, " (waiting.len()) " waiting." }
        @match first(&waiting) {
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

/// The one to ask about first: drawn at random, the same for everybody, so that annotators meet.
fn first<'a>(waiting: &[&'a Item]) -> Option<&'a Item> {
    let drawn =
        |item: &&&Item| (item.id.0 as u64 ^ 0x5EED).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    waiting.iter().min_by_key(drawn).copied()
}
