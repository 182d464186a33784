//! Where in a long stretch of both drafts their sentences lie beside each other, roughly and in linear time.

use super::Drafts;
use std::collections::HashMap;
use std::ops::Range;

/// The most sentences that have a word by which others are found.
const RARE: usize = 6;

/// What two sentences have at least in common to lie beside each other.
const ALIKE: f64 = 0.5;

/// The line from the beginning to the end of a stretch along which its sentences lie.
#[derive(Debug, PartialEq)]
pub(super) struct Guide {
    /// Rows and columns that it goes through, rising.
    points: Vec<(usize, usize)>,
}

impl Guide {
    /// Through sentences that share rare words, are each other's likest, and stand in the same order.
    pub fn find(drafts: Drafts<'_>, old: &Range<usize>, new: &Range<usize>) -> Guide {
        let words = drafts.words;
        let by_word = words.by_word(new.clone(), RARE);
        // The likest of each sentence of the new draft, and the other way round.
        let mut of_new: HashMap<usize, (f64, usize)> = HashMap::new();
        let mut of_old: Vec<(usize, usize)> = Vec::new();
        for from in old.clone() {
            let alike = |to: &usize| (words.similarity(from..from + 1, *to..*to + 1), *to);
            let candidates = words.candidates(from, &by_word);
            let likest = candidates.iter().map(alike).max_by(|one, other| one.0.total_cmp(&other.0));
            let Some((similarity, to)) = likest.filter(|(similarity, _)| *similarity >= ALIKE) else {
                continue;
            };
            of_old.push((from, to));
            let best = of_new.entry(to).or_insert((similarity, from));
            if best.0 < similarity {
                *best = (similarity, from);
            }
        }
        let mutual =
            of_old.into_iter().filter(|(from, to)| of_new.get(to).is_some_and(|best| best.1 == *from));
        let beside: Vec<(usize, usize)> =
            mutual.map(|(from, to)| (from - old.start + 1, to - new.start + 1)).collect();
        let mut points = vec![(0, 0)];
        points.extend(longest_rising(&beside));
        points.push((old.len(), new.len()));
        Guide { points }
    }

    /// The column beside a row.
    pub fn column(&self, row: usize) -> usize {
        let after = self.points.partition_point(|(other, _)| *other < row).max(1);
        let Some(&(to_row, to)) = self.points.get(after) else {
            return self.points.last().map_or(0, |last| last.1);
        };
        let (from_row, from) = self.points[after - 1];
        from + (row.saturating_sub(from_row)) * (to - from) / (to_row - from_row).max(1)
    }
}

/// The most points, given by rising rows, whose columns rise too.
fn longest_rising(points: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The point with the lowest column that ends a chain of each length, and what stands before each point.
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) =
        (Vec::new(), Vec::with_capacity(points.len()));
    for (index, &(_, column)) in points.iter().enumerate() {
        let length = ends.partition_point(|&end| points[end].1 < column);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut chain: Vec<(usize, usize)> = std::iter::successors(ends.last().copied(), |&index| before[index])
        .map(|index| points[index])
        .collect();
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_chain_rises_in_both() {
        assert_eq!(longest_rising(&[]), []);
        let points = [(1, 5), (2, 1), (3, 2), (4, 9), (5, 3), (6, 3), (7, 4)];
        assert_eq!(longest_rising(&points), [(2, 1), (3, 2), (6, 3), (7, 4)]);
    }

    #[test]
    fn columns_lie_between_the_points() {
        let guide = Guide { points: vec![(0, 0), (10, 5), (12, 105), (20, 110)] };
        let columns = [0, 2, 10, 11, 12, 16, 20].map(|row| guide.column(row));
        assert_eq!(columns, [0, 1, 5, 55, 105, 107, 110]);
        assert_eq!(Guide { points: vec![(0, 0), (0, 7)] }.column(0), 0);
    }
}
