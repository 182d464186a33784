//! How many revisions of which intention a section has.

use super::Annotation;

/// A section with how many of its revisions have each label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionCounts<'a> {
    /// Its heading; nothing for what stands before the first one.
    pub section: Option<&'a str>,
    /// Revisions by label, in the order of the labels.
    pub labels: Vec<usize>,
    /// Revisions without a label: of which the text stayed the same, or of which the model is not sure enough.
    pub none: usize,
}

/// The sections that have revisions, in the order of the drafts.
pub fn counts(annotation: &Annotation) -> Vec<SectionCounts<'_>> {
    let mut sections: Vec<SectionCounts<'_>> = Vec::new();
    for own in annotation.changes() {
        let section = own.section();
        let place = sections.iter().position(|counts| counts.section == section).unwrap_or_else(|| {
            sections.push(SectionCounts { section, labels: vec![0; annotation.labels.len()], none: 0 });
            sections.len() - 1
        });
        let labels = own.labels();
        sections[place].none += usize::from(labels.is_empty());
        for (count, label) in sections[place].labels.iter_mut().zip(&annotation.labels) {
            *count += usize::from(labels.contains(&label.as_str()));
        }
    }
    sections
}
