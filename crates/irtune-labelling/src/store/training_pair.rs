//! What people said, as pairs to train on.

use super::error::StoreError;
use super::item::Item;
use super::open::Store;
use serde::Serialize;

/// Whether a revision has one label or any number of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    /// One.
    One,
    /// Any number.
    Several,
}

/// A labelled pair; as JSON an object that `irtune train` reads as a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrainingPair {
    /// The revision's number, or the name that it was imported with.
    pub id: String,
    /// The document that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The text before.
    pub original: String,
    /// The text after.
    pub revised: String,
    /// What was said of it.
    pub label: TrainingLabel,
}

/// What was said of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TrainingLabel {
    /// Its label: decided, or said by the only annotator who labelled it.
    One(String),
    /// What each annotator said, in the same order in every pair.
    Votes(Vec<Option<String>>),
    /// Its labels, where a pair can have several: decided, or those that more than half of its annotators gave.
    Several(Vec<String>),
}

impl Store {
    /// Every pair that somebody labelled, in the order in which they came.
    ///
    /// # Errors
    /// When the store is damaged, or SQLite fails.
    pub fn training_pairs(&self, kind: LabelKind) -> Result<Vec<TrainingPair>, StoreError> {
        let annotators = self.annotators()?;
        let pair = |item: Item| {
            let label = match kind {
                LabelKind::One => one(&item, &annotators),
                LabelKind::Several => several(&item).map(TrainingLabel::Several),
            }?;
            let id = item.name.unwrap_or_else(|| item.id.to_string());
            Some(TrainingPair {
                id,
                group: item.group,
                original: item.original,
                revised: item.revised,
                label,
            })
        };
        // Of no model, since its answers are of no interest.
        Ok(self.items("")?.into_iter().filter_map(pair).collect())
    }
}

fn one(item: &Item, annotators: &[String]) -> Option<TrainingLabel> {
    let first = |labels: &[String]| labels.first().cloned();
    if let Some(label) = item.opinions.decided_labels().and_then(first) {
        return Some(TrainingLabel::One(label));
    }
    let said = |name: &String| first(item.opinions.of(name)?.labels.as_deref()?);
    let votes: Vec<Option<String>> = annotators.iter().map(said).collect();
    let mut labels = votes.iter().flatten();
    match (labels.next(), labels.next()) {
        (None, _) => None,
        (Some(only), None) => Some(TrainingLabel::One(only.clone())),
        (Some(_), Some(_)) => Some(TrainingLabel::Votes(votes)),
    }
}

fn several(item: &Item) -> Option<Vec<String>> {
    if let Some(labels) = item.opinions.decided_labels() {
        return Some(labels.to_vec());
    }
    let lists: Vec<&[String]> = item.opinions.labels().collect();
    let mut named: Vec<String> = Vec::new();
    for label in lists.iter().copied().flatten() {
        let votes = lists.iter().filter(|list| list.contains(label)).count();
        if 2 * votes > lists.len() && !named.contains(label) {
            named.push(label.clone());
        }
    }
    (!lists.is_empty()).then_some(named)
}

/// A line a pair.
pub fn json_lines(pairs: &[TrainingPair]) -> String {
    let line = |pair| serde_json::to_string(pair).expect("texts are JSON") + "\n";
    pairs.iter().map(line).collect()
}
