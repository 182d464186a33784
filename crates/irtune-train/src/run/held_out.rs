//! What the runs of a cross-validation said of the pairs that each had not seen.

use super::cross_validation::read_plan;
use super::folds_error::FoldsError;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::test_predictions::TestPrediction;
use irtune_data::{Corpus, LabelSet, Labels, Pair, folds};
use irtune_metrics::Predictions;
use std::path::Path;

/// All training pairs of a cross-validation, each with what the run said of it that had not seen it.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// The labels, in the order of the probabilities.
    pub labels: LabelSet,
    /// The pairs, in the order of their file.
    pub pairs: Vec<Pair>,
    /// What was said of them, in the same order.
    pub predictions: Predictions,
}

impl HeldOut {
    /// Reads a finished cross-validation and its training pairs.
    ///
    /// # Errors
    /// When there is none in the folder, a run is not finished, or the pairs are no longer those that it divided.
    pub fn read(folder: &Path) -> Result<HeldOut, TrainError> {
        let plan = read_plan(folder)?;
        if plan.settings.multi_label {
            return Err(FoldsError::SeveralLabels { path: folder.to_owned() }.into());
        }
        let corpus = Corpus::read(&plan.train.load(folder)?, &plan.columns, Labels::Required)?;
        // Runs of an earlier version may have their labels in another order.
        let first = RunFolder::open(&folder.join("fold-1")).and_then(|run| run.labels());
        let labels = match first {
            Ok(labels) => labels,
            Err(_) => LabelSet::discover(&corpus.pairs)?,
        };
        let parts = folds(&corpus.pairs, plan.folds)?;
        let mut probabilities = vec![0.0; corpus.pairs.len() * labels.len()];
        for part in 0..plan.folds {
            let path = folder.join(format!("fold-{}", part + 1));
            let unfinished = || FoldsError::Unfinished { path: folder.to_owned(), part: part + 1 };
            let run = RunFolder::open(&path).map_err(|_| unfinished())?;
            if run.summary()?.is_none() {
                return Err(unfinished().into());
            }
            let said: Vec<TestPrediction> = run.test_predictions()?.collect::<Result<_, _>>()?;
            if said.is_empty() {
                return Err(FoldsError::NoPredictions { path }.into());
            }
            let rows: Vec<usize> = (0..corpus.pairs.len()).filter(|&row| parts[row] == part).collect();
            let same_label = |(row, said): (&usize, &TestPrediction)| {
                corpus.pairs[*row].label.as_ref() == Some(&said.label)
                    && said.probabilities.len() == labels.len()
            };
            let same_labels = run.labels()? == labels;
            if !same_labels || rows.len() != said.len() || !rows.iter().zip(&said).all(same_label) {
                return Err(FoldsError::OtherPairs { name: corpus.name.to_string(), path }.into());
            }
            for (row, said) in rows.into_iter().zip(said) {
                probabilities[row * labels.len()..][..labels.len()].copy_from_slice(&said.probabilities);
            }
        }
        let targets: Vec<u32> =
            corpus.pairs.iter().filter_map(|pair| labels.index(pair.label.as_deref()?)).collect();
        let predictions = Predictions::new(&targets, &probabilities, labels.len())?;
        Ok(HeldOut { labels, pairs: corpus.pairs, predictions })
    }
}
