//! Unsure pairs that differ from each other.
//!
//! The gradient that a linear head would get, if a pair had the label that is most probable, is the outer product of two
//! vectors: probabilities less that label, and features. It is long where the model is unsure, and two are near where pairs are alike and
//! unsure in the same way. k-means++ draws them far from each other.

use super::candidate::Candidate;
use super::draw::Draws;

/// `count` candidates drawn by k-means++: the longest gradient first, then each with a probability that is proportional to
/// the square of its distance to the nearest that was drawn.
pub(super) fn most(candidates: &[Candidate], count: usize, draws: &mut Draws) -> Vec<usize> {
    let gradients: Vec<Gradient<'_>> = candidates.iter().map(Gradient::of).collect();
    let width =
        candidates.iter().flat_map(|one| one.features.last()).map(|last| last.0 + 1).max().unwrap_or(0);
    let mut centre = vec![0.0; width];
    // The square of the distance to the nearest that was drawn; before the first is, of the length.
    let mut distances: Vec<f64> = gradients.iter().map(|gradient| gradient.square).collect();
    let mut open = vec![true; candidates.len()];
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let place = if chosen.is_empty() { longest(&distances) } else { drawn(&distances, &open, draws) };
        let Some(place) = place else { break };
        open[place] = false;
        chosen.push(place);
        let last = &gradients[place];
        last.features.iter().for_each(|&(feature, value)| centre[feature] = value);
        for (distance, gradient) in distances.iter_mut().zip(&gradients) {
            let from = gradient.square + last.square - 2.0 * gradient.product(last, &centre);
            *distance = distance.min(from.max(0.0));
        }
        last.features.iter().for_each(|&(feature, _)| centre[feature] = 0.0);
        distances[place] = 0.0;
    }
    chosen
}

/// The first of the largest.
fn longest(distances: &[f64]) -> Option<usize> {
    (0..distances.len()).reduce(|best, other| if distances[other] > distances[best] { other } else { best })
}

/// One that is open, in proportion to its distance; the first open one where all are at none.
fn drawn(distances: &[f64], open: &[bool], draws: &mut Draws) -> Option<usize> {
    let places = || (0..distances.len()).filter(|&place| open[place]);
    let total: f64 = places().map(|place| distances[place]).sum();
    let mut left = draws.share() * total;
    let found = places().find(|&place| {
        left -= distances[place];
        left < 0.0
    });
    found.or_else(|| places().next())
}

/// A gradient, as the two vectors that it is the product of.
struct Gradient<'a> {
    /// Probabilities, less one for the most probable label, `[labels]`.
    errors: Vec<f64>,
    features: &'a [(usize, f64)],
    /// The square of its length.
    square: f64,
}

impl<'a> Gradient<'a> {
    fn of(candidate: &'a Candidate) -> Self {
        let mut errors = candidate.probabilities.clone();
        if let Some(best) = longest(&errors) {
            errors[best] -= 1.0;
        }
        let features: &[(usize, f64)] = &candidate.features;
        // A feature that every pair has stands for the intercept.
        let length = 1.0 + features.iter().map(|(_, value)| value * value).sum::<f64>();
        let square = errors.iter().map(|error| error * error).sum::<f64>() * length;
        Gradient { errors, features, square }
    }

    /// The scalar product with another one, whose features are given as `centre` too, zeros included.
    fn product(&self, other: &Gradient<'_>, centre: &[f64]) -> f64 {
        let errors: f64 = self.errors.iter().zip(&other.errors).map(|(one, other)| one * other).sum();
        errors * (1.0 + self.features.iter().map(|&(feature, value)| value * centre[feature]).sum::<f64>())
    }
}
