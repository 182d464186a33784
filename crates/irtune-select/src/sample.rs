//! Random samples of layers, without replacement.

use crate::Draws;

/// Brings `count` of the items, all equally likely, to the front: position i is swapped with a random one of those
/// from i on, for i = 0, 1, ….
pub fn uniform<T>(draws: &mut dyn Draws, items: &mut [T], count: usize) {
    for position in 0..count {
        let other = position + draws.below(items.len() - position);
        items.swap(position, other);
    }
}

/// Draws `count` layers one after the other, each with a probability in proportion to its weight among those not yet
/// drawn; `drawn` is emptied and filled in the order of the draws.
///
/// One number u decides each draw: the layer at which the running sum of the weights, in the order of the layers,
/// exceeds u times their total; if rounding leaves none, the last.
///
/// # Shapes
/// `weights`: `[layers]`, none negative; `count` is at most `layers`.
pub fn weighted(draws: &mut dyn Draws, weights: &[f64], count: usize, drawn: &mut Vec<usize>) {
    drawn.clear();
    for _ in 0..count {
        let total: f64 = (0..weights.len())
            .filter(|layer| !drawn.contains(layer))
            .fold(0.0, |total, layer| total + weights[layer]);
        let mark = draws.unit() * total;
        let (mut sum, mut last) = (0.0, None);
        for layer in (0..weights.len()).filter(|layer| !drawn.contains(layer)) {
            sum += weights[layer];
            last = Some(layer);
            if sum > mark {
                break;
            }
        }
        drawn.extend(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StepDraws;

    #[test]
    fn uniform_samples_reach_every_item_equally_often() {
        let mut counts = [0; 5];
        for step in 0..5_000 {
            let mut items = [0, 1, 2, 3, 4];
            uniform(&mut StepDraws::new(3, step), &mut items, 2);
            assert_ne!(items[0], items[1]);
            items[..2].iter().for_each(|&item| counts[item] += 1);
        }
        assert!(counts.iter().all(|&count| (1_850..2_150).contains(&count)), "{counts:?}");
    }

    #[test]
    fn weighted_samples_follow_their_weights_and_never_repeat() {
        let mut first = [0; 4];
        let mut drawn = Vec::new();
        for step in 0..8_000 {
            weighted(&mut StepDraws::new(4, step), &[1.0, 0.0, 4.0, 3.0], 3, &mut drawn);
            first[drawn[0]] += 1;
            drawn.sort_unstable();
            assert_eq!(drawn, [0, 2, 3], "a weight of zero is drawn last");
        }
        for (count, expected) in first.into_iter().zip([1_000i32, 0, 4_000, 3_000]) {
            assert!((count - expected).abs() < 200, "{first:?}");
        }
        weighted(&mut StepDraws::new(4, 0), &[0.0; 3], 3, &mut drawn);
        drawn.sort_unstable();
        assert_eq!(drawn, [0, 1, 2], "without any weight all are drawn all the same");
    }
}
