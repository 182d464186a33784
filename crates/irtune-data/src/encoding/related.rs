//! Which examples revise the same text.

use super::example::Example;

/// Tokens beyond what all examples begin with that related ones share at least.
const SHARED: usize = 16;

/// Groups of examples that begin alike beyond the prompt: revisions of the same original text.
///
/// Every example is in one group; groups and their members are in the order of the first and of the examples.
pub fn related(examples: &[Example]) -> Vec<Vec<usize>> {
    let mut sorted: Vec<usize> = (0..examples.len()).collect();
    sorted.sort_by(|&left, &right| examples[left].tokens.cmp(&examples[right].tokens));
    let alike = |left: usize, right: usize| {
        let pairs = examples[left].tokens.iter().zip(&examples[right].tokens);
        pairs.take_while(|(left, right)| left == right).count()
    };
    let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let common = alike(first, last);
    let same = |left: &usize, right: &usize| alike(*left, *right) >= common + SHARED;
    let mut groups: Vec<Vec<usize>> = sorted.chunk_by(same).map(<[usize]>::to_vec).collect();
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort_unstable();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(original: u32, revised: u32) -> Example {
        let tokens = (0..10).chain([original; 20]).chain([revised; 5]).collect();
        Example { tokens, ..Example::default() }
    }

    #[test]
    fn revisions_of_one_text_are_together() {
        let examples = [example(50, 1), example(60, 1), example(50, 2), example(70, 3), example(60, 4)];
        assert_eq!(related(&examples), [vec![0, 2], vec![1, 4], vec![3]]);
        assert_eq!(related(&examples[..1]), [vec![0]]);
        assert_eq!(related(&[]), Vec::<Vec<usize>>::new());
    }
}
