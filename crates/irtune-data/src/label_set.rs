//! The labels a classifier knows, in the order of its outputs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::{DataError, Quoted};
use crate::number::{same_name, sort_names};
use crate::pair::Pair;
use crate::target::Target;
use crate::votes::Votes;

/// Two or more different labels in a fixed order; a label's position is its class.
///
/// Discovered labels are ordered by value where all are numbers, else by their Unicode code points, so that the order
/// depends neither on the file's nor on a hold-out's. It is stored as a plain list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct LabelSet {
    names: Vec<String>,
}

impl LabelSet {
    /// The given labels in the given order.
    ///
    /// # Errors
    /// When there are fewer than two, or one is empty or repeated.
    pub fn new(labels: impl IntoIterator<Item = impl Into<String>>) -> Result<LabelSet, DataError> {
        let names: Vec<String> = labels.into_iter().map(Into::into).collect();
        for (index, name) in names.iter().enumerate() {
            if name.trim().is_empty() || names[..index].contains(name) {
                return Err(DataError::BadLabel { label: name.clone() });
            }
        }
        if names.len() < 2 {
            return Err(DataError::TooFewLabels { found: Quoted(names) });
        }
        Ok(LabelSet { names })
    }

    /// The labels of the training pairs, ordered by value where all of them are numbers, else by code points.
    ///
    /// # Errors
    /// When the pairs hold fewer than two different labels.
    pub fn discover(pairs: &[Pair]) -> Result<LabelSet, DataError> {
        let labels: BTreeSet<&str> = pairs.iter().flat_map(Pair::strata).flatten().collect();
        let mut labels: Vec<&str> = labels.into_iter().collect();
        sort_names(&mut labels);
        LabelSet::new(labels)
    }

    /// How many labels there are.
    #[expect(clippy::len_without_is_empty, reason = "a label set is never empty")]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The labels in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The label of a class.
    pub fn name(&self, class: u32) -> Option<&str> {
        self.names.get(class as usize).map(String::as_str)
    }

    /// The class of a label; of a number also when it is written otherwise, such as `1.0` for `1`.
    pub fn index(&self, label: &str) -> Option<u32> {
        let exactly = self.names.iter().position(|name| name == label);
        let position = exactly.or_else(|| self.names.iter().position(|name| same_name(name, label)))?;
        u32::try_from(position).ok()
    }

    /// What a pair should be told as: its label, or all of several; `None` for a pair of which nothing is known.
    ///
    /// # Errors
    /// When a label isn't in the set, naming the pair's place, the set and the label that resembles it most.
    pub fn target(&self, pair: &Pair) -> Result<Option<Target>, DataError> {
        let Some(labels) = &pair.labels else { return Ok(self.class(pair)?.map(Target::Class)) };
        let mut has = vec![false; self.len()];
        for label in labels {
            has[self.known(label, pair)? as usize] = true;
        }
        Ok(Some(Target::Labels(has)))
    }

    /// The class of a pair's label; `None` for a pair without label.
    ///
    /// # Errors
    /// As [`LabelSet::target`].
    pub fn class(&self, pair: &Pair) -> Result<Option<u32>, DataError> {
        pair.label.as_ref().map(|label| self.known(label, pair)).transpose()
    }

    /// The class of a label of a pair.
    fn known(&self, label: &str, pair: &Pair) -> Result<u32, DataError> {
        self.index(label).ok_or_else(|| DataError::UnknownLabel {
            place: pair.place.clone(),
            label: label.to_owned(),
            known: Quoted(self.names.clone()),
            suggestion: self.nearest(label).map(str::to_owned),
        })
    }

    /// As what a pair should be told when the shares of its annotators' labels are learned; all of it is the label's where
    /// they said nothing of this set. `None` for a pair without label.
    ///
    /// # Errors
    /// As [`LabelSet::target`].
    pub fn distribution(&self, pair: &Pair) -> Result<Option<Target>, DataError> {
        let Some(class) = self.class(pair)? else { return Ok(None) };
        let mut shares = vec![0.0; self.len()];
        for (label, share) in pair.votes.iter().flat_map(Votes::shares) {
            if let Some(class) = self.index(label) {
                shares[class as usize] += share;
            }
        }
        let known: f64 = shares.iter().sum();
        if known == 0.0 {
            shares[class as usize] = 1.0;
        }
        let whole = if known == 0.0 { 1.0 } else { known };
        let shares = shares.into_iter().map(|share| (share / whole) as f32).collect();
        Ok(Some(Target::Shares { class, shares }))
    }

    /// The label that differs least, if at most a third of its letters do.
    pub fn nearest(&self, label: &str) -> Option<&str> {
        let label: Vec<char> = label.to_lowercase().chars().collect();
        let distances = self.names.iter().map(|name| {
            let name_letters: Vec<char> = name.to_lowercase().chars().collect();
            (edits(&label, &name_letters), name_letters.len().max(label.len()), name)
        });
        let (edits, length, name) = distances.min_by_key(|(edits, ..)| *edits)?;
        (edits * 3 <= length).then_some(name)
    }
}

/// Letters to insert, delete or replace to get from one word to the other.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, from) in from.iter().enumerate() {
        let mut diagonal = above[0];
        above[0] = row + 1;
        for (column, to) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = above[column + 1];
            above[column + 1] = replaced.min(diagonal + 1).min(above[column] + 1);
        }
    }
    above[to.len()]
}

impl TryFrom<Vec<String>> for LabelSet {
    type Error = DataError;

    fn try_from(names: Vec<String>) -> Result<LabelSet, DataError> {
        LabelSet::new(names)
    }
}

impl From<LabelSet> for Vec<String> {
    fn from(labels: LabelSet) -> Vec<String> {
        labels.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;

    fn labelled(label: &str) -> Pair {
        Pair {
            label: Some(label.to_owned()),
            place: Place::Line { file: "dev.csv".into(), line: 7 },
            ..Pair::default()
        }
    }

    #[test]
    fn discovery_sorts_and_forgets_the_order_of_rows() {
        let pairs = ["tone", "Grammar", "tone", "claim"].map(labelled);
        let labels = LabelSet::discover(&pairs).unwrap();
        assert_eq!(labels.names(), ["Grammar", "claim", "tone"]);
        assert_eq!(labels.index("tone"), Some(2));
        assert_eq!(labels.name(1), Some("claim"));
        assert_eq!(labels.name(3), None);
        assert_eq!(labels.len(), 3);
    }

    #[test]
    fn a_given_order_is_kept_and_survives_serde() {
        let labels = LabelSet::new(["tone", "claim"]).unwrap();
        let text = serde_json::to_string(&labels).unwrap();
        assert_eq!(text, r#"["tone","claim"]"#);
        assert_eq!(serde_json::from_str::<LabelSet>(&text).unwrap(), labels);
        let error = serde_json::from_str::<LabelSet>(r#"["tone","tone"]"#).unwrap_err().to_string();
        assert!(error.starts_with("the label \"tone\" is empty or stands twice"), "{error}");
    }

    #[test]
    fn one_label_is_too_few() {
        let error = LabelSet::discover(&["tone", "tone"].map(labelled)).unwrap_err();
        assert!(matches!(error, DataError::TooFewLabels { .. }));
        assert_eq!(error.to_string(), "a classifier needs at least two different labels, found: \"tone\"");
    }

    #[test]
    fn empty_and_repeated_labels_are_refused() {
        for names in [["tone", "tone"], ["tone", " "]] {
            assert!(matches!(LabelSet::new(names), Err(DataError::BadLabel { .. })));
        }
    }

    #[test]
    fn an_unknown_label_names_its_place_and_the_nearest_one() {
        let labels = LabelSet::new(["clarity", "tone"]).unwrap();
        assert_eq!(labels.target(&labelled("tone")).unwrap(), Some(Target::Class(1)));
        assert_eq!(labels.target(&Pair::default()).unwrap(), None);
        assert_eq!(
            labels.target(&labelled("Clartiy")).unwrap_err().to_string(),
            "dev.csv:7: unknown label \"Clartiy\" (did you mean \"clarity\"?); known labels: \"clarity\", \"tone\""
        );
        assert_eq!(
            labels.target(&labelled("evidence")).unwrap_err().to_string(),
            "dev.csv:7: unknown label \"evidence\"; known labels: \"clarity\", \"tone\""
        );
    }

    #[test]
    fn a_distribution_is_of_the_known_labels() {
        let labels = LabelSet::new(["clarity", "tone"]).unwrap();
        let voted = |votes: &[&str]| Pair {
            votes: Some(Votes::Annotators(votes.iter().map(|label| Some((*label).to_owned())).collect())),
            ..labelled("tone")
        };
        let shares = |pair: &Pair| match labels.distribution(pair).unwrap() {
            Some(Target::Shares { shares, .. }) => shares,
            other => panic!("{other:?}"),
        };
        assert_eq!(shares(&voted(&["tone", "clarity", "tone", "tone"])), [0.25, 0.75]);
        assert_eq!(shares(&voted(&["tone", "other"])), [0.0, 1.0]);
        assert_eq!(shares(&voted(&["other"])), [0.0, 1.0]);
        assert_eq!(shares(&labelled("clarity")), [1.0, 0.0]);
        assert_eq!(labels.distribution(&Pair::default()).unwrap(), None);
        assert!(labels.distribution(&labelled("other")).is_err());
    }

    #[test]
    fn a_pair_can_have_several_labels_or_none() {
        let several = |labels: &[&str]| Pair {
            labels: Some(labels.iter().map(|&label| label.to_owned()).collect()),
            label: None,
            ..labelled("")
        };
        let pairs = [several(&["tone", "claim"]), several(&[]), several(&["clarity"])];
        let labels = LabelSet::discover(&pairs).unwrap();
        assert_eq!(labels.names(), ["claim", "clarity", "tone"]);
        let target = |pair: &Pair| labels.target(pair).unwrap().unwrap();
        assert_eq!(target(&pairs[0]), Target::Labels(vec![true, false, true]));
        assert_eq!((target(&pairs[0]).class(), target(&pairs[1]).labels()), (None, Some(&[false; 3][..])));
        let error = labels.target(&several(&["tone", "claims"])).unwrap_err().to_string();
        assert!(error.contains("unknown label \"claims\" (did you mean \"claim\"?)"), "{error}");
        assert!(LabelSet::discover(&pairs[1..]).is_err());
    }

    #[test]
    fn edits_are_counted() {
        let count =
            |from: &str, to: &str| edits(&from.chars().collect::<Vec<_>>(), &to.chars().collect::<Vec<_>>());
        assert_eq!(count("", "abc"), 3);
        assert_eq!(count("kitten", "sitting"), 3);
        assert_eq!(count("same", "same"), 0);
    }
}
