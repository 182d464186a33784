//! Which column of a file holds what.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use super::labels::Labels;
use crate::error::{DataError, Quoted};

/// A known arrangement of columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = DataError, parse_err_fn = unknown_preset)]
pub enum Preset {
    /// Decide from the columns found: an upstream layout below, or the usual names
    /// (`original`/`before` and `revised`/`after`, `label`, `group`).
    #[default]
    Auto,
    /// IteraTeR's upstream files: `before_sent`, `after_sent`, `labels`, `doc_id`; rows labelled `others` are
    /// dropped, a side that is absent or null is empty.
    ///
    /// # Source
    /// vipulraheja/IteraTeR, commit 41adc08; the reference code of arXiv 2510.00268 drops the same rows.
    Iterater,
    /// Re3-Sci's upstream files: `text_src` is the *new* text, `text_tgt` the old one; `label`, `doc_name`, `id`.
    ///
    /// # Source
    /// UKPLab/emnlp2024-llm-classifier, commit a714eb1, README.
    Re3,
}

fn unknown_preset(name: &str) -> DataError {
    DataError::UnknownPreset { name: name.to_owned() }
}

/// The columns to read: a preset, and names that take its place where they are given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The arrangement to start from.
    pub preset: Preset,
    /// The column with the text before the revision. A column of JSON objects may be a path, such as `data.text`.
    pub original: Option<String>,
    /// The column with the text after the revision.
    pub revised: Option<String>,
    /// The column with the intention, or with what several annotators said: a list of labels, or an object of labels with
    /// weights.
    pub label: Option<String>,
    /// The column with the document's name.
    pub group: Option<String>,
    /// The column with the row's name.
    pub id: Option<String>,
    /// Labels whose rows are dropped, besides those that the preset drops.
    pub drop_labels: Vec<String>,
    /// Whether rows without label are left out where every row needs one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drop_unlabelled: bool,
}

const ORIGINAL: &[&str] = &["original", "before"];
const REVISED: &[&str] = &["revised", "after"];
const LABEL: &[&str] = &["label", "labels"];
/// Where the label may stand that was agreed on, beside a column of what each annotator said.
pub(super) const GOLD: &[&str] = &["label", "labels", "major_intent"];
/// The document; where several of them are there, the first one counts.
const GROUP: &[&str] = &["group", "doc_id", "doc_name"];
const ID: &[&str] = &["id"];

/// The names to look for, by role; several names are alternatives of which one may be there.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub original: Role,
    pub revised: Role,
    pub label: Role,
    pub group: Role,
    pub id: Role,
    /// A side whose key is absent is empty, not an error.
    pub absent_is_empty: bool,
    pub drop_labels: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub name: &'static str,
    /// The user's own name, or the alternatives.
    pub columns: Vec<String>,
    /// Given by the user: it must be there.
    pub given: bool,
}

/// What the role of the document is called.
const GROUP_ROLE: &str = "group";

impl Role {
    fn new(name: &'static str, given: &Option<String>, otherwise: &[&str]) -> Role {
        let columns = match given {
            Some(column) => vec![column.clone()],
            None => otherwise.iter().map(|&column| column.to_owned()).collect(),
        };
        Role { name, columns, given: given.is_some() }
    }

    /// The one column of this role that is there; of a document's the first one.
    ///
    /// # Errors
    /// When several are.
    pub fn find(
        &self,
        file: &Arc<str>,
        has: impl Fn(&str) -> bool,
        found: impl Fn() -> Vec<String>,
    ) -> Result<Option<&str>, DataError> {
        let mut present = self.columns.iter().filter(|column| has(column));
        let first = present.next();
        let others: Vec<String> = present.cloned().collect();
        if others.is_empty() || self.name == GROUP_ROLE {
            return Ok(first.map(String::as_str));
        }
        let candidates = Quoted(first.cloned().into_iter().chain(others).collect());
        let file = file.clone();
        Err(DataError::UndecidedColumns { file, role: self.name, candidates, found: Quoted(found()) })
    }
}

impl Layout {
    /// The columns that are looked for.
    pub fn read(&self, labels: Labels) -> impl Iterator<Item = &str> {
        let more = [&self.label, &self.group].into_iter().filter(move |_| labels != Labels::Ignored);
        let roles = [&self.original, &self.revised, &self.id].into_iter().chain(more);
        roles.flat_map(|role| &role.columns).map(String::as_str)
    }
}

impl Columns {
    /// Whether there is a column for one of the texts.
    pub(crate) fn fit(&self, has: impl Fn(&str) -> bool) -> bool {
        let layout = self.layout(&has);
        layout.original.columns.iter().chain(&layout.revised.columns).any(|column| has(column))
    }

    /// What to look for in a file with the given columns.
    pub(crate) fn layout(&self, has: &impl Fn(&str) -> bool) -> Layout {
        let preset = match self.preset {
            Preset::Auto if has("before_sent") || has("after_sent") => Preset::Iterater,
            // The direction of text_src/text_tgt is only sure beside Re3's own columns.
            Preset::Auto if has("text_src") && has("text_tgt") && has("doc_name") => Preset::Re3,
            preset => preset,
        };
        let (original, revised, label, group): (&[&str], &[&str], &[&str], &[&str]) = match preset {
            Preset::Auto => (ORIGINAL, REVISED, LABEL, GROUP),
            Preset::Iterater => (&["before_sent"], &["after_sent"], &["labels"], &["doc_id"]),
            Preset::Re3 => (&["text_tgt"], &["text_src"], &["label"], &["doc_name"]),
        };
        let mut drop_labels = self.drop_labels.clone();
        if preset == Preset::Iterater {
            drop_labels.push("others".to_owned());
        }
        Layout {
            original: Role::new("original", &self.original, original),
            revised: Role::new("revised", &self.revised, revised),
            label: Role::new("label", &self.label, label),
            group: Role::new(GROUP_ROLE, &self.group, group),
            id: Role::new("id", &self.id, ID),
            absent_is_empty: preset == Preset::Iterater,
            drop_labels,
        }
    }
}
