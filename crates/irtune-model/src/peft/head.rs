//! A head without adapters, which PEFT has no format for: `head.safetensors` with the one tensor `score.weight`,
//! `[labels, hidden_size]` or what an edit head reads, and beside it the classifier's configuration, as with adapters.
//!
//! transformers takes the former with `model.load_state_dict(load_file("head.safetensors"), strict=False)`, the model being
//! `AutoModelForSequenceClassification.from_pretrained(base, num_labels=…)`.

use std::path::Path;

use irtune_files::recover_folder;

use super::{AdapterError, CLASSIFIER_FILE, HEAD_FILE, HEAD_NAME, classifier_path, read, write};
use crate::{
    config::ModelConfig,
    head::{Head, HeadInput, NamedHead},
    host_tensor::HostTensor,
    parameters::WEIGHTS_HEAD_NAME as TENSOR,
    weights::Weights,
};

/// A trained head as it lies on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadFolder {
    /// The labels in the order of the head's rows; nothing when no `classifier.json` stands beside it.
    pub labels: Option<Vec<String>>,
    /// Rows of the head.
    pub label_count: usize,
    /// What it reads.
    pub head_input: HeadInput,
    /// The head under [`HEAD_NAME`], what an engine without adapters loads.
    pub tensors: Vec<HostTensor>,
}

/// Writes a trained head as a folder, in place of an earlier one; `tensors` is what an engine without adapters holds.
///
/// # Errors
/// When another tensor is given, or one of another shape; when the folder holds other files; when it can't be
/// written. The folder is then what it was before.
pub fn write_head<'a>(
    folder: &Path,
    base: &ModelConfig,
    head: impl Into<NamedHead<'a>>,
    tensors: &[HostTensor],
) -> Result<(), AdapterError> {
    let head = head.into();
    let path = folder.join(HEAD_FILE);
    write::verify(tensors, &[(HEAD_NAME.to_owned(), head.unnamed().shape(base.hidden_size))], &path)?;
    let files = [
        (HEAD_FILE, serialize(tensors, &path)?),
        (CLASSIFIER_FILE, write::pretty(&base.to_transformers(head))),
    ];
    write::replace_files(folder, &files)
}

/// A head as a file's bytes.
pub(super) fn serialize<'a>(
    tensors: impl IntoIterator<Item = &'a HostTensor>,
    path: &Path,
) -> Result<Vec<u8>, AdapterError> {
    let renamed = |tensor: &HostTensor| HostTensor::new(TENSOR, tensor.shape.clone(), tensor.data.clone());
    write::serialize(&tensors.into_iter().map(renamed).collect::<Vec<_>>(), path)
}

/// Reads the folder of a head over `base`.
///
/// # Errors
/// When a file is missing or damaged, or doesn't fit the base.
pub fn read_head(folder: &Path, base: &ModelConfig) -> Result<HeadFolder, AdapterError> {
    recover_folder(folder).map_err(|source| AdapterError::Read { path: folder.to_owned(), source })?;
    let head_input = read::read_head_input(&classifier_path(folder))?;
    let (head, tensor) = tensor(&folder.join(HEAD_FILE), base, head_input)?;
    Ok(HeadFolder {
        labels: read::labels(&classifier_path(folder), head.labels)?,
        label_count: head.labels,
        head_input: head.input,
        tensors: vec![tensor],
    })
}

/// The head of a file that holds nothing else, under [`HEAD_NAME`].
pub(super) fn tensor(
    path: &Path,
    base: &ModelConfig,
    input: HeadInput,
) -> Result<(Head, HostTensor), AdapterError> {
    let stored = Weights::open_safetensors(&[path.to_owned()])?;
    let path = || path.to_owned();
    let missing = || AdapterError::MissingTensor { path: path(), tensor: TENSOR.to_owned() };
    let shape = stored.tensor(TENSOR).map_err(|_| missing())?.shape.clone();
    let head = Head { labels: shape.first().copied().unwrap_or(0), input };
    let expected = head.shape(base.hidden_size);
    if shape != expected {
        let (tensor, found) = (TENSOR.to_owned(), shape);
        return Err(AdapterError::Shape { path: path(), tensor, found, expected });
    }
    if let Some(other) = stored.tensors().find(|tensor| tensor.name != TENSOR) {
        return Err(AdapterError::Surplus { path: path(), tensor: other.name.clone() });
    }
    Ok((head, HostTensor::new(HEAD_NAME, shape, stored.values(TENSOR)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::CounterScaling;

    fn base() -> ModelConfig {
        let golden = irtune_testing::golden::golden_folder().join("peft/base_config.json");
        ModelConfig::from_json(&golden).unwrap()
    }

    fn labels() -> Vec<String> {
        ["clarity", "style"].map(str::to_owned).to_vec()
    }

    fn head(rows: usize, columns: usize) -> HostTensor {
        let data = (0..rows * columns).map(|index| index as f32 * 0.25 - 1.0).collect();
        HostTensor::new(HEAD_NAME, vec![rows, columns], data)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("adapter");
        let head = head(2, base().hidden_size);
        // Twice: the second takes the place of the first.
        for _ in 0..2 {
            write_head(&folder, &base(), &labels(), std::slice::from_ref(&head)).unwrap();
        }
        let read = read_head(&folder, &base()).unwrap();
        assert_eq!(
            read,
            HeadFolder {
                labels: Some(labels()),
                label_count: 2,
                head_input: HeadInput::Pooled,
                tensors: vec![head]
            }
        );
        let names: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn an_edit_head_is_read_with_its_scaling() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("adapter");
        let scaling = CounterScaling::of(&["words"], [&[2.0f32][..], &[5.0]].into_iter());
        let input = HeadInput::Edit(scaling);
        let head = head(2, input.columns(base().hidden_size));
        let names = labels();
        let named = NamedHead { input: &input, ..NamedHead::from(&names) };
        write_head(&folder, &base(), named, std::slice::from_ref(&head)).unwrap();
        let expected =
            HeadFolder { labels: Some(labels()), label_count: 2, head_input: input, tensors: vec![head] };
        assert_eq!(read_head(&folder, &base()).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("adapter");
        let width = base().hidden_size;
        let wrong = [head(2, width + 1)];
        let error = write_head(&folder, &base(), &labels(), &wrong).unwrap_err();
        assert!(matches!(error, AdapterError::Shape { .. }), "{error}");
        let error = write_head(&folder, &base(), &labels(), &[]).unwrap_err();
        assert!(matches!(error, AdapterError::MissingTensor { .. }), "{error}");
        assert!(!folder.exists());

        let error = read_head(&folder, &base()).unwrap_err();
        assert!(matches!(error, AdapterError::Weight(_)), "{error}");
        write_head(&folder, &base(), &labels(), &[head(2, width)]).unwrap();
        let mut wider = base();
        wider.hidden_size += 1;
        assert!(matches!(read_head(&folder, &wider), Err(AdapterError::Shape { .. })));
        let path = folder.join(HEAD_FILE);
        let mut two = [head(2, width), head(2, width)];
        two[0].name = TENSOR.to_owned();
        std::fs::write(&path, write::serialize(&two, &path).unwrap()).unwrap();
        assert!(matches!(read_head(&folder, &base()), Err(AdapterError::Surplus { .. })));
        std::fs::write(&path, write::serialize(&two[1..], &path).unwrap()).unwrap();
        assert!(matches!(read_head(&folder, &base()), Err(AdapterError::MissingTensor { .. })));
    }
}
