//! Which labelled pairs a prompt shows.

use std::collections::HashSet;

use super::random::shuffled;
use crate::error::DataError;
use crate::label_set::LabelSet;
use crate::pair::Pair;

/// Of the draw of the shots.
const PURPOSE: u64 = 0x5348_4f54;

/// Draws `count` pairs of every label, and an order of them all that has nothing to do with their labels. No pair is drawn
/// whose texts are those of a pair that is `asked` about, for a prompt that shows it would show the answer.
///
/// # Errors
/// When a label has fewer pairs, or a pair a label that isn't in the set.
pub fn draw_shots(
    pairs: &[Pair],
    asked: &[Pair],
    labels: &LabelSet,
    count: usize,
    seed: u64,
) -> Result<Vec<usize>, DataError> {
    let targets: Vec<Option<u32>> = pairs.iter().map(|pair| labels.class(pair)).collect::<Result<_, _>>()?;
    let asked: HashSet<(&str, &str)> =
        asked.iter().map(|pair| (pair.original.as_str(), pair.revised.as_str())).collect();
    let is_asked =
        |pair: usize| asked.contains(&(pairs[pair].original.as_str(), pairs[pair].revised.as_str()));
    let mut drawn = Vec::new();
    for (class, label) in (0..).zip(labels.names()) {
        let (asked, own): (Vec<usize>, Vec<usize>) =
            (0..pairs.len()).filter(|&pair| targets[pair] == Some(class)).partition(|&pair| is_asked(pair));
        if own.len() < count {
            let (label, pairs, asked) = (label.clone(), own.len(), asked.len());
            return Err(DataError::TooFewShots { label, pairs, shots: count, asked });
        }
        let order = shuffled(own.len(), PURPOSE, seed, u64::from(class));
        drawn.extend(order.into_iter().take(count).map(|place| own[place]));
    }
    let order = shuffled(drawn.len(), PURPOSE, seed, u64::MAX);
    Ok(order.into_iter().map(|place| drawn[place]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(label: &str) -> Pair {
        Pair { label: Some(label.to_owned()), ..Pair::default() }
    }

    #[test]
    fn no_pair_is_drawn_that_is_asked_about() {
        let labels = LabelSet::new(["a", "b"]).unwrap();
        let numbered = |number: usize| Pair {
            revised: number.to_string(),
            ..pair(if number.is_multiple_of(2) { "a" } else { "b" })
        };
        let pairs: Vec<Pair> = (0..12).map(numbered).collect();
        let asked: Vec<Pair> = (0..8).map(numbered).collect();
        let drawn = draw_shots(&pairs, &asked, &labels, 2, 7).unwrap();
        assert_eq!(drawn.iter().collect::<std::collections::BTreeSet<_>>(), [8, 9, 10, 11].iter().collect());
        let error = draw_shots(&pairs, &asked, &labels, 3, 7).unwrap_err().to_string();
        assert!(error.contains("only 2 have the label \"a\" and are not asked about (4 are)"), "{error}");
    }

    #[test]
    fn shots_are_drawn_by_seed_and_equally_of_every_label() {
        let labels = LabelSet::new(["a", "b"]).unwrap();
        let pairs: Vec<Pair> = (0..30).map(|index| pair(if index % 3 == 0 { "a" } else { "b" })).collect();
        let drawn = draw_shots(&pairs, &[], &labels, 4, 7).unwrap();
        assert_eq!(drawn, draw_shots(&pairs, &[], &labels, 4, 7).unwrap());
        assert_ne!(drawn, draw_shots(&pairs, &[], &labels, 4, 8).unwrap());
        assert_eq!(drawn.iter().filter(|&&index| index % 3 == 0).count(), 4);
        assert_eq!(drawn.iter().collect::<std::collections::BTreeSet<_>>().len(), 8);
        let error = draw_shots(&pairs, &[], &labels, 11, 7).unwrap_err();
        assert!(matches!(error, DataError::TooFewShots { pairs: 10, shots: 11, .. }), "{error}");
    }
}
