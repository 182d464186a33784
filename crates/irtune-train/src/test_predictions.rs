//! What the kept model said of the test pairs, read back to be measured again.

use crate::run_folder::{RunFolder, RunFolderError};
use irtune_data::LabelSet;
use irtune_metrics::{MetricsError, Predictions};
use std::path::PathBuf;

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
        folder.write_test_predictions(&Disk, &labels, &predictions).unwrap();
        assert_eq!(folder.predictions(&labels).unwrap(), Some(predictions));
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
