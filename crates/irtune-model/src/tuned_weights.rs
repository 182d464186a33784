//! Trained weights of a base on disk: `tuned_weights.safetensors`, which holds every weight of the layers that trained
//! and the head under transformers' names, and the classifier's configuration, `classifier.json`.
//!
//! That is no PEFT format (PEFT has none for it) and no whole model: the rest is the base's. [`crate::merge`] makes a
//! whole one.

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
};

use irtune_files::{ReplaceError, recover_folder, replace_folder, write_file};
use safetensors::{Dtype, View};

use crate::{
    config::ModelConfig,
    head::{Head, HeadInput, NamedHead},
    host_tensor::HostTensor,
    parameters::WEIGHTS_HEAD_NAME,
    parameters::{
        checked::{self, ParameterError},
        masters::layer_tensors,
    },
    peft::{
        AdapterError, CLASSIFIER_FILE, EARLIER_CLASSIFIER_FILE, classifier_path, read_head_input, read_labels,
    },
    safetensors_file::write_tensors,
    weights::{WeightError, Weights},
};

const TENSOR_FILE: &str = "tuned_weights.safetensors";

/// A classifier whose layers' own weights trained, as it lies on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedWeights {
    /// The labels in the order of the head's rows; nothing without a `classifier.json`.
    pub labels: Option<Vec<String>>,
    /// Rows of the head; 0 of a language model's weights, which have none.
    pub label_count: usize,
    /// What the head reads.
    pub head_input: HeadInput,
    /// The layers that trained.
    pub layers: Vec<usize>,
    /// Every weight of these layers, and the head, if there is one.
    pub tensors: Vec<HostTensor>,
}

/// Why a folder of tuned weights can't be written or read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields' names say what they are: the file or folder, the tensor")]
pub enum TunedWeightsError {
    /// A file can't be read.
    #[error("cannot read {}: {source}; a folder of tuned weights holds {TENSOR_FILE} and {CLASSIFIER_FILE}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// A file or folder can't be written.
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// The folder holds something else, which replacing it would delete.
    #[error("{} holds `{file}`, which is no part of tuned weights: give a new or an empty folder", path.display())]
    Foreign { path: PathBuf, file: String },
    /// The tensors' file is damaged.
    #[error(transparent)]
    Weight(#[from] WeightError),
    /// The labels can't be read.
    #[error(transparent)]
    Labels(#[from] AdapterError),
    /// Tensors that don't fit the base.
    #[error("{}: {source}", path.display())]
    Tensors { path: PathBuf, source: Box<ParameterError> },
}

/// A tensor as bytes, where it lies.
struct Borrowed<'a>(&'a HostTensor);

impl View for Borrowed<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        if cfg!(target_endian = "little") {
            return bytemuck::cast_slice(&self.0.data).into();
        }
        self.0.data.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        self.0.data.len() * 4
    }
}

/// Writes trained weights and the head, as an engine gives them, in place of an earlier folder; without labels, those of a
/// language model, which has no head and needs no configuration beside its base's.
///
/// # Errors
/// When a tensor is missing, surplus or of another shape; when the folder holds other files; when it can't be written.
/// The folder is then what it was before.
pub fn write_tuned_weights<'a>(
    folder: &Path,
    base: &ModelConfig,
    head: impl Into<NamedHead<'a>>,
    tensors: &[HostTensor],
) -> Result<(), TunedWeightsError> {
    let head = head.into();
    check(tensors, base, &head.unnamed(), &folder.join(TENSOR_FILE))?;
    let replaced =
        replace_folder(folder, &[TENSOR_FILE, CLASSIFIER_FILE, EARLIER_CLASSIFIER_FILE], |writing| {
            let views = tensors.iter().map(|tensor| (tensor.name.as_str(), Borrowed(tensor)));
            write_tensors(views, &writing.join(TENSOR_FILE)).map_err(io::Error::other)?;
            if head.labels.is_empty() {
                return Ok(());
            }
            let classifier = format!("{:#}\n", base.to_transformers(head));
            write_file(&writing.join(CLASSIFIER_FILE), classifier.as_bytes())
        });
    let path = folder.to_owned();
    replaced.map_err(|error| match error {
        ReplaceError::Foreign(file) => TunedWeightsError::Foreign { path, file },
        ReplaceError::Write(source) => TunedWeightsError::Write { path, source },
    })
}

/// Reads a folder of tuned weights over `base`.
///
/// # Errors
/// When a file is missing or damaged, or doesn't fit the base.
pub fn read_tuned_weights(folder: &Path, base: &ModelConfig) -> Result<TunedWeights, TunedWeightsError> {
    recover_folder(folder).map_err(|source| TunedWeightsError::Read { path: folder.to_owned(), source })?;
    let path = folder.join(TENSOR_FILE);
    let stored = Weights::open_safetensors(std::slice::from_ref(&path))?;
    let tensors = stored
        .tensors()
        .map(|tensor| Ok(HostTensor::new(&tensor.name, tensor.shape.clone(), stored.values(&tensor.name)?)));
    let tensors: Vec<HostTensor> = tensors.collect::<Result<_, WeightError>>()?;
    let head = tensors.iter().find(|tensor| tensor.name == WEIGHTS_HEAD_NAME);
    let labels = head.and_then(|head| head.shape.first().copied()).unwrap_or(0);
    let head = Head { labels, input: read_head_input(&classifier_path(folder))? };
    let layers = check(&tensors, base, &head, &path)?;
    let Head { labels: label_count, input: head_input } = head;
    let labels = read_labels(&classifier_path(folder), label_count)?;
    Ok(TunedWeights { labels, label_count, head_input, layers, tensors })
}

/// The layers that are there, each of them whole, and the head, unless there are no labels.
pub(crate) fn check(
    tensors: &[HostTensor],
    base: &ModelConfig,
    head: &Head,
    path: &Path,
) -> Result<Vec<usize>, TunedWeightsError> {
    let has = |name: &str| tensors.iter().any(|tensor| tensor.name == name);
    let layers: Vec<usize> = (0..base.layers)
        .filter(|&layer| layer_tensors(base, layer).iter().any(|(name, _)| has(name)))
        .collect();
    let mut expected: Vec<_> = layers.iter().flat_map(|&layer| layer_tensors(base, layer)).collect();
    if head.labels > 0 {
        expected.push((WEIGHTS_HEAD_NAME.to_owned(), head.shape(base.hidden_size)));
    }
    checked::checked(expected, tensors)
        .map_err(|source| TunedWeightsError::Tensors { path: path.to_owned(), source: Box::new(source) })?;
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{config::tests::tiny, head::CounterScaling};

    fn tensors(layers: &[usize]) -> Vec<HostTensor> {
        let mut shapes: Vec<_> = layers.iter().flat_map(|&layer| layer_tensors(&tiny(), layer)).collect();
        shapes.push((WEIGHTS_HEAD_NAME.to_owned(), vec![2, 64]));
        let fill = |shape: &[usize]| (0..shape.iter().product()).map(|index| index as f32 * 0.25).collect();
        shapes.into_iter().map(|(name, shape)| HostTensor::new(name, shape.clone(), fill(&shape))).collect()
    }

    fn labels() -> Vec<String> {
        ["clarity", "fluency"].map(str::to_owned).to_vec()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("weights");
        for layers in [vec![], vec![1], vec![0, 1]] {
            write_tuned_weights(&folder, &tiny(), &labels(), &tensors(&layers)).unwrap();
            let mut found = read_tuned_weights(&folder, &tiny()).unwrap();
            let mut expected = tensors(&layers);
            for tensors in [&mut found.tensors, &mut expected] {
                tensors.sort_by(|left, right| left.name.cmp(&right.name));
            }
            let expected = TunedWeights {
                labels: Some(labels()),
                label_count: 2,
                head_input: HeadInput::Pooled,
                layers,
                tensors: expected,
            };
            assert_eq!(found, expected);
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_edit_head_is_read_with_its_scaling() {
        let place = tempfile::tempdir().unwrap();
        let input = HeadInput::Edit(CounterScaling::of(&["words"], [&[2.0f32][..], &[5.0]].into_iter()));
        let columns = input.columns(tiny().hidden_size);
        let mut all = tensors(&[1]);
        *all.last_mut().unwrap() =
            HostTensor::new(WEIGHTS_HEAD_NAME, vec![2, columns], vec![0.5; 2 * columns]);
        let names = labels();
        let named = NamedHead { input: &input, ..NamedHead::from(&names) };
        write_tuned_weights(place.path(), &tiny(), named, &all).unwrap();
        let read = read_tuned_weights(place.path(), &tiny()).unwrap();
        assert_eq!((read.head_input, read.label_count, read.layers), (input, 2, vec![1]));
        let head = read.tensors.iter().find(|tensor| tensor.name == WEIGHTS_HEAD_NAME);
        assert_eq!(head, all.last());
    }

    #[test]
    fn a_language_models_weights_have_no_head() {
        let place = tempfile::tempdir().unwrap();
        let mut expected = tensors(&[1]);
        assert!(write_tuned_weights(place.path(), &tiny(), &[], &expected).is_err());
        expected.pop();
        write_tuned_weights(place.path(), &tiny(), &[], &expected).unwrap();
        let mut found = read_tuned_weights(place.path(), &tiny()).unwrap();
        for tensors in [&mut found.tensors, &mut expected] {
            tensors.sort_by(|left, right| left.name.cmp(&right.name));
        }
        assert_eq!(found.tensors, expected);
        assert_eq!((found.labels, found.label_count, found.layers), (None, 0, vec![1]));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("weights");
        let all = tensors(&[1]);
        let written = |tensors: &[HostTensor]| {
            let error = write_tuned_weights(&folder, &tiny(), &labels(), tensors).unwrap_err();
            error.to_string()
        };
        let message = written(&all[1..]);
        assert!(
            message.contains(
                "tuned_weights.safetensors: parameter `model.layers.1.input_layernorm.weight` is missing"
            ),
            "{message}"
        );
        assert!(written(&all[..9]).contains("`score.weight` is missing"));
        let mut other = all.clone();
        other.push(HostTensor::new("model.norm.weight", vec![1], vec![1.0]));
        assert!(written(&other).contains("`model.norm.weight` has no place here"));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);

        let read = || read_tuned_weights(&folder, &tiny()).unwrap_err().to_string();
        assert!(read().contains("tuned_weights.safetensors"), "{}", read());
        write_tuned_weights(&folder, &tiny(), &labels(), &all).unwrap();
        let other = ModelConfig { hidden_size: 32, ..tiny() };
        let error = read_tuned_weights(&folder, &other).unwrap_err();
        assert!(matches!(error, TunedWeightsError::Tensors { .. }), "{error}");
        fs::write(folder.join(CLASSIFIER_FILE), r#"{"id2label": {"0": "a"}}"#).unwrap();
        assert!(read().contains("there are 1 labels, but the head has 2 rows"), "{}", read());
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        assert!(written(&all).contains("holds `notes.txt`"));
        assert!(matches!(
            write_tuned_weights(&folder.join("notes.txt/deeper"), &tiny(), &labels(), &all),
            Err(TunedWeightsError::Write { .. })
        ));
    }
}
