//! What the kept model said of each test pair: `test_predictions.jsonl`, a line a pair.

use crate::files::Files;
use crate::metrics::Predictions;
use crate::run_folder::{RunFolder, RunFolderError};
use irtune_data::LabelSet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io;
use std::path::PathBuf;

/// What the kept model said of a test pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestPrediction {
    /// Which of the test pairs, counted from 0 in their order; rows that were left out do not count.
    pub example: usize,
    /// Its label.
    pub label: String,
    /// The most probable label, the first one of equals.
    pub predicted: String,
    /// The probability of every label, by its name.
    pub probabilities: Map<String, Value>,
}

/// Why stored predictions can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TestPredictionsError {
    /// The file can't be read, or a line is damaged.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// A line is not what the run could have written.
    #[error("{} line {line}: {what}; remove the file to have it made again", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, counted from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl RunFolder {
    /// What the kept model said of the test pairs.
    pub fn test_predictions_path(&self) -> PathBuf {
        self.path().join("test_predictions.jsonl")
    }

    /// Writes what the kept model said of the test pairs, at once.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_test_predictions(
        &self,
        files: &dyn Files,
        labels: &LabelSet,
        predictions: &Predictions,
    ) -> Result<(), RunFolderError> {
        let path = self.test_predictions_path();
        let writing = self.path().join(".test_predictions.jsonl.writing");
        let written = files
            .write(&writing, &mut |writer| {
                for example in 0..predictions.examples() {
                    serde_json::to_writer(&mut *writer, &prediction(labels, predictions, example))?;
                    writer.write_all(b"\n")?;
                }
                Ok(())
            })
            .and_then(|()| files.rename(&writing, &path));
        written.map_err(|source: io::Error| {
            // The first error is the one to report.
            let _ = files.remove_file(&writing);
            RunFolderError::Write { path, source }
        })
    }

    /// Reads what the kept model said of the test pairs; `None` when the run has not written it.
    ///
    /// # Errors
    /// When the file can't be read or does not fit the labels.
    pub fn test_predictions(&self, labels: &LabelSet) -> Result<Option<Predictions>, TestPredictionsError> {
        let path = self.test_predictions_path();
        if !path.is_file() {
            return Ok(None);
        }
        let (mut targets, mut probabilities) = (Vec::new(), Vec::new());
        for (index, row) in self.lines::<TestPrediction>(path.clone())?.enumerate() {
            let row = row?;
            let wrong = |what| TestPredictionsError::Line { path: path.clone(), line: index + 1, what };
            if row.example != index {
                return Err(wrong("an example is missing before it"));
            }
            targets.push(labels.index(&row.label).ok_or_else(|| wrong("its label is not one of the run's"))?);
            if row.probabilities.len() != labels.len() {
                return Err(wrong("it has not one probability for each label"));
            }
            for name in labels.names() {
                let probability = row.probabilities.get(name).and_then(Value::as_f64);
                probabilities
                    .push(probability.ok_or_else(|| wrong("it has not one probability for each label"))?);
            }
        }
        let damaged =
            |_| TestPredictionsError::Line { path: path.clone(), line: 1, what: "there is no line" };
        Predictions::new(&targets, &probabilities, labels.len()).map(Some).map_err(damaged)
    }
}

fn prediction(labels: &LabelSet, predictions: &Predictions, example: usize) -> TestPrediction {
    let name = |class: usize| labels.names()[class].clone();
    let probability = |class| (name(class), Value::from(predictions.probability(example, class)));
    TestPrediction {
        example,
        label: name(predictions.labels()[example]),
        predicted: name(predictions.predicted()[example]),
        probabilities: (0..predictions.classes()).map(probability).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Disk;

    fn folder(directory: &tempfile::TempDir) -> RunFolder {
        std::fs::write(directory.path().join("settings.toml"), "").unwrap();
        RunFolder::open(directory.path()).unwrap()
    }

    #[test]
    fn predictions_are_read_back_bitwise() {
        let directory = tempfile::tempdir().unwrap();
        let folder = folder(&directory);
        let labels = LabelSet::new(["clarity", "style"]).unwrap();
        assert_eq!(folder.test_predictions(&labels).unwrap(), None);
        let third = 1.0 / 3.0;
        let predictions = Predictions::new(&[1, 0], &[0.1 + 0.2, 0.7, third, 1.0 - third], 2).unwrap();
        folder.write_test_predictions(&Disk, &labels, &predictions).unwrap();
        assert_eq!(folder.test_predictions(&labels).unwrap(), Some(predictions));
        let text = std::fs::read_to_string(folder.test_predictions_path()).unwrap();
        assert!(
            text.starts_with(
                r#"{"example":0,"label":"style","predicted":"style","probabilities":{"clarity":"#
            )
        );
    }

    #[test]
    fn lines_that_do_not_fit_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let folder = folder(&directory);
        let labels = LabelSet::new(["clarity", "style"]).unwrap();
        let error = |text: &str| {
            std::fs::write(folder.test_predictions_path(), text).unwrap();
            folder.test_predictions(&labels).unwrap_err().to_string()
        };
        let line = |example: usize, label: &str, probabilities: &str| {
            format!(
                "{{\"example\":{example},\"label\":\"{label}\",\"predicted\":\"style\",\"probabilities\":{{{probabilities}}}}}\n"
            )
        };
        let good = r#""clarity":0.25,"style":0.75"#;
        let second = line(0, "style", good) + &line(2, "style", good);
        assert!(error(&second).contains("line 2: an example is missing before it"));
        assert!(error(&line(0, "tone", good)).contains("line 1: its label is not one of the run's"));
        for probabilities in
            [r#""clarity":0.25"#, r#""clarity":0.25,"tone":0.75"#, r#""clarity":0.25,"style":null"#]
        {
            assert!(error(&line(0, "style", probabilities)).contains("not one probability for each label"));
        }
        assert!(error("").contains("there is no line"));
        assert!(error("{\n").contains("line 1"));
    }
}
