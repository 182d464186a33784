//! One simulated labelling.

use irtune_data::Pair;
use irtune_labelling::queue::{Candidate, Queue, next};
use irtune_linear::LinearModel;
use irtune_metrics::{Figures, Predictions, Rankings};

use super::corpus::Corpora;
use super::{LAST, Measured, ROUND};

/// Labels are given in rounds, each followed by a training of a linear model on those so far. Its penalty is not chosen by
/// validation pairs, whose labels would be further ones.
pub fn campaign(corpora: &Corpora, queue: Queue, seed: u64) -> anyhow::Result<Vec<Measured>> {
    let classes = corpora.labels.len();
    let mut labelled: Vec<usize> = Vec::new();
    let mut counts = vec![0; classes];
    let mut open: Vec<usize> = (0..corpora.pool.len()).collect();
    let mut probabilities = vec![1.0 / classes as f64; classes * open.len()];
    let mut measured = Vec::new();
    while labelled.len() < LAST.min(corpora.pool.len()) {
        let candidate = |(place, &pair): (usize, &usize)| Candidate {
            probabilities: probabilities[place * classes..][..classes].to_vec(),
            features: corpora.features[pair].clone(),
        };
        let candidates: Vec<Candidate> = open.iter().enumerate().map(candidate).collect();
        let chosen: Vec<usize> =
            next(queue, &candidates, &counts, ROUND, seed).into_iter().map(|place| open[place]).collect();
        for &pair in &chosen {
            if let Some(class) = corpora.labels.class(&corpora.pool[pair])? {
                counts[class as usize] += 1;
            }
        }
        open.retain(|pair| !chosen.contains(pair));
        labelled.extend(chosen);
        let pairs: Vec<Pair> = labelled.iter().map(|&pair| corpora.pool[pair].clone()).collect();
        let model = LinearModel::train(&pairs, &[], &corpora.labels, &mut |_| {})?;
        measured.push(Measured {
            labels: labelled.len(),
            validation_macro_f1: macro_f1(&model, &corpora.validation)?,
            test_macro_f1: macro_f1(&model, &corpora.test)?,
        });
        let left: Vec<Pair> = open.iter().map(|&pair| corpora.pool[pair].clone()).collect();
        probabilities = model.log_probabilities(&left).into_iter().map(f64::exp).collect();
    }
    Ok(measured)
}

fn macro_f1(model: &LinearModel, pairs: &[Pair]) -> anyhow::Result<f64> {
    let probabilities: Vec<f64> = model.log_probabilities(pairs).into_iter().map(f64::exp).collect();
    let predictions = Predictions::new(&model.targets(pairs)?, &probabilities, model.labels().len())?;
    let weights = vec![1; pairs.len()];
    let figures = Figures::of(&predictions, &Rankings::of(&predictions), &weights);
    Ok(figures.macro_mean(|class| class.f1))
}
