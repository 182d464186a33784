//! Splitting ascending scores in two where the two sides vary least.
//!
//! # Source
//! Liu & Litman, Findings of EMNLP 2025, arXiv 2510.00268; `ir.py` of ZhexiongLiu/IR-Tuning, commit 0a44982.

use std::ops::{Range, RangeInclusive};

/// The window in which a split of `count` scores is looked for: `⌊0.35 count⌋ ..= ⌊0.65 count⌋`.
///
/// The products are taken in double precision, as published; among sizes up to 512 that differs from exact
/// arithmetic only at 180, 340 and 360, where the window starts one lower.
pub fn window(count: usize) -> RangeInclusive<usize> {
    let at = |share: f64| (count as f64 * share) as usize;
    at(0.35)..=at(0.65)
}

/// The cost of every split of ascending scores: entry `k − 1` is var(lowest `k`) + var(the rest).
///
/// # Shapes
/// `ascending` `[n]`; `costs` is emptied and filled with n − 1 entries.
pub fn costs(ascending: &[f64], costs: &mut Vec<f64>) {
    costs.clear();
    costs.extend((1..ascending.len()).map(|lowest| {
        let (low, high) = ascending.split_at(lowest);
        variance(low) + variance(high)
    }));
}

/// The number of lowest scores that the cheapest split leaves out, as the paper means it: the cheapest `k` of
/// the [`window`], the smallest one on ties.
///
/// At least one score is on either side, so `count ≥ 2` scores allow `1 ..= count − 1`; a single score is never
/// left out.
///
/// # Shapes
/// `costs` `[count − 1]`, from [`costs`](costs()).
pub fn true_split(costs: &[f64]) -> usize {
    let count = costs.len() + 1;
    let left_out = left_out(count);
    let mut best = *left_out.start();
    for lowest in left_out {
        if lowest > 0 && costs[lowest - 1] < costs[best - 1] {
            best = lowest;
        }
    }
    best
}

/// How many of `count` scores [`true_split`] may leave out.
pub fn left_out(count: usize) -> RangeInclusive<usize> {
    let (first, last) = window(count).into_inner();
    let most = count.saturating_sub(1);
    first.clamp(most.min(1), most)..=last.clamp(most.min(1), most)
}

/// The number of lowest scores that the published code parts from the rest.
///
/// It takes the smallest cost among some *list positions*, about those of the [`window`], and parts as many scores as
/// the position, in the whole list, of the first cost of equal value: one score fewer than the split says, and on
/// ties possibly fewer than the window allows. Where the list has none of the positions and the published code fails,
/// the nearest one counts; of a single score none is parted.
///
/// # Shapes
/// `costs` `[count − 1]`, from [`costs`](costs()).
pub fn published_split(costs: &[f64], positions: Range<usize>) -> usize {
    let Some(highest) = costs.len().checked_sub(1) else { return 0 };
    let first = positions.start.min(highest);
    let end = positions.end.clamp(first + 1, costs.len());
    let smallest = costs[first..end].iter().copied().fold(f64::INFINITY, f64::min);
    costs.iter().position(|&cost| cost == smallest).unwrap_or(0)
}

/// Population variance of scores, 0 for none: the mean of the squared distances to the mean.
///
/// Both sums run in NumPy's order, so that costs, and with them near-ties, come out as its `var` has them, to the
/// last bit.
///
/// # Shapes
/// `scores` `[n]`.
pub fn variance(scores: &[f64]) -> f64 {
    if scores.is_empty() {
        return 0.0;
    }
    let count = scores.len() as f64;
    let mean = sum(scores, &|score| score) / count;
    sum(scores, &|score| (score - mean) * (score - mean)) / count
}

/// The sum of a term of every number, in the order of NumPy's pairwise summation: fewer than 8 in turn, up to
/// 128 in 8 interleaved lanes, more than that by halves.
fn sum(numbers: &[f64], term: &impl Fn(f64) -> f64) -> f64 {
    const LANES: usize = 8;
    const BLOCK: usize = 128;
    let count = numbers.len();
    if count < LANES {
        return numbers.iter().fold(0.0, |sum, &number| sum + term(number));
    }
    if count > BLOCK {
        let half = count / 2;
        let (low, high) = numbers.split_at(half - half % LANES);
        return sum(low, term) + sum(high, term);
    }
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let mut lanes = chunks[0].map(term);
    for chunk in &chunks[1..] {
        for (lane, &number) in lanes.iter_mut().zip(chunk) {
            *lane += term(number);
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let lanes = ((a + b) + (c + d)) + ((e + f) + (g + h));
    rest.iter().fold(lanes, |sum, &number| sum + term(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs_of(ascending: &[f64]) -> Vec<f64> {
        let mut list = Vec::new();
        costs(ascending, &mut list);
        list
    }

    #[test]
    fn the_window_of_the_published_sizes() {
        assert_eq!(window(32), 11..=20);
        assert_eq!(window(30), 10..=19);
        assert_eq!(window(4), 1..=2);
        assert_eq!(window(1), 0..=0);
    }

    #[test]
    fn small_models_always_keep_a_layer_and_leave_one_out_where_they_can() {
        assert_eq!(left_out(1), 0..=0);
        assert_eq!(left_out(2), 1..=1);
        assert_eq!(left_out(3), 1..=1);
        assert_eq!(left_out(4), 1..=2);
        assert_eq!(true_split(&[]), 0);
        assert_eq!(published_split(&[], 0..1), 0);
        assert_eq!(true_split(&costs_of(&[1.0, 5.0])), 1);
        assert_eq!(published_split(&costs_of(&[1.0, 5.0]), 0..2), 0);
        assert_eq!(published_split(&costs_of(&[1.0, 2.0, 9.0]), 2..2), 1, "a window beyond the list");
    }

    #[test]
    fn two_clusters_are_parted_at_their_gap_and_one_lower_as_published() {
        // Six low and four high scores: k = 6, found at position 5 of the list.
        let costs = costs_of(&[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 9.0, 9.1, 9.2, 9.3]);
        assert_eq!(true_split(&costs), 6);
        assert_eq!(published_split(&costs, 3..7), 5);
    }

    #[test]
    fn equal_costs_fall_to_the_first() {
        let costs = [2.0; 9];
        assert_eq!(true_split(&costs), 3, "the first of the window");
        assert_eq!(published_split(&costs, 3..7), 0, "the first of the whole list");
    }

    #[test]
    fn variance_is_that_of_the_population() {
        assert_eq!(variance(&[]), 0.0);
        assert_eq!(variance(&[3.0]), 0.0);
        assert_eq!(variance(&[1.0, 3.0]), 1.0);
        let ramp: Vec<f64> = (0..300).map(f64::from).collect();
        assert_eq!(variance(&ramp), (300.0 * 300.0 - 1.0) / 12.0);
    }
}
