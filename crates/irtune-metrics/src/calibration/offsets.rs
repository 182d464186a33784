//! Numbers added to the labels' outputs, so that the highest sum is the better answer.

use super::cross_fit::Tuning;
use super::target::{Counts, OffsetTarget};
use crate::Logits;

/// Offsets of the labels of which an example has one.
pub(super) struct OneLabel<'a> {
    pub(super) logits: &'a Logits,
    pub(super) target: OffsetTarget,
}

impl Tuning for OneLabel<'_> {
    fn classes(&self) -> usize {
        self.logits.classes()
    }

    fn strata(&self) -> Vec<usize> {
        self.logits.labels().to_vec()
    }

    fn search(&self, examples: &[usize]) -> Vec<f64> {
        search(self.logits, examples, self.target)
    }

    fn figure(&self, parts: &[usize], offsets: &[Vec<f64>]) -> f64 {
        let answers = self.logits.rows().zip(parts);
        let answers = answers.map(|((label, row), &part)| (label, answer(row, &offsets[part])));
        Counts::of(self.logits.classes(), answers).figure(self.target)
    }
}

/// Rounds over all labels; in practice the search ends after three or four.
const MOST_ROUNDS: usize = 20;

/// The offsets whose answers have the highest figure on some of the examples, as far as changing one label's offset at
/// a time gets. Their mean is 0. Nothing is held back for the choice: see `cross_fit`.
///
/// One label's offset splits the examples in two: those whose margin to the best other label it exceeds are taken for
/// the label. So only the places between neighbouring margins are tried, all in one pass over the sorted margins. Among
/// places as good the one nearest to the offset before is taken, so that an offset that helps nothing stays 0.
fn search(logits: &Logits, examples: &[usize], target: OffsetTarget) -> Vec<f64> {
    let classes = logits.classes();
    let mut offsets = vec![0.0; classes];
    let answers =
        examples.iter().map(|&example| (logits.labels()[example], answer(logits.row(example), &offsets)));
    let counts = Counts::of(classes, answers);
    let mut best = counts.figure(target);
    let mut order: Vec<usize> = (0..classes).collect();
    let support =
        |class: usize| examples.iter().filter(|&&example| logits.labels()[example] == class).count();
    order.sort_by_key(|&class| support(class));
    for _ in 0..MOST_ROUNDS {
        let before = best;
        for &class in &order {
            if let Some((offset, figure)) = best_offset(logits, examples, &offsets, class, target)
                && figure > best + 1e-12
            {
                (offsets[class], best) = (offset, figure);
            }
        }
        if best == before {
            break;
        }
    }
    let mean = offsets.iter().sum::<f64>() / classes as f64;
    offsets.iter().map(|offset| offset - mean).collect()
}

/// The label with the highest sum of output and offset, the first one of equals.
fn answer(row: &[f64], offsets: &[f64]) -> usize {
    let sum = |class: usize| row[class] + offsets[class];
    (1..row.len()).fold(0, |best, class| if sum(class) > sum(best) { class } else { best })
}

/// The best offset of one label beside the others' offsets, and the figure it gives; `None` of a single label.
fn best_offset(
    logits: &Logits,
    examples: &[usize],
    offsets: &[f64],
    class: usize,
    target: OffsetTarget,
) -> Option<(f64, f64)> {
    // Each example's margin, its label, and its answer when it is not taken for the class.
    let mut margins = Vec::with_capacity(examples.len());
    for &example in examples {
        let row = logits.row(example);
        let sum = |other: usize| row[other] + offsets[other];
        let others = (0..row.len()).filter(|&other| other != class);
        let other = others.reduce(|best, other| if sum(other) > sum(best) { other } else { best })?;
        margins.push((sum(other) - row[class], logits.labels()[example], other));
    }
    margins.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut counts = Counts::of(offsets.len(), margins.iter().map(|&(_, label, other)| (label, other)));
    let (first, last) = (margins.first()?.0, margins.last()?.0);
    let mut best = (first - 1.0, counts.figure(target));
    let distance = |offset: f64| (offset - offsets[class]).abs();
    for (place, &(margin, label, other)) in margins.iter().enumerate() {
        counts.change(label, other, class);
        let next = margins.get(place + 1).map_or(last + 2.0, |next| next.0);
        // Too near for a number to stand between them after a shift of all offsets.
        if next - margin < 1e-9 {
            continue;
        }
        let (offset, figure) = (0.5 * (margin + next), counts.figure(target));
        let nearer = figure > best.1 - 1e-12 && distance(offset) < distance(best.0);
        if figure > best.1 + 1e-12 || nearer {
            best = (offset, figure);
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use OffsetTarget::{Accuracy, MacroF1};

    /// Outputs that repeat, so that margins tie; the last label is rare and never has the highest output.
    fn made_up(examples: usize) -> Logits {
        let labels: Vec<u32> =
            (0..examples as u32).map(|example| if example % 9 == 0 { 2 } else { example % 2 }).collect();
        let value = |at: usize| {
            let noise = ((at * at * 31 + at * 17) % 23) as f64 / 8.0;
            let (label, class) = (labels[at / 3] as usize, at % 3);
            noise + if label == class { 1.0 } else { 0.0 } - if class == 2 { 3.5 } else { 0.0 }
        };
        let values: Vec<f64> = (0..examples * 3).map(value).collect();
        Logits::new(&labels, &values, 3).unwrap()
    }

    fn figure(logits: &Logits, offsets: &[f64], target: OffsetTarget) -> f64 {
        let answers = logits.rows().map(|(label, row)| (label, answer(row, offsets)));
        Counts::of(logits.classes(), answers).figure(target)
    }

    #[test]
    fn one_labels_best_offset_is_that_of_trying_all() {
        let logits = made_up(60);
        let all: Vec<usize> = (0..60).collect();
        for target in [MacroF1, Accuracy] {
            for class in 0..3 {
                let offsets = [0.3, -0.2, 0.1];
                let (offset, found) = best_offset(&logits, &all, &offsets, class, target).unwrap();
                let with = |offset: f64| {
                    let mut offsets = offsets;
                    offsets[class] = offset;
                    figure(&logits, &offsets, target)
                };
                assert_eq!(with(offset), found, "the figure is that of the offset");
                let tried = (-8000..8000).map(|step| with(f64::from(step) / 1000.0 + 5e-7));
                assert_eq!(tried.fold(0.0, f64::max), found, "{target:?} of label {class}");
            }
        }
    }

    #[test]
    fn a_rare_label_is_found_again() {
        let logits = made_up(90);
        let all: Vec<usize> = (0..90).collect();
        let plain = figure(&logits, &[0.0; 3], MacroF1);
        let offsets = search(&logits, &all, MacroF1);
        assert!(offsets[2] > 1.0 && offsets.iter().sum::<f64>().abs() < 1e-12, "{offsets:?}");
        assert!(figure(&logits, &offsets, MacroF1) > plain + 0.1);
        assert!(
            figure(&logits, &search(&logits, &all, Accuracy), Accuracy)
                >= figure(&logits, &[0.0; 3], Accuracy)
        );
    }

    #[test]
    fn what_cannot_be_better_is_left_alone() {
        let right = Logits::new(&[0, 1, 1], &[2.0, 0.0, 0.0, 1.0, -1.0, 1.0], 2).unwrap();
        assert_eq!(search(&right, &[0, 1, 2], MacroF1), [0.0, 0.0]);
        let single = Logits::new(&[0, 0], &[2.0, 0.0], 1).unwrap();
        assert_eq!(search(&single, &[0, 1], Accuracy), [0.0]);
    }
}
