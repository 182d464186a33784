//! Two models' answers as one: their log-probabilities, each times a number, and an offset for each label.

use irtune_metrics::{certainty_scale, log_softmax};
use serde::{Deserialize, Serialize};

use crate::minimise::{Convex, FitError, minimise};

/// Parts of the cross-validation that chooses whether labels have offsets.
const PARTS: usize = 5;
/// How strongly offsets are held small: the pairs count against half their squared length as in scikit-learn's C.
const C: f64 = 1.0;
/// Length of the gradient at the end.
const TOLERANCE: f64 = 1e-7;

/// How two models' answers are combined: a label's logit is `first` times its log-probability by the first model, and
/// `second` times that by the second, and its offset.
///
/// Either number is an inverse temperature and a share in one. There are few numbers, for there are few validation
/// pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// Of the first model.
    pub first: f64,
    /// Of the second model.
    pub second: f64,
    /// Of each label; zeros where they don't help.
    pub offsets: Vec<f64>,
}

/// Two models' answers to the same pairs.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// Log-probabilities of the first, `[pairs, labels]`, row-major.
    pub first: &'a [f64],
    /// Of the second, in the same shape.
    pub second: &'a [f64],
    /// How many labels there are.
    pub labels: usize,
}

impl Stack {
    /// The combination that makes the labels of pairs likeliest, no surer than so many pairs can show
    /// ([`certainty_scale`]). Labels have offsets if that makes the labels of held-out pairs likelier, by a cross-validation
    /// of five parts.
    ///
    /// # Errors
    /// When an answer is not finite.
    pub fn fit(answers: Answers<'_>, targets: &[u32]) -> Result<Stack, FitError> {
        let all: Vec<usize> = (0..targets.len()).collect();
        let held_out = |offsets: bool| held_out_loss(answers, targets, offsets);
        let offsets = targets.len() >= 2 * PARTS && held_out(true)? < held_out(false)?;
        let stack = fit_on(answers, targets, &all, offsets)?;
        // Where all answers are right, the labels are the likelier the surer the answers are, without an end.
        let scale = certainty_scale(&stack.log_probabilities(answers), answers.labels);
        let offsets = stack.offsets.iter().map(|offset| scale * offset).collect();
        Ok(Stack { first: scale * stack.first, second: scale * stack.second, offsets })
    }

    /// Log-probabilities of the combination, in the shape of the answers.
    pub fn log_probabilities(&self, answers: Answers<'_>) -> Vec<f64> {
        let mut logits: Vec<f64> = answers
            .first
            .iter()
            .zip(answers.second)
            .zip(self.offsets.iter().cycle())
            .map(|((first, second), offset)| self.first * first + self.second * second + offset)
            .collect();
        logits.chunks_exact_mut(answers.labels).for_each(log_softmax);
        logits
    }

    /// Mean cross-entropy of some pairs.
    fn loss(&self, answers: Answers<'_>, targets: &[u32], pairs: &[usize]) -> f64 {
        let logs = self.log_probabilities(answers);
        let of_pair = |&pair: &usize| -logs[pair * answers.labels + targets[pair] as usize];
        pairs.iter().map(of_pair).sum::<f64>() / pairs.len() as f64
    }
}

/// Mean cross-entropy of each part under the combination of the others. The pairs of a label go to the parts in turn.
fn held_out_loss(answers: Answers<'_>, targets: &[u32], offsets: bool) -> Result<f64, FitError> {
    let mut seen = vec![0usize; answers.labels];
    let part_of = |&target: &u32| {
        seen[target as usize] += 1;
        seen[target as usize] % PARTS
    };
    let parts: Vec<usize> = targets.iter().map(part_of).collect();
    let mut sum = 0.0;
    for part in 0..PARTS {
        let (held_out, rest): (Vec<usize>, Vec<usize>) =
            (0..targets.len()).partition(|&pair| parts[pair] == part);
        if !held_out.is_empty() {
            let stack = fit_on(answers, targets, &rest, offsets)?;
            sum += stack.loss(answers, targets, &held_out) * held_out.len() as f64;
        }
    }
    Ok(sum / targets.len() as f64)
}

fn fit_on(answers: Answers<'_>, targets: &[u32], pairs: &[usize], offsets: bool) -> Result<Stack, FitError> {
    let objective = Objective { answers, targets, pairs, offsets };
    let labels = if offsets { answers.labels } else { 0 };
    let mut start = vec![0.0; 2 + labels];
    start[..2].fill(0.5);
    let found = minimise(&objective, start, TOLERANCE)?;
    let mut offsets = found[2..].to_vec();
    offsets.resize(answers.labels, 0.0);
    Ok(Stack { first: found[0], second: found[1], offsets })
}

/// Mean cross-entropy of the combination, and the penalty of the offsets. Parameters are both numbers, then the offsets.
struct Objective<'a> {
    answers: Answers<'a>,
    targets: &'a [u32],
    pairs: &'a [usize],
    offsets: bool,
}

impl Convex for Objective<'_> {
    fn evaluate(&self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let Answers { first, second, labels } = self.answers;
        let share = 1.0 / self.pairs.len() as f64;
        let penalty = share / C;
        let offsets = &parameters[2..];
        let mut cost = 0.5 * penalty * offsets.iter().map(|offset| offset * offset).sum::<f64>();
        gradient[..2].fill(0.0);
        gradient[2..].iter_mut().zip(offsets).for_each(|(slope, offset)| *slope = penalty * offset);
        let mut residual = vec![0.0; labels];
        for &pair in self.pairs {
            let (one, other) = (&first[pair * labels..][..labels], &second[pair * labels..][..labels]);
            for (label, logit) in residual.iter_mut().enumerate() {
                let offset = if self.offsets { offsets[label] } else { 0.0 };
                *logit = parameters[0] * one[label] + parameters[1] * other[label] + offset;
            }
            log_softmax(&mut residual);
            let target = self.targets[pair] as usize;
            cost -= share * residual[target];
            residual.iter_mut().for_each(|log| *log = share * log.exp());
            residual[target] -= share;
            let dot =
                |logs: &[f64]| logs.iter().zip(&residual).map(|(log, residual)| log * residual).sum::<f64>();
            gradient[0] += dot(one);
            gradient[1] += dot(other);
            gradient[2..].iter_mut().zip(&residual).for_each(|(slope, residual)| *slope += residual);
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::minimise::assert_gradient;

    /// Answers to pairs of three labels in turn: the first model is sure and right in two of three pairs, the second
    /// knows nothing.
    fn answers(pairs: usize) -> (Vec<f64>, Vec<f64>, Vec<u32>) {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let targets: Vec<u32> = (0..pairs).map(|pair| (pair % 3) as u32).collect();
        for (pair, &target) in targets.iter().enumerate() {
            let said = if pair % 9 < 6 { target } else { (target + 1) % 3 };
            let noise = |label: u32| ((pair as u32 * 7 + label * 5) % 11) as f64 / 11.0;
            let mut one: Vec<f64> =
                (0..3).map(|label| if label == said { 8.0 } else { noise(label) }).collect();
            let mut other: Vec<f64> = (0..3).map(|label| 2.0 * noise(label + 4)).collect();
            log_softmax(&mut one);
            log_softmax(&mut other);
            first.extend(one);
            second.extend(other);
        }
        (first, second, targets)
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let (first, second, targets) = answers(12);
        let answers = Answers { first: &first, second: &second, labels: 3 };
        for offsets in [false, true] {
            let objective = Objective { answers, targets: &targets, pairs: &[0, 1, 5, 8, 11], offsets };
            let parameters = [0.4, 0.7, -0.3, 0.2, 0.9];
            assert_gradient(&objective, &parameters[..if offsets { 5 } else { 2 }]);
        }
    }

    #[test]
    fn a_model_that_is_too_sure_is_made_less_so_and_one_that_knows_nothing_hardly_counts() {
        let (first, second, targets) = answers(90);
        let answers = Answers { first: &first, second: &second, labels: 3 };
        let stack = Stack::fit(answers, &targets).unwrap();
        assert!((0.1..0.5).contains(&stack.first) && stack.second.abs() < 0.3, "{stack:?}");
        let logs = stack.log_probabilities(answers);
        for row in logs.chunks_exact(3) {
            assert!((row.iter().map(|log| log.exp()).sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let alone = Stack { first: 1.0, second: 0.0, offsets: vec![0.0; 3] };
        let all: Vec<usize> = (0..90).collect();
        assert!(stack.loss(answers, &targets, &all) < alone.loss(answers, &targets, &all));
    }

    #[test]
    fn a_few_pairs_that_are_all_right_make_no_answer_certain() {
        let mut first: Vec<f64> = [2.0, 0.0, 0.0, 3.0, 2.5, 0.0].to_vec();
        first.chunks_exact_mut(2).for_each(log_softmax);
        let second = vec![0.5f64.ln(); 6];
        let answers = Answers { first: &first, second: &second, labels: 2 };
        let stack = Stack::fit(answers, &[0, 1, 0]).unwrap();
        let logs = stack.log_probabilities(answers);
        let highest = logs.chunks_exact(2).map(|row| row[0].max(row[1]).exp());
        assert!((highest.sum::<f64>() / 3.0 - 0.8).abs() < 1e-6, "{stack:?}");
        // A pair that is much clearer than all of these.
        let mut clear = vec![30.0, 0.0];
        log_softmax(&mut clear);
        let answers = Answers { first: &clear, second: &second[..2], labels: 2 };
        assert!(stack.log_probabilities(answers)[1] > -40.0, "{stack:?}");
    }

    #[test]
    fn a_stack_is_read_back_as_it_was() {
        let stack = Stack { first: 0.1 + 0.2, second: 1.0 / 3.0, offsets: vec![0.0, -0.7] };
        let text = serde_json::to_string(&stack).unwrap();
        assert_eq!(serde_json::from_str::<Stack>(&text).unwrap(), stack);
    }
}
