//! Numbers added to the outputs of labels of which an example can have several, so that a sum from 0 on is the better answer.

use std::collections::BTreeMap;

use super::cross_fit::Tuning;
use super::target::OffsetTarget;

/// Rounds over all labels; labels depend on each other only where whole answers count.
const MOST_ROUNDS: usize = 20;

/// Offsets of labels of which an example can have several.
pub(super) struct SeveralLabels<'a> {
    /// Whether examples have labels, `[examples, classes]`.
    pub(super) truth: &'a [bool],
    /// `[examples, classes]`
    pub(super) logits: &'a [f64],
    pub(super) classes: usize,
    pub(super) target: OffsetTarget,
}

/// What a label's answers come to.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    hits: u32,
    predicted: u32,
    support: u32,
    /// Examples whose whole answer is right.
    exact: u32,
}

impl Count {
    fn figure(self, target: OffsetTarget, examples: usize) -> f64 {
        match target {
            OffsetTarget::MacroF1 if self.predicted + self.support == 0 => 0.0,
            OffsetTarget::MacroF1 => f64::from(2 * self.hits) / f64::from(self.predicted + self.support),
            OffsetTarget::Accuracy => f64::from(self.exact) / examples as f64,
        }
    }
}

impl SeveralLabels<'_> {
    fn has(&self, example: usize, class: usize) -> bool {
        self.truth[example * self.classes + class]
    }

    fn logit(&self, example: usize, class: usize) -> f64 {
        self.logits[example * self.classes + class]
    }

    /// Whether an example is given a label.
    fn given(&self, example: usize, class: usize, offset: f64) -> bool {
        self.logit(example, class) + offset >= 0.0
    }

    /// Whether the answer about a label is wrong.
    fn wrong(&self, example: usize, class: usize, offset: f64) -> bool {
        self.given(example, class, offset) != self.has(example, class)
    }

    /// The best offset of a label beside the others' and the figure that counts for it, of the examples that `others_right`
    /// says for whether all other answers are right; also the figure with the offset as it is.
    ///
    /// The places between neighbouring outputs are tried, all in one pass over the sorted outputs. Among places as good the
    /// one nearest to the offset before is taken, so that an offset that helps nothing stays 0.
    fn best_offset(&self, examples: &[(usize, bool)], class: usize, before: f64) -> (f64, f64, f64) {
        let mut margins: Vec<(f64, bool, bool)> = examples
            .iter()
            .map(|&(example, others)| (-self.logit(example, class), self.has(example, class), others))
            .collect();
        margins.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (first, last) = (margins[0].0, margins[margins.len() - 1].0);
        let mut count = Count::default();
        for &(_, has, others) in &margins {
            count.support += u32::from(has);
            count.exact += u32::from(others && !has);
        }
        let figure = |count: Count| count.figure(self.target, margins.len());
        let mut best = (first - 1.0, figure(count));
        let mut now = if before < first { Some(best.1) } else { None };
        let distance = |offset: f64| (offset - before).abs();
        for (place, &(margin, has, others)) in margins.iter().enumerate() {
            count.predicted += 1;
            count.hits += u32::from(has);
            match (others, has) {
                (true, true) => count.exact += 1,
                (true, false) => count.exact -= 1,
                (false, _) => {}
            }
            let next = margins.get(place + 1).map_or(f64::INFINITY, |next| next.0);
            if before >= margin && before < next {
                now = Some(figure(count));
            }
            // Too near for a number to stand between them.
            let end = if next.is_finite() { next } else { last + 2.0 };
            if end - margin < 1e-9 {
                continue;
            }
            let (offset, figure) = (0.5 * (margin + end), figure(count));
            let nearer = figure > best.1 - 1e-12 && distance(offset) < distance(best.0);
            if figure > best.1 + 1e-12 || nearer {
                best = (offset, figure);
            }
        }
        (best.0, best.1, now.unwrap_or(f64::NEG_INFINITY))
    }
}

impl Tuning for SeveralLabels<'_> {
    fn classes(&self) -> usize {
        self.classes
    }

    /// Examples with the same labels are of one stratum.
    fn strata(&self) -> Vec<usize> {
        let mut numbers: BTreeMap<&[bool], usize> = BTreeMap::new();
        for row in self.truth.chunks_exact(self.classes) {
            let next = numbers.len();
            numbers.entry(row).or_insert(next);
        }
        self.truth.chunks_exact(self.classes).map(|row| numbers[row]).collect()
    }

    /// As far as changing one label's offset at a time gets; for the mean F1 that is the best there is, since labels do not
    /// depend on each other.
    fn search(&self, examples: &[usize]) -> Vec<f64> {
        let mut offsets = vec![0.0; self.classes];
        if examples.is_empty() {
            return offsets;
        }
        for _ in 0..MOST_ROUNDS {
            let mut changed = false;
            for class in 0..self.classes {
                let others_right = |example: usize| {
                    (0..self.classes)
                        .filter(|&other| other != class)
                        .all(|other| !self.wrong(example, other, offsets[other]))
                };
                let examples: Vec<(usize, bool)> =
                    examples.iter().map(|&example| (example, others_right(example))).collect();
                let (offset, figure, now) = self.best_offset(&examples, class, offsets[class]);
                if figure > now + 1e-12 {
                    (offsets[class], changed) = (offset, true);
                }
            }
            if !changed {
                break;
            }
        }
        offsets
    }

    fn figure(&self, parts: &[usize], offsets: &[Vec<f64>]) -> f64 {
        let mut counts = vec![Count::default(); self.classes];
        let mut exact = 0;
        for (example, &part) in parts.iter().enumerate() {
            let mut right = true;
            for (class, count) in counts.iter_mut().enumerate() {
                let (given, has) =
                    (self.given(example, class, offsets[part][class]), self.has(example, class));
                count.hits += u32::from(given && has);
                count.predicted += u32::from(given);
                count.support += u32::from(has);
                right &= given == has;
            }
            exact += u32::from(right);
        }
        match self.target {
            OffsetTarget::Accuracy => f64::from(exact) / parts.len() as f64,
            OffsetTarget::MacroF1 => {
                let figures = counts.iter().map(|count| count.figure(self.target, parts.len()));
                figures.sum::<f64>() / self.classes as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OffsetTarget::{Accuracy, MacroF1};

    /// Outputs that repeat, so that margins tie; the last label is rare and its output nearly always below 0.
    fn made_up(examples: usize) -> (Vec<bool>, Vec<f64>) {
        let has = |at: usize| match at % 3 {
            0 => (at / 3).is_multiple_of(2),
            1 => (at / 3).is_multiple_of(3),
            _ => (at / 3).is_multiple_of(7),
        };
        let truth: Vec<bool> = (0..examples * 3).map(has).collect();
        let value = |at: usize| {
            let noise = ((at * at * 31 + at * 17) % 23) as f64 / 8.0 - 1.4;
            noise + if truth[at] { 0.8 } else { -0.8 } - if at % 3 == 2 { 1.5 } else { 0.0 }
        };
        (truth.clone(), (0..examples * 3).map(value).collect())
    }

    fn figure(tuning: &SeveralLabels<'_>, offsets: &[f64]) -> f64 {
        let parts = vec![0; tuning.truth.len() / tuning.classes];
        tuning.figure(&parts, &[offsets.to_vec()])
    }

    #[test]
    fn one_labels_best_offset_is_that_of_trying_all() {
        let (truth, logits) = made_up(60);
        for target in [MacroF1, Accuracy] {
            let tuning = SeveralLabels { truth: &truth, logits: &logits, classes: 3, target };
            let offsets = [0.3, -0.2, 0.1];
            for class in 0..3 {
                let others = |example: usize| {
                    (0..3)
                        .filter(|&other| other != class)
                        .all(|other| !tuning.wrong(example, other, offsets[other]))
                };
                let examples: Vec<(usize, bool)> =
                    (0..60).map(|example| (example, others(example))).collect();
                let (offset, best, now) = tuning.best_offset(&examples, class, offsets[class]);
                let with = |offset: f64| {
                    let mut offsets = offsets;
                    offsets[class] = offset;
                    figure(&tuning, &offsets)
                };
                // Of the mean F1 a label has its share.
                let shares = if target == MacroF1 { 3.0 } else { 1.0 };
                let gain = (best - now) / shares;
                assert!((with(offset) - with(offsets[class]) - gain).abs() < 1e-12);
                let tried = (-6000..6000).map(|step| with(f64::from(step) / 1000.0 + 5e-7));
                assert!(
                    (tried.fold(0.0, f64::max) - with(offset)).abs() < 1e-12,
                    "{target:?} of label {class}"
                );
            }
        }
    }

    #[test]
    fn a_rare_label_is_found_again() {
        let (truth, logits) = made_up(90);
        let all: Vec<usize> = (0..90).collect();
        for target in [MacroF1, Accuracy] {
            let tuning = SeveralLabels { truth: &truth, logits: &logits, classes: 3, target };
            let offsets = tuning.search(&all);
            assert!(figure(&tuning, &offsets) > figure(&tuning, &[0.0; 3]) + 0.02, "{target:?} {offsets:?}");
        }
        let tuning = SeveralLabels { truth: &truth, logits: &logits, classes: 3, target: MacroF1 };
        assert!(tuning.search(&all)[2] > 0.5);
    }

    #[test]
    fn what_cannot_be_better_is_left_alone() {
        let truth = [true, false, false, false];
        for target in [MacroF1, Accuracy] {
            let tuning =
                SeveralLabels { truth: &truth, logits: &[1.0, -2.0, -1.0, -3.0], classes: 2, target };
            assert_eq!(tuning.search(&[0, 1]), [0.0, 0.0]);
            assert_eq!(tuning.search(&[]), [0.0, 0.0]);
            assert_eq!(tuning.strata(), [0, 1]);
        }
    }
}
