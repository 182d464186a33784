//! An annotation as text for a terminal.

use super::pieces::marked;
use super::{Annotation, counts};
use crate::show::text_table::table;
use std::fmt::Write as _;

/// What counts of a section without a heading stand under.
pub(super) const NO_SECTION: &str = "(before the first heading)";

/// Each revision with its label, then how many there are of each label by section.
pub fn text(annotation: &Annotation) -> String {
    let mut out = String::new();
    let mut section = None;
    for (number, own) in annotation.changes().enumerate() {
        if own.section() != section {
            section = own.section();
            let _ = writeln!(out, "\n{}", section.unwrap_or(NO_SECTION));
        }
        let labels = match own.labels() {
            labels if labels.is_empty() => "–".to_owned(),
            labels => labels.join(", "),
        };
        let (original, revised) = own.texts();
        let _ = writeln!(out, "{:>4}  {labels}  ({})", number + 1, own.revision.kind);
        let _ = writeln!(out, "      {}", marked(original, revised));
    }
    let sections = counts(annotation);
    let name = |section: Option<&str>| section.unwrap_or(NO_SECTION).to_owned();
    let rows: Vec<Vec<String>> = sections
        .iter()
        .map(|counts| {
            let numbers = counts.labels.iter().chain([&counts.none]).map(usize::to_string);
            std::iter::once(name(counts.section)).chain(numbers).collect()
        })
        .collect();
    let header: Vec<&str> =
        ["section"].into_iter().chain(annotation.labels.iter().map(String::as_str)).chain(["–"]).collect();
    let changes = annotation.changes().count();
    let same = annotation.revisions.len() - changes;
    let _ = writeln!(out, "\n{changes} revisions; {same} sentences stayed as they were.");
    if !rows.is_empty() {
        let _ = write!(out, "\n{}", table(&header, &rows));
    }
    out
}
