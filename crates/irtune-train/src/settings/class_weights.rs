//! What an example of each label counts in the loss.

use irtune_data::{LabelSet, Quoted, Target};
use irtune_files::UniqueKeys;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

const NONE: &str = "none";
const BALANCED: &str = "balanced";
/// The smallest and the largest weight: beyond them losses are lost in single precision.
const LEAST: f64 = 1e-9;
const MOST: f64 = 1e9;

/// What an example of each label counts in the training loss. In settings: `"none"`, `"balanced"`, the path of a JSON
/// file with an object label → weight, or such an object itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum ClassWeights {
    /// All the same.
    #[default]
    None,
    /// By the training examples: examples / (labels · examples of the label), as scikit-learn's `balanced`. Where an example
    /// can have several labels, examples without the label over examples with it, as the documentation of PyTorch's
    /// `BCEWithLogitsLoss` advises.
    Balanced,
    /// As a file says.
    File(PathBuf),
    /// As given, by label.
    Given(BTreeMap<String, f64>),
}

/// Why class weights can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ClassWeightsError {
    /// The file can't be read.
    #[error("class_weights: {}: {source}; use none, balanced or a JSON file with an object label → weight", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is something else.
    #[error(
        "class_weights: {}: {source}; write an object with a number for each label, such as {{\"clarity\": 1.5}}",
        path.display()
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A weight for a label that the data does not have.
    #[error("class_weights: there is no label {label:?}; the labels are {known}")]
    UnknownLabel {
        /// The label.
        label: String,
        /// Those of the data.
        known: Quoted,
    },
    /// A label of the data has no weight.
    #[error("class_weights: the label {label:?} has no weight; give one to each of {known}")]
    MissingLabel {
        /// The label.
        label: String,
        /// Those of the data.
        known: Quoted,
    },
    /// A weight that is not above 0, or too small or too large to be multiplied with.
    #[error(
        "class_weights: {}the weight {weight:?} of {label:?} is not possible; use a number from {LEAST:?} to {MOST:?}",
        file.as_ref().map_or_else(String::new, |file| format!("{}: ", file.display()))
    )]
    Weight {
        /// The file that it stands in.
        file: Option<PathBuf>,
        /// The label.
        label: String,
        /// Its weight.
        weight: f64,
    },
    /// Nothing to balance by.
    #[error(
        "class_weights: no training example has the label {label:?}, so its weight would be infinite; give weights in a \
         file, or more training pairs"
    )]
    NoExample {
        /// The label.
        label: String,
    },
    /// Nothing to balance against.
    #[error(
        "class_weights: every training example has the label {label:?}, so having it would count nothing; give weights in a \
         file, or drop that label with drop_labels"
    )]
    EveryExample {
        /// The label.
        label: String,
    },
}

impl ClassWeights {
    /// The same with a file's weights read.
    ///
    /// # Errors
    /// When the file can't be read, or doesn't hold one possible weight for each of its labels.
    pub fn loaded(self) -> Result<ClassWeights, ClassWeightsError> {
        let ClassWeights::File(path) = self else { return Ok(self) };
        let bytes = match irtune_files::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(ClassWeightsError::Read { path, source }),
        };
        let UniqueKeys(weights) = match serde_json::from_slice(&bytes) {
            Ok(weights) => weights,
            Err(source) => return Err(ClassWeightsError::Json { path, source }),
        };
        match weights.iter().find(|(_, weight)| !possible(*weight)) {
            Some((label, weight)) => {
                Err(ClassWeightsError::Weight { file: Some(path), label: label.clone(), weight: *weight })
            }
            None => Ok(ClassWeights::Given(weights.into_iter().collect())),
        }
    }

    /// The weight of each label, for training on examples with these targets; `None` when all count the same.
    ///
    /// # Errors
    /// When a label has no weight or no possible one, or there is a weight of no label.
    pub fn resolve<'a>(
        &self,
        labels: &LabelSet,
        targets: impl Iterator<Item = &'a Target>,
    ) -> Result<Option<Vec<f64>>, ClassWeightsError> {
        match self {
            ClassWeights::None => Ok(None),
            ClassWeights::Balanced => balanced(labels, targets).map(Some),
            ClassWeights::Given(given) => by_label(labels, given).map(Some),
            ClassWeights::File(_) => self.clone().loaded()?.resolve(labels, targets),
        }
    }
}

fn balanced<'a>(
    labels: &LabelSet,
    targets: impl Iterator<Item = &'a Target>,
) -> Result<Vec<f64>, ClassWeightsError> {
    let mut counts = vec![0usize; labels.len()];
    let (mut examples, mut several) = (0, false);
    for target in targets {
        examples += 1;
        match target {
            Target::Class(class) | Target::Shares { class, .. } => counts[*class as usize] += 1,
            Target::Labels(has) => {
                several = true;
                counts.iter_mut().zip(has).for_each(|(count, &has)| *count += usize::from(has));
            }
        }
    }
    if let Some(label) = counts.iter().position(|&count| count == 0) {
        return Err(ClassWeightsError::NoExample { label: labels.names()[label].clone() });
    }
    if !several {
        return Ok(counts.iter().map(|&count| examples as f64 / (labels.len() * count) as f64).collect());
    }
    if let Some(label) = counts.iter().position(|&count| count == examples) {
        return Err(ClassWeightsError::EveryExample { label: labels.names()[label].clone() });
    }
    Ok(counts.iter().map(|&count| (examples - count) as f64 / count as f64).collect())
}

fn by_label(labels: &LabelSet, given: &BTreeMap<String, f64>) -> Result<Vec<f64>, ClassWeightsError> {
    let known = || Quoted(labels.names().to_vec());
    for (label, &weight) in given {
        if labels.index(label).is_none() {
            return Err(ClassWeightsError::UnknownLabel { label: label.clone(), known: known() });
        }
        if !possible(weight) {
            return Err(ClassWeightsError::Weight { file: None, label: label.clone(), weight });
        }
    }
    let weight = |label: &String| {
        // A number may be written in another way.
        let written = given.iter().find(|(name, _)| labels.index(name) == labels.index(label));
        written
            .map(|(_, weight)| *weight)
            .ok_or_else(|| ClassWeightsError::MissingLabel { label: label.clone(), known: known() })
    };
    labels.names().iter().map(weight).collect()
}

fn possible(weight: f64) -> bool {
    (LEAST..=MOST).contains(&weight)
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClassWeights::None => formatter.write_str(NONE),
            ClassWeights::Balanced => formatter.write_str(BALANCED),
            ClassWeights::File(path) => path.display().fmt(formatter),
            ClassWeights::Given(weights) => {
                for (index, (label, weight)) in weights.iter().enumerate() {
                    write!(formatter, "{}{label} {weight}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for ClassWeights {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            NONE => ClassWeights::None,
            BALANCED => ClassWeights::Balanced,
            path => ClassWeights::File(Path::new(path).to_owned()),
        })
    }
}

/// The two forms that files have.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected none, balanced, the path of a file, or a number for each label")]
enum Written {
    Word(String),
    Weights(BTreeMap<String, f64>),
}

impl From<Written> for ClassWeights {
    fn from(written: Written) -> Self {
        match written {
            Written::Word(word) => word.parse().unwrap_or_default(),
            Written::Weights(weights) => ClassWeights::Given(weights),
        }
    }
}

impl From<ClassWeights> for Written {
    fn from(weights: ClassWeights) -> Self {
        match weights {
            ClassWeights::Given(weights) => Written::Weights(weights),
            other => Written::Word(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> LabelSet {
        LabelSet::new(["clarity", "fluency", "style"]).unwrap()
    }

    fn given(weights: &[(&str, f64)]) -> ClassWeights {
        ClassWeights::Given(weights.iter().map(|(label, weight)| ((*label).to_owned(), *weight)).collect())
    }

    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2])
        let balanced = |targets: &[Target]| ClassWeights::Balanced.resolve(&labels(), targets.iter());
        let weights = balanced(&[0, 2, 0, 1, 0, 2].map(Target::Class)).unwrap().unwrap();
        assert_eq!(weights, [6.0 / 9.0, 2.0, 1.0]);
        let error = balanced(&[0, 2].map(Target::Class)).unwrap_err();
        assert!(matches!(&error, ClassWeightsError::NoExample { label } if label == "fluency"), "{error}");
        assert_eq!(ClassWeights::None.resolve(&labels(), [Target::Class(0)].iter()).unwrap(), None);

        // Of several labels each is balanced against not having it.
        let several = |rows: &[[bool; 3]]| -> Vec<Target> {
            rows.iter().map(|row| Target::Labels(row.to_vec())).collect()
        };
        let (yes, no) = (true, false);
        let weights = balanced(&several(&[[yes, no, no], [no, no, yes], [yes, yes, no], [yes, no, no]]));
        assert_eq!(weights.unwrap().unwrap(), [1.0 / 3.0, 3.0, 3.0]);
        let error = balanced(&several(&[[yes, no, yes], [yes, yes, no]])).unwrap_err();
        assert!(matches!(&error, ClassWeightsError::EveryExample { label } if label == "clarity"), "{error}");
    }

    #[test]
    fn given_weights_are_put_in_the_order_of_the_labels() {
        let weights = given(&[("style", 3.0), ("clarity", 1.0), ("fluency", 0.5)]);
        let resolved = |weights: &ClassWeights| weights.resolve(&labels(), std::iter::empty());
        assert_eq!(resolved(&weights).unwrap(), Some(vec![1.0, 0.5, 3.0]));
        let message = |weights: &[(&str, f64)]| resolved(&given(weights)).unwrap_err().to_string();
        assert_eq!(
            message(&[("clarity", 1.0), ("fluency", 1.0)]),
            "class_weights: the label \"style\" has no weight; give one to each of \"clarity\", \"fluency\", \"style\""
        );
        assert_eq!(
            message(&[("clearness", 1.0)]),
            "class_weights: there is no label \"clearness\"; the labels are \"clarity\", \"fluency\", \"style\""
        );
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e308, 1e-50] {
            let message = message(&[("clarity", wrong), ("fluency", 1.0), ("style", 1.0)]);
            assert!(
                message.ends_with("of \"clarity\" is not possible; use a number from 1e-9 to 1000000000.0"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_file_is_read_once_and_its_weights_written_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.json");
        std::fs::write(&path, r#"{"clarity": 2, "fluency": 0.5, "style": 1}"#).unwrap();
        let loaded = ClassWeights::File(path.clone()).loaded().unwrap();
        assert_eq!(loaded, given(&[("clarity", 2.0), ("fluency", 0.5), ("style", 1.0)]));
        assert_eq!(loaded.to_string(), "clarity 2, fluency 0.5, style 1");
        for (wrong, said) in [
            (r#"{"clarity": 2, "clarity": 1}"#, "\"clarity\" stands twice"),
            (r#"{"clarity": 1e308}"#, "weights.json: the weight 1e308 of \"clarity\" is not possible"),
        ] {
            std::fs::write(&path, wrong).unwrap();
            let error = ClassWeights::File(path.clone()).loaded().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        std::fs::write(&path, "[1, 2]").unwrap();
        let error = ClassWeights::File(path.clone()).loaded().unwrap_err();
        assert!(matches!(error, ClassWeightsError::Json { .. }), "{error}");
        std::fs::remove_file(&path).unwrap();
        let error = ClassWeights::File(path).resolve(&labels(), std::iter::empty()).unwrap_err();
        assert!(matches!(error, ClassWeightsError::Read { .. }), "{error}");
    }

    #[test]
    fn every_form_round_trips() {
        for (weights, json) in [
            (ClassWeights::None, r#""none""#),
            (ClassWeights::Balanced, r#""balanced""#),
            (ClassWeights::File("w.json".into()), r#""w.json""#),
            (given(&[("a", 0.5)]), r#"{"a":0.5}"#),
        ] {
            assert_eq!(serde_json::to_string(&weights).unwrap(), json);
            assert_eq!(serde_json::from_str::<ClassWeights>(json).unwrap(), weights);
        }
        let error = serde_json::from_str::<ClassWeights>("3").unwrap_err();
        assert!(error.to_string().contains("expected none, balanced, "), "{error}");
    }
}
