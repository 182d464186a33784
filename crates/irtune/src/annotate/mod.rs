//! Two drafts, and why each of their revisions was made: `irtune annotate`.

mod document_json;
mod drafts;
mod folders;
mod m2;
mod output;
mod page;
mod pieces;
mod record;
mod sections;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod tracked;

use irtune_data::Row;
use irtune_documents::{Document, Revision, RevisionKind, align, align_while};
use irtune_train::{Prediction, Told};

pub use drafts::{DraftError, Drafts};
pub use folders::{FolderPair, FolderPairs, FolderPairsError};
pub use output::{Output, UnknownOutput};
pub use pieces::{Side, changes, marked, pieces};
pub use sections::{SectionCounts, counts};
pub use text::text;

/// Two drafts with what became of every sentence, and why.
#[derive(Debug, Clone)]
pub struct Annotation {
    /// What the document is called, where it is one of several.
    pub document: Option<String>,
    /// What the old draft is called.
    pub old_name: String,
    /// What the new draft is called.
    pub new_name: String,
    /// The old draft.
    pub old: Document,
    /// The new draft.
    pub new: Document,
    /// The labels that a revision can have, in their order.
    pub labels: Vec<String>,
    /// Every sentence of both drafts, in the order of the new one.
    pub revisions: Vec<Annotated>,
}

/// What became of sentences, and why.
#[derive(Debug, Clone)]
pub struct Annotated {
    /// What happened.
    pub revision: Revision,
    /// What the model says of it; nothing where the text stayed the same.
    pub prediction: Option<Prediction>,
}

impl Annotated {
    /// The texts before and after; empty where there is none.
    pub fn texts(&self) -> (&str, &str) {
        let original = self.revision.original.as_ref().map_or("", |passage| passage.text.as_str());
        let revised = self.revision.revised.as_ref().map_or("", |passage| passage.text.as_str());
        (original, revised)
    }

    /// The heading it stands under: in the new draft, or where it was deleted in the old one.
    pub fn section(&self) -> Option<&str> {
        let passage = self.revision.revised.as_ref().or(self.revision.original.as_ref())?;
        passage.section.as_deref()
    }

    /// The labels it has; none where the text stayed the same or the model is not sure enough.
    pub fn labels(&self) -> Vec<&str> {
        let labels = self.prediction.as_ref().map(|prediction| match prediction.label() {
            Some(label) => vec![label],
            None => prediction.labels().iter().map(String::as_str).collect(),
        });
        labels.unwrap_or_default()
    }

    /// The labels it has, each with its probability; nothing where there is none.
    fn told(&self) -> Option<String> {
        let probabilities = &self.prediction.as_ref()?.probabilities;
        let told = |label: &str| format!("{label} {:.2}", probabilities.of(label).unwrap_or_default());
        let told: Vec<String> = self.labels().into_iter().map(told).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

impl Annotation {
    /// Aligns two drafts; nothing is said of their revisions yet. `labels` are those of the model that will be asked.
    pub fn of(drafts: Drafts, labels: Vec<String>) -> Annotation {
        let revisions = align(&drafts.old, &drafts.new);
        Annotation::with(drafts, labels, revisions)
    }

    /// As [`Annotation::of`], as long as `goes_on` says so; nothing once it doesn't.
    pub fn of_while(drafts: Drafts, labels: Vec<String>, goes_on: &dyn Fn() -> bool) -> Option<Annotation> {
        let revisions = align_while(&drafts.old, &drafts.new, goes_on)?;
        Some(Annotation::with(drafts, labels, revisions))
    }

    fn with(drafts: Drafts, labels: Vec<String>, revisions: Vec<Revision>) -> Annotation {
        let Drafts { old_name, new_name, old, new, .. } = drafts;
        let revisions =
            revisions.into_iter().map(|revision| Annotated { revision, prediction: None }).collect();
        Annotation { document: None, old_name, new_name, old, new, labels, revisions }
    }

    /// What a model is to be asked: each revision whose text changed, in order.
    pub fn questions(&self) -> Vec<Row> {
        let changed = self.revisions.iter().filter(|own| !own.revision.has_same_text());
        let row = |own: &Annotated| {
            let (original, revised) = own.texts();
            Row::new(original, revised)
        };
        changed.map(row).collect()
    }

    /// Takes the model's answers to [`questions`](Self::questions), as many and in their order.
    pub fn answer(&mut self, predictions: impl IntoIterator<Item = Prediction>) {
        let changed = self.revisions.iter_mut().filter(|own| !own.revision.has_same_text());
        for (own, prediction) in changed.zip(predictions) {
            own.prediction = Some(prediction);
        }
    }

    /// Whether a revision can have several labels.
    fn several(&self) -> bool {
        let told =
            |own: &Annotated| matches!(own.prediction.as_ref().map(|own| &own.told), Some(Told::Labels(_)));
        self.revisions.iter().any(told)
    }

    /// The revisions: what is not the same at the same place.
    pub fn changes(&self) -> impl Iterator<Item = &Annotated> {
        self.revisions.iter().filter(|own| own.revision.kind != RevisionKind::Unchanged)
    }
}
