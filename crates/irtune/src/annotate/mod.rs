//! Two drafts, and why each of their revisions was made: `irtune annotate`.

mod document_json;
mod drafts;
mod output;
mod page;
mod pieces;
mod record;
mod sections;
mod table;
#[cfg(test)]
mod tests;
mod text;

use irtune_data::{Columns, DataError, Labels, Pair, Pairs, Row};
use irtune_documents::{Document, Revision, RevisionKind, align};
use irtune_train::{Prediction, Predictor, PredictorError, Reading, Told};

pub use drafts::{DraftError, Drafts};
pub use output::{Output, UnknownOutput};
pub use sections::{SectionCounts, counts};
pub use text::text;

/// Two drafts with what became of every sentence, and why.
#[derive(Debug, Clone)]
pub struct Annotation {
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
}

impl Annotation {
    /// Aligns two drafts and asks a model why each revision was made; `told` learns how many of how many are done.
    ///
    /// # Errors
    /// When the model fails.
    pub fn of(
        drafts: Drafts,
        predictor: &mut Predictor,
        told: &mut dyn FnMut(usize, usize),
    ) -> Result<Annotation, PredictorError> {
        let Drafts { old_name, new_name, old, new } = drafts;
        let labels = predictor.labels().names().to_vec();
        let revisions =
            align(&old, &new).into_iter().map(|revision| Annotated { revision, prediction: None });
        let mut revisions: Vec<Annotated> = revisions.collect();
        let changed: Vec<usize> =
            (0..revisions.len()).filter(|&place| !revisions[place].revision.has_same_text()).collect();
        let rows = changed.iter().map(|&place| {
            let (original, revised) = revisions[place].texts();
            Row::new(original, revised)
        });
        let rows: Vec<Row> = rows.collect();
        let pairs = Pairs::from_rows("revision", rows.into(), &Columns::default(), Labels::Optional);
        let pairs: Vec<Result<Pair, DataError>> = pairs.collect();
        for (done, answer) in predictor.predict(pairs, Reading::Ahead).enumerate() {
            revisions[changed[done]].prediction = Some(answer?.prediction);
            told(done + 1, changed.len());
        }
        Ok(Annotation { old_name, new_name, old, new, labels, revisions })
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
