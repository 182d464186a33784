//! In which order an epoch visits its examples.

use super::random::shuffled;
use crate::error::DataError;

const PURPOSE: u64 = 0x45504F4348;

/// The batches of every epoch: all examples in an order drawn from (seed, epoch), cut into batches.
///
/// The last batch of an epoch may be smaller; it isn't dropped. Batches can also be cut by tokens instead of examples:
/// [`EpochOrder::with_tokens`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochOrder {
    examples: usize,
    batch_size: usize,
    /// Where batches are cut by tokens.
    tokens: Option<Tokens>,
    seed: u64,
    /// Examples that stay side by side.
    groups: Option<Vec<Vec<usize>>>,
}

impl EpochOrder {
    /// Batches of `batch_size` out of so many examples.
    ///
    /// # Errors
    /// When either is zero.
    pub fn new(examples: usize, batch_size: usize, seed: u64) -> Result<EpochOrder, DataError> {
        if examples == 0 || batch_size == 0 {
            return Err(DataError::EmptyBatches { examples, batch_size });
        }
        Ok(EpochOrder { examples, batch_size, tokens: None, seed, groups: None })
    }

    /// The same order in batches of nearly as many tokens each, on average at most `budget`: as many batches in every
    /// epoch, and none further from the average than its longest example.
    ///
    /// # Shapes
    /// `lengths`: tokens of each example.
    #[must_use]
    pub fn with_tokens(self, lengths: Vec<usize>, budget: usize) -> EpochOrder {
        debug_assert_eq!(lengths.len(), self.examples);
        let all: usize = lengths.iter().sum();
        let batches = all.div_ceil(budget.max(1)).clamp(1, self.examples);
        EpochOrder { tokens: Some(Tokens { lengths, batches }), ..self }
    }

    /// The same, but examples of a group follow each other: groups are shuffled, not examples.
    #[must_use]
    pub fn with_groups(self, groups: Vec<Vec<usize>>) -> EpochOrder {
        debug_assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), self.examples);
        EpochOrder { groups: Some(groups), ..self }
    }

    /// Batches in an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        match &self.tokens {
            None => self.examples.div_ceil(self.batch_size),
            Some(tokens) => tokens.batches,
        }
    }

    /// The examples' indices in the order of an epoch; epochs are counted from 0.
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        match &self.groups {
            None => shuffled(self.examples, PURPOSE, self.seed, epoch),
            Some(groups) => {
                let order = shuffled(groups.len(), PURPOSE, self.seed, epoch);
                order.into_iter().flat_map(|group| groups[group].iter().copied()).collect()
            }
        }
    }

    /// The order of an epoch in batches.
    pub fn batches(&self, epoch: u64) -> Vec<Vec<usize>> {
        let order = self.order(epoch);
        match &self.tokens {
            None => order.chunks(self.batch_size).map(<[usize]>::to_vec).collect(),
            Some(tokens) => tokens.cut(&order),
        }
    }
}

/// Lengths of examples, and into how many batches they are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tokens {
    lengths: Vec<usize>,
    batches: usize,
}

impl Tokens {
    /// Cuts an order where its tokens come nearest to equal shares, with an example at least in every batch.
    fn cut(&self, order: &[usize]) -> Vec<Vec<usize>> {
        let all: usize = self.lengths.iter().sum();
        let (mut batches, mut first, mut before) = (Vec::with_capacity(self.batches), 0, 0);
        for batch in 1..=self.batches {
            let (share, most) = (all * batch / self.batches, order.len() - (self.batches - batch));
            let mut end = first;
            while end < most {
                let length = self.lengths[order[end]];
                let nearer = before + length / 2 <= share;
                if end > first && batch < self.batches && !nearer {
                    break;
                }
                before += length;
                end += 1;
            }
            batches.push(order[first..end].to_vec());
            first = end;
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_visits_every_example_once_and_keeps_the_rest() {
        let order = EpochOrder::new(10, 4, 171).unwrap();
        assert_eq!(order.steps_per_epoch(), 3);
        let batches = order.batches(0);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
        let mut visited = batches.concat();
        assert_eq!(visited, order.order(0));
        visited.sort_unstable();
        assert_eq!(visited, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn seed_and_epoch_decide_the_order() {
        let order = EpochOrder::new(50, 8, 1).unwrap();
        assert_eq!(order.order(2), EpochOrder::new(50, 16, 1).unwrap().order(2));
        assert_ne!(order.order(2), order.order(3));
        assert_ne!(order.order(2), EpochOrder::new(50, 8, 2).unwrap().order(2));
    }

    #[test]
    fn groups_stay_together_in_another_order_every_epoch() {
        let groups = vec![vec![0, 3], vec![1], vec![2, 4, 5]];
        let order = EpochOrder::new(6, 4, 1).unwrap().with_groups(groups.clone());
        let orders: Vec<Vec<usize>> = (0..20).map(|epoch| order.order(epoch)).collect();
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5]);
            for group in &groups {
                assert!(order.windows(group.len()).any(|window| window == group), "{order:?}");
            }
        }
        assert!(orders.iter().any(|order| order != &orders[0]));
    }

    #[test]
    fn batches_by_tokens_are_even_and_as_many_in_every_epoch() {
        let lengths: Vec<usize> = (0..40).map(|example| 5 + example * 7 % 31).collect();
        let (all, longest) = (lengths.iter().sum::<usize>(), 35);
        for budget in [1, 20, 100, 333, all, 10 * all] {
            let order = EpochOrder::new(40, 4, 3).unwrap().with_tokens(lengths.clone(), budget);
            let steps = order.steps_per_epoch();
            assert_eq!(steps, all.div_ceil(budget).clamp(1, 40));
            for epoch in 0..5 {
                let batches = order.batches(epoch);
                assert_eq!((batches.len(), batches.concat()), (steps, order.order(epoch)));
                for batch in &batches {
                    let tokens = batch.iter().map(|&example| lengths[example]).sum::<usize>();
                    assert!(
                        !batch.is_empty() && tokens.abs_diff(all / steps) <= longest,
                        "{budget}: {batch:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn examples_of_one_length_make_the_same_batches_either_way() {
        let by_examples = EpochOrder::new(12, 4, 3).unwrap();
        let by_tokens = by_examples.clone().with_tokens(vec![10; 12], 40);
        assert_eq!(by_tokens.batches(1), by_examples.batches(1));
    }

    #[test]
    fn nothing_to_batch_is_an_error() {
        for (examples, batch_size) in [(0, 4), (4, 0)] {
            let error = EpochOrder::new(examples, batch_size, 0).unwrap_err();
            assert!(matches!(error, DataError::EmptyBatches { .. }));
            assert!(error.to_string().ends_with("both must be at least 1"), "{error}");
        }
    }
}
