//! How a model's outputs become probabilities, fitted on validation pairs: `calibration.json` beside the model.

use super::error::RunFolderError;
use super::{RunFolder, read_json};
use crate::infer::decision::Decision;
use irtune_data::LabelSet;
use irtune_files::{Files, json};
use irtune_metrics::{Calibration, OffsetTarget, Thresholds};
use irtune_model::ProblemType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

pub(super) const FILE: &str = "calibration.json";

/// How outputs become probabilities: `softmax(outputs / temperature + offsets)`; where a pair can have several labels
/// `sigmoid(output / temperature)`, and a label is given from its threshold on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredCalibration {
    /// What outputs are divided by.
    pub temperature: f64,
    /// What is added for each label; empty where a pair can have several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub offsets: BTreeMap<String, f64>,
    /// From which probability on each label is given, where a pair can have several; else empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, f64>,
    /// What offsets or thresholds were tuned for; `None` when there was nothing to tune them for.
    pub metric: Option<OffsetTarget>,
}

/// What is wrong with a stored calibration.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationProblem {
    /// A label has no offset, or no threshold.
    #[error("there is no {what} for the label `{label}`")]
    Missing {
        /// What is missing: `offset` or `threshold`.
        what: &'static str,
        /// The label.
        label: String,
    },
    /// A label is not one of the model's.
    #[error("the model has no label `{label}`")]
    Unknown {
        /// The label.
        label: String,
    },
    /// A number can't be used.
    #[error("temperature has to be above 0, it and every offset finite, and thresholds between 0 and 1")]
    Numbers,
}

impl StoredCalibration {
    /// Of labels in the order of the outputs.
    pub(crate) fn of(decision: &Decision, labels: &LabelSet, metric: Option<OffsetTarget>) -> Self {
        let by_label = |values: &[f64]| labels.names().iter().cloned().zip(values.iter().copied()).collect();
        let (temperature, offsets, thresholds) = match decision {
            Decision::One(found) => (found.temperature(), by_label(found.offsets()), BTreeMap::new()),
            Decision::Several(found) => (found.temperature(), BTreeMap::new(), by_label(found.thresholds())),
        };
        Self { temperature, offsets, thresholds, metric }
    }

    fn resolve(&self, labels: &LabelSet, problem: ProblemType) -> Result<Decision, CalibrationProblem> {
        let mut named = self.offsets.keys().chain(self.thresholds.keys());
        if let Some(label) = named.find(|label| labels.index(label).is_none()) {
            return Err(CalibrationProblem::Unknown { label: label.clone() });
        }
        let of = |values: &BTreeMap<String, f64>, what| -> Result<Vec<f64>, CalibrationProblem> {
            let value = |label: &String| {
                let value = values.get(label).copied();
                value.ok_or_else(|| CalibrationProblem::Missing { what, label: label.clone() })
            };
            labels.names().iter().map(value).collect()
        };
        let decision = match problem {
            ProblemType::SingleLabel => {
                Calibration::new(self.temperature, of(&self.offsets, "offset")?).map(Decision::One)
            }
            ProblemType::MultiLabel => {
                let thresholds = of(&self.thresholds, "threshold")?;
                Thresholds::new(self.temperature, thresholds).map(Decision::Several)
            }
        };
        decision.ok_or(CalibrationProblem::Numbers)
    }
}

/// The calibration beside a model, if there is one.
///
/// # Errors
/// When the file is damaged or of other labels.
pub(crate) fn read_calibration(
    folder: &Path,
    labels: &LabelSet,
    problem: ProblemType,
) -> Result<Option<Decision>, RunFolderError> {
    let Some(stored) = read_stored(folder)? else { return Ok(None) };
    let wrap = |problem| RunFolderError::Calibration { path: folder.join(FILE), problem };
    stored.resolve(labels, problem).map(Some).map_err(wrap)
}

fn read_stored(folder: &Path) -> Result<Option<StoredCalibration>, RunFolderError> {
    let path = folder.join(FILE);
    if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
}

/// The bytes of the calibration beside a model, and the name of their file, for a copy of the model.
///
/// # Errors
/// As [`read_calibration`].
pub(crate) fn copied_calibration(
    folder: &Path,
    labels: &LabelSet,
    problem: ProblemType,
) -> Result<Option<(&'static str, Vec<u8>)>, RunFolderError> {
    read_calibration(folder, labels, problem)?;
    let bytes = read_stored(folder)?.map(|stored| json(&stored)).transpose();
    Ok(bytes.map_err(|source: io::Error| RunFolderError::read(folder, source))?.map(|bytes| (FILE, bytes)))
}

impl RunFolder {
    /// How the kept model's outputs become probabilities; `None` when nothing was fitted.
    ///
    /// # Errors
    /// When the file, or that of the settings, is damaged, or the file is of other labels.
    pub fn calibration(&self, labels: &LabelSet) -> Result<Option<Decision>, RunFolderError> {
        read_calibration(&self.path, labels, self.problem()?)
    }

    /// Writes how the kept model's outputs become probabilities, at once.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_calibration(
        &self,
        files: &dyn Files,
        calibration: &StoredCalibration,
    ) -> Result<(), RunFolderError> {
        Ok(irtune_files::replace_json(files, &self.path.join(FILE), calibration)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_files::Disk;

    /// What no run lacks.
    const SETTINGS: &str = "method = \"ir\"\nmax_length = 96\nbatch_size = 16\nseed = 171\n";

    #[test]
    fn it_is_read_back_bitwise_and_what_does_not_fit_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("settings.toml"), SETTINGS).unwrap();
        let folder = RunFolder::open(directory.path()).unwrap();
        let labels = LabelSet::new(["style", "clarity"]).unwrap();
        assert_eq!(folder.calibration(&labels).unwrap(), None);
        let calibration = Decision::One(Calibration::new(1.0 / 3.0, vec![0.1 + 0.2, -0.7]).unwrap());
        let stored = StoredCalibration::of(&calibration, &labels, Some(OffsetTarget::MacroF1));
        folder.write_calibration(&Disk, &stored).unwrap();
        assert_eq!(folder.calibration(&labels).unwrap(), Some(calibration));
        let text = std::fs::read_to_string(directory.path().join(FILE)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["metric"], &value["offsets"]["clarity"]), (&"macro_f1".into(), &(-0.7).into()));

        let error = |text: String| {
            std::fs::write(directory.path().join(FILE), text).unwrap();
            folder.calibration(&labels).unwrap_err().to_string()
        };
        assert!(
            error(text.replace("style", "tone"))
                .contains("the model has no label `tone`; the file is damaged")
        );
        let single = text.replace("\"clarity\": -0.7,", "");
        assert!(error(single).contains("calibration.json: there is no offset for the label `clarity`"));
        assert!(error(text.replace("\"temperature\": 0", "\"temperature\": -0")).contains("above 0"));
        assert!(error("{".to_owned()).contains("calibration.json"));
    }

    #[test]
    fn thresholds_are_read_back_where_a_pair_can_have_several_labels() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("settings.toml"), format!("{SETTINGS}multi_label = true\n"))
            .unwrap();
        let folder = RunFolder::open(directory.path()).unwrap();
        let labels = LabelSet::new(["style", "clarity"]).unwrap();
        let thresholds = Decision::Several(Thresholds::new(1.5, vec![0.1 + 0.2, 0.7]).unwrap());
        let stored = StoredCalibration::of(&thresholds, &labels, Some(OffsetTarget::MacroF1));
        folder.write_calibration(&Disk, &stored).unwrap();
        assert_eq!(folder.calibration(&labels).unwrap(), Some(thresholds));
        let text = std::fs::read_to_string(directory.path().join(FILE)).unwrap();
        assert!(text.contains("\"thresholds\"") && !text.contains("offsets"), "{text}");
        let error = |text: String| {
            std::fs::write(directory.path().join(FILE), text).unwrap();
            folder.calibration(&labels).unwrap_err().to_string()
        };
        assert!(
            error(text.replace("thresholds", "offsets"))
                .contains("there is no threshold for the label `style`")
        );
        assert!(error(text.replace("0.7", "1.7")).contains("thresholds between 0 and 1"));
    }
}
