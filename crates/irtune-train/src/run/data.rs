//! The encoded examples of a run, and how to tell that they are the same ones.

use crate::data_split::DataSplit;
use crate::folder::state::DataPrints;
use crate::folder::tensor_file::hexadecimal;
use crate::settings::HeadKind;
use irtune_data::{COUNTERS, Example, ExampleChange, LabelSet, Target};
use irtune_model::{CounterScaling, Head, HeadInput, SHORTEST_SHARED};
use sha2::{Digest, Sha256};

/// What a run trains and is measured on.
#[derive(Debug, Clone)]
pub struct RunData {
    /// The labels, in the order of the model's outputs.
    pub labels: LabelSet,
    /// What the model learns from; every example has a label.
    pub train: Vec<Example>,
    /// What the best model is chosen by; may be empty.
    pub validation: Vec<Example>,
    /// What the chosen model is measured on; may be empty.
    pub test: Vec<Example>,
}

impl RunData {
    /// The examples of a split.
    pub fn of(&self, split: DataSplit) -> &[Example] {
        match split {
            DataSplit::Train => &self.train,
            DataSplit::Validation => &self.validation,
            DataSplit::Test => &self.test,
        }
    }

    /// How many training examples have each label.
    pub(crate) fn training_labels(&self) -> Vec<u64> {
        let mut counts = vec![0; self.labels.len()];
        for target in self.train.iter().filter_map(|example| example.target.as_ref()) {
            match (target.class(), target.labels()) {
                (Some(class), _) => counts[class as usize] += 1,
                (None, labels) => {
                    for (count, has) in counts.iter_mut().zip(labels.unwrap_or_default()) {
                        *count += u64::from(*has);
                    }
                }
            }
        }
        counts
    }

    /// Checksums of the three splits.
    pub fn prints(&self) -> DataPrints {
        DataPrints {
            train: fingerprint(&self.train),
            validation: fingerprint(&self.validation),
            test: fingerprint(&self.test),
        }
    }

    /// A head for these labels; counters that it reads are standardised as they are among the training examples.
    pub fn head(&self, kind: HeadKind) -> Head {
        let input = match kind {
            HeadKind::Pooled => HeadInput::Pooled,
            HeadKind::Edit => {
                let counters = self.train.iter().filter_map(|example| example.change.as_ref());
                let counters = counters.map(|change: &ExampleChange| change.counters.as_slice());
                HeadInput::Edit(CounterScaling::of(&COUNTERS, counters))
            }
        };
        Head { labels: self.labels.len(), input }
    }

    /// Examples of the largest split, 1 at least: no batch has more.
    pub(crate) fn most_examples(&self) -> usize {
        let splits = [&self.train, &self.validation, &self.test];
        splits.into_iter().map(Vec::len).max().unwrap_or(0).max(1)
    }

    /// The most tokens that `batch_size` of the examples can have together, what all of them begin with counted once.
    pub fn largest_batch(&self, batch_size: usize) -> usize {
        let splits = [&self.train, &self.validation, &self.test];
        let examples = || splits.into_iter().flatten().map(|example| example.tokens.as_slice());
        let Some(first) = examples().next() else { return 0 };
        let common = examples().fold(first.len(), |common, tokens| {
            let same = first.iter().zip(tokens).take_while(|(left, right)| left == right).count();
            common.min(same).min(tokens.len() - 1)
        });
        let common = if common >= SHORTEST_SHARED && batch_size > 1 { common } else { 0 };
        let mut own: Vec<usize> = examples().map(|tokens| tokens.len() - common).collect();
        own.sort_unstable_by(|left, right| right.cmp(left));
        common + own.iter().take(batch_size).sum::<usize>()
    }
}

fn fingerprint(examples: &[Example]) -> String {
    let mut digest = Sha256::new();
    for example in examples {
        digest.update((example.tokens.len() as u64).to_le_bytes());
        for token in &example.tokens {
            digest.update(token.to_le_bytes());
        }
        if let Some(ExampleChange { removed, added, counters }) = &example.change {
            for positions in [removed, added] {
                digest.update((positions.len() as u64).to_le_bytes());
                positions.iter().for_each(|position| digest.update(position.to_le_bytes()));
            }
            counters.iter().for_each(|counter| digest.update(counter.to_le_bytes()));
        }
        // No label is not label 0.
        let class = example.target.as_ref().and_then(Target::class);
        digest.update(class.map_or(0, |class| u64::from(class) + 1).to_le_bytes());
        match &example.target {
            Some(Target::Shares { shares, .. }) => {
                shares.iter().for_each(|share| digest.update(share.to_le_bytes()));
            }
            Some(Target::Labels(has)) => has.iter().for_each(|&has| digest.update([u8::from(has)])),
            Some(Target::Class(_)) | None => {}
        }
    }
    hexadecimal(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(tokens: &[u32], label: Option<u32>) -> Example {
        Example { tokens: tokens.to_vec(), target: label.map(Target::Class), ..Example::default() }
    }

    #[test]
    fn fingerprints_tell_examples_apart() {
        let first = fingerprint(&[example(&[1, 2], Some(0)), example(&[3], Some(1))]);
        assert_eq!(first, fingerprint(&[example(&[1, 2], Some(0)), example(&[3], Some(1))]));
        for other in [
            vec![example(&[1], Some(0)), example(&[2, 3], Some(1))],
            vec![example(&[1, 2], Some(1)), example(&[3], Some(1))],
            vec![example(&[1, 2], None), example(&[3], Some(1))],
            vec![example(&[3], Some(1)), example(&[1, 2], Some(0))],
            vec![
                Example {
                    target: Some(Target::Shares { class: 0, shares: vec![0.5, 0.5] }),
                    ..example(&[1, 2], None)
                },
                example(&[3], Some(1)),
            ],
            vec![
                Example { target: Some(Target::Labels(vec![true, false])), ..example(&[1, 2], None) },
                example(&[3], Some(1)),
            ],
            vec![],
        ] {
            assert_ne!(first, fingerprint(&other), "{other:?}");
        }
    }

    #[test]
    fn the_largest_batch_is_made_of_the_longest_examples() {
        let data = RunData {
            labels: LabelSet::new(["a", "b"]).unwrap(),
            train: vec![example(&[1; 3], Some(0)), example(&[1; 9], Some(0))],
            validation: vec![example(&[1; 7], Some(0))],
            test: vec![],
        };
        assert_eq!(data.largest_batch(2), 16);
        assert_eq!(data.largest_batch(8), 19);
        let train = vec![example(&[2; 13], Some(0)), example(&[2; 19], Some(0)), example(&[2; 12], Some(0))];
        let data = RunData { train, validation: vec![], ..data };
        assert_eq!(data.largest_batch(1), 19);
        assert_eq!(data.largest_batch(2), 11 + 2 + 8);
    }
}
