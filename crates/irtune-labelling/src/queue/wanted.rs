//! Pairs that probably have labels which few pairs have.

use super::candidate::Candidate;

/// `count` candidates, each the one whose label is expected to be wanted most: a label is wanted in inverse proportion to
/// the pairs that have it, those that were just chosen included by what is expected of them.
pub(super) fn most(candidates: &[Candidate], labelled: &[usize], count: usize) -> Vec<usize> {
    let mut expected: Vec<f64> = labelled.iter().map(|&pairs| pairs as f64 + 1.0).collect();
    let mut open = vec![true; candidates.len()];
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let worth = |place: usize| -> f64 {
            candidates[place].probabilities.iter().zip(&expected).map(|(share, pairs)| share / pairs).sum()
        };
        let best = (0..candidates.len())
            .filter(|&place| open[place])
            .map(|place| (place, worth(place)))
            .reduce(|best, other| if other.1 > best.1 { other } else { best });
        let Some((place, _)) = best else { break };
        open[place] = false;
        candidates[place].probabilities.iter().zip(&mut expected).for_each(|(share, pairs)| *pairs += share);
        chosen.push(place);
    }
    chosen
}
