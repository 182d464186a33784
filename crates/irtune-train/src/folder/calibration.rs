//! How a model's outputs become probabilities, fitted on validation pairs: `calibration.json` beside the model.

use super::error::RunFolderError;
use super::{RunFolder, read_json};
use irtune_data::LabelSet;
use irtune_files::{Files, json};
use irtune_metrics::{Calibration, OffsetTarget};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

const FILE: &str = "calibration.json";

/// How outputs become probabilities: `softmax(outputs / temperature + offsets)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredCalibration {
    /// What outputs are divided by.
    pub temperature: f64,
    /// What is added for each label.
    pub offsets: BTreeMap<String, f64>,
    /// What the offsets were tuned for; `None` when there was nothing to tune them for.
    pub metric: Option<OffsetTarget>,
}

/// What is wrong with a stored calibration.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationProblem {
    /// A label has no offset.
    #[error("there is no offset for the label `{label}`")]
    Missing {
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
    #[error("temperature has to be above 0, and it and every offset finite")]
    Numbers,
}

impl StoredCalibration {
    /// Of labels in the order of the outputs.
    pub(crate) fn of(calibration: &Calibration, labels: &LabelSet, metric: Option<OffsetTarget>) -> Self {
        let offsets = labels.names().iter().cloned().zip(calibration.offsets().iter().copied());
        Self { temperature: calibration.temperature(), offsets: offsets.collect(), metric }
    }

    fn resolve(&self, labels: &LabelSet) -> Result<Calibration, CalibrationProblem> {
        if let Some(label) = self.offsets.keys().find(|label| labels.index(label).is_none()) {
            return Err(CalibrationProblem::Unknown { label: label.clone() });
        }
        let offset = |label: &String| {
            let offset = self.offsets.get(label).copied();
            offset.ok_or_else(|| CalibrationProblem::Missing { label: label.clone() })
        };
        let offsets = labels.names().iter().map(offset).collect::<Result<_, _>>()?;
        Calibration::new(self.temperature, offsets).ok_or(CalibrationProblem::Numbers)
    }
}

/// The calibration beside a model, if there is one.
///
/// # Errors
/// When the file is damaged or of other labels.
pub(crate) fn read_calibration(
    folder: &Path,
    labels: &LabelSet,
) -> Result<Option<Calibration>, RunFolderError> {
    let Some(stored) = read_stored(folder)? else { return Ok(None) };
    let wrap = |problem| RunFolderError::Calibration { path: folder.join(FILE), problem };
    stored.resolve(labels).map(Some).map_err(wrap)
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
) -> Result<Option<(&'static str, Vec<u8>)>, RunFolderError> {
    read_calibration(folder, labels)?;
    let bytes = read_stored(folder)?.map(|stored| json(&stored)).transpose();
    Ok(bytes.map_err(|source: io::Error| RunFolderError::read(folder, source))?.map(|bytes| (FILE, bytes)))
}

impl RunFolder {
    /// How the kept model's outputs become probabilities; `None` when nothing was fitted.
    ///
    /// # Errors
    /// When the file is damaged or of other labels.
    pub fn calibration(&self, labels: &LabelSet) -> Result<Option<Calibration>, RunFolderError> {
        read_calibration(&self.path, labels)
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

    #[test]
    fn it_is_read_back_bitwise_and_what_does_not_fit_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("settings.toml"), "").unwrap();
        let folder = RunFolder::open(directory.path()).unwrap();
        let labels = LabelSet::new(["style", "clarity"]).unwrap();
        assert_eq!(folder.calibration(&labels).unwrap(), None);
        let calibration = Calibration::new(1.0 / 3.0, vec![0.1 + 0.2, -0.7]).unwrap();
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
}
