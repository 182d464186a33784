//! Pairs that a model is unsure of.

use super::candidate::Candidate;

/// The `count` candidates with the largest figure, of equal ones the first.
pub(super) fn most(candidates: &[Candidate], count: usize, figure: impl Fn(&[f64]) -> f64) -> Vec<usize> {
    let figures: Vec<f64> = candidates.iter().map(|candidate| figure(&candidate.probabilities)).collect();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&left, &right| figures[right].total_cmp(&figures[left]));
    order.truncate(count);
    order
}

/// How near the two most probable labels are: 0 where one of them is certain, up to 1.
pub(super) fn margin(probabilities: &[f64]) -> f64 {
    let (mut first, mut second) = (0.0, 0.0);
    for &probability in probabilities {
        if probability > first {
            (first, second) = (probability, first);
        } else if probability > second {
            second = probability;
        }
    }
    1.0 - (first - second)
}

/// The entropy in nats.
pub(super) fn entropy(probabilities: &[f64]) -> f64 {
    -probabilities.iter().filter(|&&share| share > 0.0).map(|share| share * share.ln()).sum::<f64>()
}
