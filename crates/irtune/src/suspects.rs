//! Pairs whose label is probably wrong: `irtune data --suspects`.

use std::fmt::{self, Display, Formatter};

use irtune_data::{Change, Id, Pair};
use irtune_metrics::{ConfidentLearning, LabelIssue};
use irtune_train::HeldOut;
use serde::Serialize;

use crate::show::numbers::{count, percent};
use crate::show::text_table::table;

/// Pairs that are shown as text; a file or JSON has all.
const SHOWN: usize = 25;
/// Characters of a change that are shown.
const CHANGE: usize = 80;

/// The pairs whose label confident learning finds wrong, in what the runs of a cross-validation said of pairs that they
/// had not seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suspects {
    /// Pairs that were looked at.
    pub pairs: usize,
    /// The labels, in the order of what follows.
    pub labels: Vec<String>,
    /// The probability from which a pair is confidently of each label.
    pub thresholds: Vec<Option<f64>>,
    /// Counts of confident pairs by given (row) and confident (column) label.
    pub joint: Vec<Vec<u64>>,
    /// The pairs, the worst first.
    pub suspects: Vec<Suspect>,
}

/// A pair whose label is probably wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suspect {
    /// Where it stands.
    pub place: String,
    /// Its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The label it has.
    pub label: String,
    /// The held-out probability of this label.
    pub probability: f64,
    /// The label that it probably should have.
    pub suggested: String,
    /// The held-out probability of that one.
    pub suggested_probability: f64,
    /// Half of 1 plus the difference of the label's probability to the largest of another; 0 is the worst.
    pub margin: f64,
    /// The original text.
    pub original: String,
    /// The revised text.
    pub revised: String,
}

impl Suspects {
    /// Looks for them.
    pub fn of(held_out: &HeldOut) -> Suspects {
        let HeldOut { labels, pairs, predictions } = held_out;
        let ConfidentLearning { thresholds, joint, issues } = ConfidentLearning::of(predictions);
        let name = |class: usize| labels.names()[class].clone();
        let suspect = |LabelIssue { example, given, suggested, margin }: LabelIssue| {
            let Pair { original, revised, id, place, .. } = &pairs[example];
            Suspect {
                place: place.to_string(),
                id: id.clone(),
                label: name(given),
                probability: predictions.probability(example, given),
                suggested: name(suggested),
                suggested_probability: predictions.probability(example, suggested),
                margin,
                original: original.clone(),
                revised: revised.clone(),
            }
        };
        Suspects {
            pairs: pairs.len(),
            labels: labels.names().to_vec(),
            thresholds,
            joint,
            suspects: issues.into_iter().map(suspect).collect(),
        }
    }
}

impl Display for Suspects {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (found, pairs) = (self.suspects.len(), self.pairs);
        writeln!(
            formatter,
            "{} of {} pairs ({}) have a label that held-out probabilities contradict",
            count(found as u64),
            count(pairs as u64),
            percent(found as f64 / pairs as f64)
        )?;
        if found == 0 {
            return Ok(());
        }
        let shown = &self.suspects[..found.min(SHOWN)];
        let probability = |value: f64| format!("{value:.2}");
        let row = |suspect: &Suspect| {
            // The folders of a file would take the room of what follows.
            let place = suspect.place.rsplit(['/', '\\']).next().unwrap_or_default();
            let place = match &suspect.id {
                Some(id) => format!("{place} ({id})"),
                None => place.to_owned(),
            };
            vec![
                place,
                suspect.label.clone(),
                probability(suspect.probability),
                suspect.suggested.clone(),
                probability(suspect.suggested_probability),
            ]
        };
        let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
        let text = table(&["pair", "label", "its share", "suggested", "its share"], &rows);
        let changes = std::iter::once("change".to_owned()).chain(shown.iter().map(change));
        for (line, change) in text.lines().zip(changes) {
            writeln!(formatter, "{line}  {change}")?;
        }
        match found - shown.len() {
            0 => Ok(()),
            rest => writeln!(formatter, "… and {} more (--out FILE writes all)", count(rest as u64)),
        }
    }
}

/// What a pair's revision removed and added, cut where it is long.
fn change(suspect: &Suspect) -> String {
    let change = Change::of(&suspect.original, &suspect.revised);
    let hunks = change.hunks().iter().map(|hunk| {
        let marked = |open: &str, text: &str, close: &str| match text.trim() {
            "" => String::new(),
            text => format!("{open}{text}{close}"),
        };
        marked("[-", change.removed(hunk), "-]") + &marked("[+", change.added(hunk), "+]")
    });
    let whole = hunks.collect::<Vec<String>>().join(" ").replace(['\n', '\t'], " ");
    match whole.char_indices().nth(CHANGE) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use irtune_data::{LabelSet, Place};
    use irtune_metrics::Predictions;

    use super::*;

    #[test]
    fn a_flipped_label_is_named_with_its_place_and_change() {
        let labels = LabelSet::new(["clarity", "fluency"]).unwrap();
        let classes = [0u32, 1, 0, 1, 0, 1];
        let pair = |(row, class): (usize, &u32)| Pair {
            original: "He go home.".to_owned(),
            revised: "He goes home.".to_owned(),
            label: labels.name(*class).map(str::to_owned),
            id: Some(format!("pair-{row}").into()),
            place: Place::Line { file: "pairs/train.jsonl".into(), line: row + 1 },
            ..Pair::default()
        };
        let pairs: Vec<Pair> = classes.iter().enumerate().map(pair).collect();
        // The last but one is told as the other label.
        let probabilities = [0.9, 0.1, 0.2, 0.8, 0.8, 0.2, 0.1, 0.9, 0.05, 0.95, 0.2, 0.8];
        let predictions = Predictions::new(&classes, &probabilities, 2).unwrap();
        let found = Suspects::of(&HeldOut { labels, pairs, predictions });
        let [suspect] = found.suspects.as_slice() else { panic!("{found:?}") };
        assert_eq!((suspect.place.as_str(), suspect.suggested.as_str()), ("pairs/train.jsonl:5", "fluency"));
        assert!((suspect.margin - 0.05).abs() < 1e-12);
        assert_eq!(
            found.to_string(),
            "1 of 6 pairs (16.7 %) have a label that held-out probabilities contradict\n  \
             pair                      label  its share  suggested  its share  change\n  \
             train.jsonl:5 (pair-4)  clarity       0.05    fluency       0.95  [-go-][+goes+]\n"
        );
    }
}
