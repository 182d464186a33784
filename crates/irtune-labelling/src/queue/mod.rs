//! Which pairs are worth labelling next.
//!
//! A model that is unsure of a pair learns more from its label than from one that it is sure of. But a model that never saw
//! a label is never unsure of it, so being unsure alone does not find rare labels. [`Queue`] says what there is;
//! `cargo xtask simulate-labelling` measures each on labelled corpora, and the default is what won there.

mod candidate;
mod draw;
mod spread;
mod strategy;
mod unsure;
mod wanted;

pub use candidate::Candidate;
pub use strategy::Queue;

/// So many labels come first in random order: what a model says that has seen fewer is no guide.
pub const RANDOM_FIRST: usize = 50;

/// The places of the `count` candidates to label next, the first one first; all of them when there are fewer.
///
/// `labelled` is how many pairs have each label so far, `[labels]`. While these are fewer than [`RANDOM_FIRST`], the order
/// is random, whatever the queue. The same arguments give the same places.
///
/// # Panics
/// When a candidate's probabilities are not as many as `labelled`.
pub fn next(
    queue: Queue,
    candidates: &[Candidate],
    labelled: &[usize],
    count: usize,
    seed: u64,
) -> Vec<usize> {
    assert!(
        candidates.iter().all(|candidate| candidate.probabilities.len() == labelled.len()),
        "a probability a label"
    );
    let count = count.min(candidates.len());
    let mut draws = draw::Draws::new(seed, labelled.iter().sum::<usize>() as u64);
    let queue = if labelled.iter().sum::<usize>() < RANDOM_FIRST { Queue::Random } else { queue };
    match queue {
        Queue::Random => draws.places(candidates.len(), count),
        Queue::Margin => unsure::most(candidates, count, unsure::margin),
        Queue::Entropy => unsure::most(candidates, count, unsure::entropy),
        Queue::Rare => wanted::most(candidates, labelled, count),
        Queue::Diverse => spread::most(candidates, count, &mut draws),
    }
}

#[cfg(test)]
mod tests;
