//! A revision as the pages show it.

use irtune_labelling::store::{Answer, Opinions, RevisionId};
use irtune_train::Prediction;
use maud::{Markup, html};

use crate::annotate::{Side, changes, pieces};

/// How many colours there are.
const COLOURS: usize = 8;

/// What the model said, if it can still be read.
pub(super) fn prediction(answer: Option<&Answer>) -> Option<Prediction> {
    serde_json::from_str(&answer?.text).ok()
}

/// Both texts side by side, what changed marked.
pub(super) fn texts(original: &str, revised: &str) -> Markup {
    let pieces = pieces(original, revised);
    html! {
        div class="texts" {
            p { (changes(&pieces, &[Side::Old])) }
            p { (changes(&pieces, &[Side::New])) }
        }
    }
}

/// What can be said of a revision.
pub(super) struct Choice<'a> {
    /// The revision.
    pub id: RevisionId,
    /// The labels there are.
    pub labels: &'a [String],
    /// Those that are chosen now.
    pub chosen: &'a [String],
    /// What the model says.
    pub prediction: Option<&'a Prediction>,
    /// Whether it may have several.
    pub several: bool,
    /// Where a choice is sent.
    pub path: &'static str,
    /// What the buttons are for.
    pub name: String,
}

/// A button a label; the digit before it is its key.
pub(super) fn choice(choice: &Choice<'_>) -> Markup {
    let probability =
        |label: &str| choice.prediction.and_then(|prediction| prediction.probabilities.of(label));
    html! {
        div class="labels" role="group" aria-label=(choice.name) data-revision=(choice.id) data-path=(choice.path)
            data-several[choice.several] {
            @for (number, label) in choice.labels.iter().enumerate() {
                button type="button" class=(format!("label label-{}", number % COLOURS)) data-label=(label)
                    aria-pressed=(if choice.chosen.contains(label) { "true" } else { "false" })
                    aria-keyshortcuts=[(number < 9).then(|| number + 1)] {
                    @if number < 9 { kbd { (number + 1) } " " } (label)
                    @if let Some(probability) = probability(label) { " " small { (format!("{probability:.2}")) } }
                }
            }
            @if choice.several {
                button type="button" class="label" data-none { "no label" }
            }
        }
    }
}

/// The labels that count now: what people said, else what the model says.
pub(super) fn shown(opinions: &Opinions, prediction: Option<&Prediction>) -> Vec<String> {
    let own = opinions.settled().map(<[String]>::to_vec);
    own.or_else(|| prediction.map(|prediction| prediction.labels().to_vec())).unwrap_or_default()
}

/// Who said what, in words.
pub(super) fn said(opinions: &Opinions) -> Option<String> {
    let words = |labels: &Option<Vec<String>>| match labels.as_deref() {
        None => "passed".to_owned(),
        Some([]) => "no label".to_owned(),
        Some(labels) => labels.join(", "),
    };
    let mut all: Vec<String> =
        opinions.said.iter().map(|said| format!("{}: {}", said.annotator, words(&said.labels))).collect();
    all.extend(
        opinions
            .decided
            .as_ref()
            .map(|said| format!("decided by {}: {}", said.annotator, words(&said.labels))),
    );
    (!all.is_empty()).then(|| all.join("; "))
}
