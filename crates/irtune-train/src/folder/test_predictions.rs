//! What the kept model said of the test pairs, written at the end of a run and read back to be measured again.

use super::error::RunFolderError;
use super::{RunFolder, read_lines};
use crate::infer::decision::Decided;
use irtune_data::LabelSet;
use irtune_files::Files;
use irtune_metrics::{MetricsError, MultiLabelPredictions, Predictions};
use irtune_model::ProblemType;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::PathBuf;

pub(super) const FILE: &str = "test_predictions.jsonl";

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

/// The same of a pair that can have several labels: a line of `test_predictions.jsonl` of such a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiLabelTestPrediction {
    /// The labels that the pair has.
    pub labels: Vec<String>,
    /// The labels that it is given.
    pub predicted: Vec<String>,
    /// The probability of every label, in the order of `labels.json`.
    pub probabilities: Vec<f64>,
    /// The model's output for every label, as it was before any calibration.
    pub logits: Vec<f32>,
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
        self.write_lines(files, predictions.labels().iter().enumerate().map(line))
    }

    /// The same of pairs that can have several labels.
    ///
    /// # Shapes
    /// `logits` `[examples, classes]`, row-major.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_multi_label_test_predictions(
        &self,
        files: &dyn Files,
        labels: &LabelSet,
        predictions: &MultiLabelPredictions,
        logits: &[f32],
    ) -> Result<(), RunFolderError> {
        let names = |has: &[bool]| {
            let had = labels.names().iter().zip(has).filter(|(_, has)| **has);
            had.map(|(name, _)| name.clone()).collect()
        };
        let line = |example: usize| MultiLabelTestPrediction {
            labels: names(predictions.truth(example)),
            predicted: names(predictions.predicted(example)),
            probabilities: predictions.probabilities(example).to_vec(),
            logits: logits[example * labels.len()..][..labels.len()].to_vec(),
        };
        self.write_lines(files, (0..predictions.examples()).map(line))
    }

    fn write_lines<T: Serialize>(
        &self,
        files: &dyn Files,
        lines: impl Iterator<Item = T> + Clone,
    ) -> Result<(), RunFolderError> {
        let path = self.path.join(FILE);
        let mut content = |writer: &mut dyn Write| {
            for prediction in lines.clone() {
                serde_json::to_writer(&mut *writer, &prediction)?;
                writer.write_all(b"\n")?;
            }
            Ok(())
        };
        Ok(irtune_files::replace_file(files, &path, &mut content)?)
    }

    /// What the kept model said of the test pairs, of whichever kind they are, all together; `None` when the run has not
    /// kept it.
    ///
    /// # Errors
    /// When a file can't be read or does not fit the labels.
    pub fn decided(&self, labels: &LabelSet) -> Result<Option<Decided>, TestPredictionsError> {
        Ok(match self.problem()? {
            ProblemType::SingleLabel => self.predictions(labels)?.map(Decided::One),
            ProblemType::MultiLabel => self.multi_label_predictions(labels)?.map(Decided::Several),
        })
    }

    fn multi_label_predictions(
        &self,
        labels: &LabelSet,
    ) -> Result<Option<MultiLabelPredictions>, TestPredictionsError> {
        let (mut truth, mut predicted, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
        let lines = read_lines::<MultiLabelTestPrediction>(self.path.join(FILE))?;
        for (index, prediction) in lines.enumerate() {
            let prediction = prediction?;
            for (names, rows) in [(&prediction.labels, &mut truth), (&prediction.predicted, &mut predicted)] {
                let mut has = vec![false; labels.len()];
                for label in names {
                    has[self.class(labels, label, index + 1)? as usize] = true;
                }
                rows.extend(has);
            }
            probabilities.extend(prediction.probabilities);
        }
        if truth.is_empty() {
            return Ok(None);
        }
        let predictions = MultiLabelPredictions::new(truth, predicted, probabilities, labels.len());
        predictions.map(Some).map_err(|source| self.damaged(source))
    }

    fn class(&self, labels: &LabelSet, label: &str, line: usize) -> Result<u32, TestPredictionsError> {
        labels.index(label).ok_or_else(|| TestPredictionsError::Label {
            path: self.path().to_owned(),
            line,
            label: label.to_owned(),
        })
    }

    fn damaged(&self, source: MetricsError) -> TestPredictionsError {
        TestPredictionsError::Probabilities { path: self.path().to_owned(), source }
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
            targets.push(self.class(labels, &prediction.label, index + 1)?);
            probabilities.extend(prediction.probabilities);
        }
        if targets.is_empty() {
            return Ok(None);
        }
        let predictions = Predictions::new(&targets, &probabilities, labels.len());
        predictions.map(Some).map_err(|source| self.damaged(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_files::Disk;

    fn folder(directory: &tempfile::TempDir) -> RunFolder {
        std::fs::write(directory.path().join("settings.toml"), SETTINGS).unwrap();
        RunFolder::open(directory.path()).unwrap()
    }

    /// What no run lacks.
    const SETTINGS: &str = "method = \"ir\"\nmax_length = 96\nbatch_size = 16\nseed = 171\n";

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
    fn several_labels_are_read_back_with_what_was_given() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("settings.toml"), format!("{SETTINGS}multi_label = true\n"))
            .unwrap();
        let folder = RunFolder::open(directory.path()).unwrap();
        let labels = LabelSet::new(["clarity", "style"]).unwrap();
        assert_eq!(folder.decided(&labels).unwrap(), None);
        let (truth, predicted) = (vec![true, true, false, false], vec![false, true, false, true]);
        let probabilities = vec![0.1 + 0.2, 0.7, 1.0 / 3.0, 0.25];
        let predictions = MultiLabelPredictions::new(truth, predicted, probabilities, 2).unwrap();
        let logits = [0.1f32, -0.2, 1.0 / 3.0, 0.0];
        folder.write_multi_label_test_predictions(&Disk, &labels, &predictions, &logits).unwrap();
        assert_eq!(folder.decided(&labels).unwrap(), Some(Decided::Several(predictions)));
        let path = directory.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(r#"{"labels":["clarity","style"],"predicted":["style"],"#), "{text}");
        std::fs::write(&path, text.replace("style", "tone")).unwrap();
        let error = folder.decided(&labels).unwrap_err().to_string();
        assert!(error.contains("line 1: there is no label `tone`"), "{error}");
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
