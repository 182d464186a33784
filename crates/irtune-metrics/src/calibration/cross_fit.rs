//! Label offsets that are kept only when they help examples that they were not tuned on.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::random::below;

/// Parts that the examples are divided into; each is answered with offsets tuned on the others.
const PARTS: usize = 5;
/// Divisions.
const DIVISIONS: u64 = 5;
/// How much of the tuned offsets may be used, of the most that so many examples allow.
const SHARES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Of so many examples at most half of the tuned offsets is used, of many nearly all.
const HALF: f64 = 200.0;

/// Offsets, and what they are worth on examples that they were not tuned on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CrossFit {
    /// One a label, of mean 0.
    pub(super) offsets: Vec<f64>,
    /// What they are worth.
    pub(super) worth: OffsetWorth,
}

/// What label offsets are worth on the examples they were tuned on, each answered with offsets tuned on others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffsetWorth {
    /// The figure without offsets.
    pub plain: f64,
    /// The figure with as much of the tuned offsets as is used; that without where none is.
    pub cross_fitted: f64,
    /// Share of the tuned offsets that is used: 0 where they helped nothing.
    pub share: f64,
}

/// Labelled examples, and how offsets are tuned on them.
pub(super) trait Tuning {
    /// Labels.
    fn classes(&self) -> usize;

    /// What each example is dealt to the parts by: a number from 0, such as that of its label.
    fn strata(&self) -> Vec<usize>;

    /// The offsets with the highest figure on some of the examples.
    fn search(&self, examples: &[usize]) -> Vec<f64>;

    /// The figure of all examples, each answered with the offsets of its part.
    fn figure(&self, parts: &[usize], offsets: &[Vec<f64>]) -> f64;
}

/// Tunes offsets on labelled examples.
///
/// The examples are divided into parts, labels evenly, and each part is answered with offsets tuned on the others. All
/// answers together have a figure, for every share of the offsets that might be used. The best share is taken, and the
/// offsets are that share of the mean over all parts and divisions. With few examples of a rare label, tuned offsets
/// are mostly noise: then the best share is small, or 0.
pub(super) fn cross_fit(tuning: &impl Tuning, seed: u64) -> CrossFit {
    let strata = tuning.strata();
    let examples = strata.len() as f64;
    let shares = SHARES.map(|share| share * examples / (examples + HALF));
    let mut figures = [0.0; SHARES.len()];
    let mut mean = vec![0.0; tuning.classes()];
    for division in 0..DIVISIONS {
        let parts = divide(&strata, seed, division);
        let tuned = (0..PARTS).map(|part| {
            let others: Vec<usize> = (0..parts.len()).filter(|&example| parts[example] != part).collect();
            tuning.search(&others)
        });
        let tuned: Vec<Vec<f64>> = tuned.collect();
        for offsets in &tuned {
            mean.iter_mut().zip(offsets).for_each(|(mean, offset)| *mean += offset);
        }
        for (share, figure) in shares.iter().zip(&mut figures) {
            let scaled = |offsets: &Vec<f64>| offsets.iter().map(|offset| share * offset).collect();
            let offsets: Vec<Vec<f64>> = tuned.iter().map(scaled).collect();
            *figure += tuning.figure(&parts, &offsets) / DIVISIONS as f64;
        }
    }
    // The smallest of equal ones.
    let best = (1..SHARES.len())
        .fold(0, |best, share| if figures[share] > figures[best] + 1e-12 { share } else { best });
    let share = shares[best];
    let offset = |sum: f64| share * sum / (PARTS as u64 * DIVISIONS) as f64;
    CrossFit {
        offsets: mean.into_iter().map(offset).collect(),
        worth: OffsetWorth { plain: figures[0], cross_fitted: figures[best], share },
    }
}

/// The part of each example: the examples of every stratum, in a random order, are dealt to the parts in turn.
fn divide(strata: &[usize], seed: u64, division: u64) -> Vec<usize> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(division);
    let mut parts = vec![0; strata.len()];
    let mut dealt = 0;
    for stratum in 0..=strata.iter().copied().max().unwrap_or(0) {
        let mut own: Vec<usize> = (0..strata.len()).filter(|&example| strata[example] == stratum).collect();
        for place in (1..own.len()).rev() {
            own.swap(place, below(&mut generator, place + 1));
        }
        for example in own {
            parts[example] = dealt % PARTS;
            dealt += 1;
        }
    }
    parts
}
