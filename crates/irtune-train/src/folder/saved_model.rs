//! The model that a run keeps: its adapter, its tuned weights, or its head alone.

use super::RunFolder;
use super::error::RunFolderError;
use super::sources::Sources;
use crate::settings::{TrainSettings, Tune};
use irtune_data::LabelSet;
use irtune_model::{
    AdapterFolder, Base, Changes, Head, HeadFolder, HeadInput, HostTensor, ModelError, OtherBase, Trained,
    TunedWeights, read_adapter, read_head, read_tuned_weights,
};
use std::path::Path;

/// The model that a run keeps.
pub(crate) enum SavedModel {
    Head(HeadFolder),
    Adapter(AdapterFolder),
    Weights(TunedWeights),
}

impl SavedModel {
    /// Reads the model of a run.
    ///
    /// # Errors
    /// When its folder can't be read or does not fit the base.
    pub(crate) fn read(
        folder: &RunFolder,
        settings: &TrainSettings,
        base: &Base,
    ) -> Result<SavedModel, ModelError> {
        let path = folder.model_path(settings.tune);
        Ok(match settings.tune {
            Tune::Adapters if settings.head_only => SavedModel::Head(read_head(&path, &base.config)?),
            Tune::Adapters => SavedModel::Adapter(read_adapter(&path, &base.config)?),
            Tune::Weights => SavedModel::Weights(read_tuned_weights(&path, &base.config)?),
        })
    }

    /// What it changes in its base.
    pub(crate) fn changes(&self) -> Changes<'_> {
        match self {
            SavedModel::Head(head) => Changes::Head { tensors: &head.tensors },
            SavedModel::Adapter(folder) => {
                Changes::Adapter { adapter: &folder.adapter, tensors: &folder.tensors }
            }
            SavedModel::Weights(tuned) => Changes::Weights { tensors: &tuned.tensors },
        }
    }

    /// Confirms that the labels it names, if any, are those of the run.
    ///
    /// # Errors
    /// [`RunFolderError::LabelNames`]
    pub(crate) fn check_labels(&self, run: &Path, labels: &LabelSet) -> Result<(), RunFolderError> {
        match self.labels() {
            Some(model) if model != labels.names() => {
                let (model, names) = (model.to_vec(), labels.names().to_vec());
                Err(RunFolderError::LabelNames { path: run.to_owned(), model, run: names })
            }
            _ => Ok(()),
        }
    }

    /// The labels that it names, in the order of its head's rows. Those that PEFT and transformers number where nobody names
    /// any are none.
    fn labels(&self) -> Option<&[String]> {
        let labels = match self {
            SavedModel::Head(folder) => folder.labels.as_deref(),
            SavedModel::Adapter(folder) => folder.labels.as_deref(),
            SavedModel::Weights(tuned) => tuned.labels.as_deref(),
        };
        let numbered = |labels: &&[String]| {
            labels.iter().enumerate().all(|(index, label)| *label == format!("LABEL_{index}"))
        };
        labels.filter(|labels| !numbered(labels))
    }

    /// What its head reads.
    pub(crate) fn head_input(&self) -> &HeadInput {
        match self {
            SavedModel::Head(folder) => &folder.head_input,
            SavedModel::Adapter(folder) => &folder.head_input,
            SavedModel::Weights(tuned) => &tuned.head_input,
        }
    }

    /// What an engine loads: what trained, the head without its labels' names, and the tensors.
    pub(crate) fn into_parts(self) -> (Trained, Head, Vec<HostTensor>) {
        let head = |labels, input| Head { labels, input };
        match self {
            SavedModel::Head(folder) => {
                (Trained::Head, head(folder.label_count, folder.head_input), folder.tensors)
            }
            SavedModel::Adapter(folder) => {
                let head = head(folder.label_count, folder.head_input);
                (Trained::Adapter(folder.adapter), head, folder.tensors)
            }
            SavedModel::Weights(tuned) => {
                let head = head(tuned.label_count, tuned.head_input);
                (Trained::Weights { lowest: 0 }, head, tuned.tensors)
            }
        }
    }
}

impl Sources {
    /// Opens the base, where it is now or where it was. Only what it is matters, not where it lies.
    ///
    /// # Errors
    /// When it can't be opened, or is another one.
    pub(crate) fn open_base<E: From<ModelError> + From<OtherBase>>(
        &self,
        now: Option<&Path>,
    ) -> Result<Base, E> {
        let path = now.unwrap_or(&self.base.path);
        let base = Base::open(path).map_err(ModelError::from)?;
        base.source.check(&self.base)?;
        Ok(base)
    }
}
