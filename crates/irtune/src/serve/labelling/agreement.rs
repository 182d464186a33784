//! How far annotators agree, and what is decided where they don't.

use axum::extract::State as From;
use axum::response::Html;
use irtune_data::{Pair, Votes};
use irtune_labelling::store::Item;
use maud::html;

use super::annotator::Annotator;
use super::context::Labelling;
use super::frame;
use super::revision::{Choice, choice, prediction, said, texts};
use crate::serve::failure::ApiFailure;
use crate::survey::Agreement;

/// The figures, and every revision that annotators disagree on.
pub(super) async fn page(
    From(labelling): From<Labelling>,
    annotator: Annotator,
) -> Result<Html<String>, ApiFailure> {
    let current = labelling.server.current();
    let key = current.key.clone();
    let (items, annotators) =
        labelling.stored(move |store| Ok((store.items(&key)?, store.annotators()?))).await?;
    let pairs: Vec<Pair> = items.iter().map(|item| votes(item, &annotators)).collect();
    let agreement = Agreement::of(&pairs).map_err(|error| ApiFailure::Request(error.to_string()))?;
    let disputed: Vec<&Item> = items.iter().filter(|item| item.opinions.disputed()).collect();
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let body = html! {
        @match &agreement {
            None => p { "No two annotators labelled the same revision yet." },
            Some(agreement) => {
                p { (agreement.rows) " revisions were labelled by two annotators or more: " (annotators.join(", ")) "." }
                table { tbody {
                    tr { th scope="row" { "Cohen's kappa, mean over every two" } td { (figure(agreement.cohen_kappa)) } }
                    @if annotators.len() > 2 { tr { th scope="row" { "Fleiss' kappa" } td { (figure(agreement.fleiss_kappa)) } } }
                    tr { th scope="row" { "Krippendorff's alpha" } td { (figure(agreement.krippendorff_alpha)) } }
                } }
            }
        }
        h2 { (disputed.len()) " to be decided" }
        @for item in disputed {
            @let prediction = prediction(item.answer.as_ref());
            article class="revision" tabindex="0" id=(format!("r{}", item.id)) {
                (texts(&item.original, &item.revised))
                p class="said" { (said(&item.opinions).unwrap_or_default()) }
                (choice(&Choice {
                    id: item.id,
                    labels: &current.state.labels,
                    chosen: &[],
                    prediction: prediction.as_ref(),
                    several: current.several,
                    path: "/labelling/decisions",
                    name: format!("Decision about revision {}", item.id),
                }))
            }
        }
    };
    Ok(frame::page("/labelling/agreement", "Agreement", &annotator, &body))
}

/// What annotators said of a revision, one entry each; several labels together count as one answer.
fn votes(item: &Item, annotators: &[String]) -> Pair {
    let vote = |name: &String| {
        let labels = item.opinions.of(name)?.labels.as_ref()?;
        Some(if labels.is_empty() { "no label".to_owned() } else { labels.join(" + ") })
    };
    Pair { votes: Some(Votes::Annotators(annotators.iter().map(vote).collect())), ..Pair::default() }
}
