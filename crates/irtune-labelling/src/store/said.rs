//! What people said of a revision.

use super::error::StoreError;
use super::ids::RevisionId;
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;

/// What an annotator said of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub annotator: String,
    /// The labels; nothing where they passed.
    pub labels: Option<Vec<String>>,
}

/// What counts of all that people said of a revision: of each annotator the latest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opinions {
    /// What each annotator said, in the order in which they came to the store.
    pub said: Vec<Said>,
    /// What was decided where they disagree.
    pub decided: Option<Said>,
}

impl Opinions {
    /// What an annotator said, if anything.
    pub fn of(&self, annotator: &str) -> Option<&Said> {
        self.said.iter().find(|said| said.annotator == annotator)
    }

    /// The labels that were decided.
    pub fn decided_labels(&self) -> Option<&[String]> {
        self.decided.as_ref()?.labels.as_deref()
    }

    /// The labels that annotators gave.
    pub fn labels(&self) -> impl Iterator<Item = &[String]> {
        self.said.iter().filter_map(|said| said.labels.as_deref())
    }

    /// Whether two annotators gave other labels and nothing was decided.
    pub fn disputed(&self) -> bool {
        let mut labels = self.labels();
        let first = labels.next();
        self.decided.is_none() && labels.any(|other| Some(other) != first)
    }

    /// The labels that count: what was decided, else what most annotators said, of equals the first.
    pub fn settled(&self) -> Option<&[String]> {
        if let Some(labels) = self.decided_labels() {
            return Some(labels);
        }
        let votes = |labels: &[String]| self.labels().filter(|other| *other == labels).count();
        // The last of equals is taken of an order turned round.
        self.labels().collect::<Vec<_>>().into_iter().rev().max_by_key(|labels| votes(labels))
    }
}

const LATEST: &str = "
SELECT acts.revision, annotators.name, acts.kind, acts.labels
FROM acts JOIN annotators ON annotators.id = acts.annotator JOIN revisions ON revisions.id = acts.revision
WHERE acts.undone_ms IS NULL AND acts.kind IN ('label', 'pass', 'decide') AND revisions.gone_by IS NULL
    AND (?1 IS NULL OR revisions.document = ?1)
ORDER BY annotators.id, acts.id";

/// What counts of every revision that anybody said something of: of all, or of those of a document.
pub(super) fn opinions(
    connection: &Connection,
    document: Option<super::ids::DocumentId>,
) -> Result<BTreeMap<RevisionId, Opinions>, StoreError> {
    let mut statement = connection.prepare_cached(LATEST)?;
    let mut all: BTreeMap<RevisionId, Opinions> = BTreeMap::new();
    // When something was decided, and by which act, the latest of all annotators counts.
    let mut rows = statement.query([document])?;
    while let Some(row) = rows.next()? {
        let (revision, kind): (RevisionId, String) = (row.get(0)?, row.get(2)?);
        let said = Said { annotator: row.get(1)?, labels: labels(row, 3)? };
        let own = all.entry(revision).or_default();
        if kind == "decide" {
            continue;
        }
        match own.said.iter_mut().find(|other| other.annotator == said.annotator) {
            Some(earlier) => *earlier = said,
            None => own.said.push(said),
        }
    }
    let decided =
        LATEST.replace("ORDER BY annotators.id, acts.id", "AND acts.kind = 'decide' ORDER BY acts.id");
    let mut statement = connection.prepare_cached(&decided)?;
    let mut rows = statement.query([document])?;
    while let Some(row) = rows.next()? {
        let said = Said { annotator: row.get(1)?, labels: labels(row, 3)? };
        all.entry(row.get(0)?).or_default().decided = Some(said);
    }
    Ok(all)
}

/// A list of labels as a column has it.
fn labels(row: &Row<'_>, column: usize) -> Result<Option<Vec<String>>, StoreError> {
    let text: Option<String> = row.get(column)?;
    let read = text.map(|text| {
        serde_json::from_str(&text).map_err(|_| StoreError::Damaged { what: "acts.labels", found: text })
    });
    read.transpose()
}
