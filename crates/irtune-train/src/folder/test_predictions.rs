//! What the kept model said of the test pairs, written at the end of a run and read back to be measured again.

use super::error::RunFolderError;
use super::{RunFolder, read_lines};
use irtune_data::LabelSet;
use irtune_files::Files;
use irtune_metrics::{MetricsError, Predictions};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::PathBuf;

const FILE: &str = "test_predictions.jsonl";

/// What the kept model said of a test pair: a line of `test_predictions.jsonl`.
///
/// It is not a [`crate::Prediction`]: its label is the true one, and its probabilities have no names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestPrediction {
    /// The pair's label.
    pub label: String,
    /// The probability of every label, in the order of `labels.json`.
    pub probabilities: Vec<f64>,
    /// The model's output for every label, as it was before any calibration; runs of earlier versions did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logits: Option<Vec<f32>>,
}

/// Why stored predictions can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TestPredictionsError {
    /// The file can't be read, or a line is damaged.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// A line has a label that is not one of the run's.
    #[error("the test predictions in {}, line {line}: there is no label `{label}` in labels.json; one of the files is damaged", path.display())]
    Label {
        /// The run folder.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The label.
        label: String,
    },
    /// The probabilities are not those of the labels.
    #[error("the test predictions in {}: {source}; the file is damaged", path.display())]
    Probabilities {
        /// The run folder.
        path: PathBuf,
        /// What is wrong.
        source: MetricsError,
    },
}

impl RunFolder {
    /// Writes what the kept model said of the test pairs, at once, with its plain outputs.
    ///
    /// # Shapes
    /// `logits` `[examples, classes]`, row-major.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_test_predictions(
        &self,
        files: &dyn Files,
        labels: &LabelSet,
        predictions: &Predictions,
        logits: &[f32],
    ) -> Result<(), RunFolderError> {
        let name = |&label: &usize| labels.names()[label].clone();
        let line = |(example, label): (usize, &usize)| TestPrediction {
            label: name(label),
            probabilities: (0..labels.len()).map(|class| predictions.probability(example, class)).collect(),
            logits: Some(logits[example * labels.len()..][..labels.len()].to_vec()),
        };
        let path = self.path.join(FILE);
        let mut content = |writer: &mut dyn Write| {
            for prediction in predictions.labels().iter().enumerate().map(line) {
                serde_json::to_writer(&mut *writer, &prediction)?;
                writer.write_all(b"\n")?;
            }
            Ok(())
        };
        Ok(irtune_files::replace_file(files, &path, &mut content)?)
    }

    /// What the kept model said of the test pairs, in the order of their file, read one by one; none when there were
    /// none.
    ///
    /// # Errors
    /// When the file is there but can't be read; an item is an error when its line is damaged.
    pub fn test_predictions(
        &self,
    ) -> Result<impl Iterator<Item = Result<TestPrediction, RunFolderError>> + use<>, RunFolderError> {
        read_lines(self.path.join(FILE))
    }

    /// What the kept model said of the test pairs, all together; `None` when the run has not kept it.
    ///
    /// # Errors
    /// When the file can't be read or does not fit the labels.
    pub fn predictions(&self, labels: &LabelSet) -> Result<Option<Predictions>, TestPredictionsError> {
        let (mut targets, mut probabilities) = (Vec::new(), Vec::new());
        for (index, prediction) in self.test_predictions()?.enumerate() {
            let prediction = prediction?;
            targets.push(labels.index(&prediction.label).ok_or_else(|| TestPredictionsError::Label {
                path: self.path().to_owned(),
                line: index + 1,
                label: prediction.label.clone(),
            })?);
            probabilities.extend(prediction.probabilities);
        }
        if targets.is_empty() {
            return Ok(None);
        }
        let predictions = Predictions::new(&targets, &probabilities, labels.len());
        predictions
            .map(Some)
            .map_err(|source| TestPredictionsError::Probabilities { path: self.path().to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_files::Disk;

    fn folder(directory: &tempfile::TempDir) -> RunFolder {
        std::fs::write(directory.path().join("settings.toml"), "").unwrap();
        RunFolder::open(directory.path()).unwrap()
    }

    #[test]
    fn predictions_are_read_back_bitwise() {
        let directory = tempfile::tempdir().unwrap();
        let folder = folder(&directory);
        let labels = LabelSet::new(["clarity", "style"]).unwrap();
        assert_eq!(folder.predictions(&labels).unwrap(), None);
        let third = 1.0 / 3.0;
        let predictions = Predictions::new(&[1, 0], &[0.1 + 0.2, 0.7, third, 1.0 - third], 2).unwrap();
        let logits = [0.1f32, -0.2, 1.0 / 3.0, 0.0];
        folder.write_test_predictions(&Disk, &labels, &predictions, &logits).unwrap();
        assert_eq!(folder.predictions(&labels).unwrap(), Some(predictions));
        let lines = folder.test_predictions().unwrap().map(|line| line.unwrap().logits);
        assert!(lines.eq([Some(logits[..2].to_vec()), Some(logits[2..].to_vec())]));
    }

    #[test]
    fn lines_that_do_not_fit_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let folder = folder(&directory);
        let labels = LabelSet::new(["clarity", "style"]).unwrap();
        let error = |text: &str| {
            std::fs::write(directory.path().join("test_predictions.jsonl"), text).unwrap();
            folder.predictions(&labels).unwrap_err().to_string()
        };
        let good = "{\"label\":\"style\",\"probabilities\":[0.25,0.75]}\n";
        let other = good.replace("style", "tone");
        assert!(error(&(good.to_owned() + &other)).contains("line 2: there is no label `tone`"));
        assert!(error(&good.replace(",0.75", "")).contains("2 probabilities, but there are 1"));
        assert!(error("{\n").contains("line 1"));
    }
}
