//! A run's base and training as one model: a transformers folder, with what irtune itself needs to use it beside it.

use super::calibration::copied_calibration;
use super::create::recover;
use super::error::{RunFolderError, occupied};
use super::linear::copied_combined;
use super::saved_model::SavedModel;
use super::{RunFolder, read_json};
use crate::settings::Objective;
use irtune_data::{Ending, LabelSet, Template};
use irtune_files::{Disk, WriteError, create_folder, write_file};
use irtune_model::{
    Base, MergeError, Merged, MergedType, ModelError, NamedHead, OtherBase, ProblemType, write_merged,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What irtune needs to know of a merged model, beside what transformers does.
pub(super) const FILE: &str = "irtune.json";

/// How a run is merged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MergeOptions {
    /// Where the base is now; where it was in training when not given.
    pub base: Option<PathBuf>,
    /// How values are stored.
    pub stored: MergedType,
}

/// What a merge has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MergeOutcome {
    /// The folder.
    pub path: PathBuf,
    /// How values are stored.
    pub stored: MergedType,
    /// What was written.
    #[serde(flatten)]
    pub merged: Merged,
}

/// Why a run can't be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeRunError {
    /// The run folder can't be read.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// Base or model can't be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The merged model can't be written.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The run has not got as far as a model.
    #[error("the run in {} has no model yet; continue it with --resume", path.display())]
    NoModel {
        /// The run folder.
        path: PathBuf,
    },
    /// The base is not the one the model was trained on.
    #[error(transparent)]
    OtherBase(#[from] OtherBase),
    /// The run's model has no head that a classifier could have.
    #[error("the run in {} says labels by words (objective = \"words\"), and only classifiers with a head are merged; use the run itself, or train one with objective = \"head\"", path.display())]
    NoHead {
        /// The run folder.
        path: PathBuf,
    },
    /// Something is there already.
    #[error("{} {}; choose another folder with --out", path.display(), occupied(path))]
    Exists {
        /// The folder, or file.
        path: PathBuf,
    },
    /// The folder can't be made.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A merged model, beside what transformers knows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergedModel {
    /// The labels, in the order of the outputs.
    pub(crate) labels: LabelSet,
    /// The prompt's template.
    pub(crate) prompt: Template,
    /// Longest example in tokens.
    pub(crate) max_length: usize,
    /// Whether a pair has one label or any number of them.
    #[serde(default, skip_serializing_if = "ProblemType::is_single")]
    pub(crate) problem: ProblemType,
    /// How examples end.
    #[serde(default, skip_serializing_if = "Ending::is_plain")]
    pub(crate) ending: Ending,
}

impl MergedModel {
    /// Of a folder, if it is that of a merged model.
    pub(crate) fn read(folder: &Path) -> Result<Option<MergedModel>, RunFolderError> {
        recover(folder)?;
        let path = folder.join(FILE);
        if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
    }
}

/// Writes the model that a run has left, or its best so far, as a whole into a new folder, which transformers and
/// [`crate::Predictor`] can load; all of it or nothing. `progress` is told the bytes that are done, and of how many.
///
/// # Errors
/// When the run has no model, or one that can't be merged, its base is another one, something is at `out`, or writing fails.
pub fn merge(
    run: &Path,
    out: &Path,
    options: &MergeOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MergeOutcome, MergeRunError> {
    let folder = RunFolder::open(run)?;
    let (settings, sources, labels) = (folder.settings()?, folder.sources()?, folder.labels()?);
    if settings.objective == Objective::Words {
        return Err(MergeRunError::NoHead { path: run.to_owned() });
    }
    if !folder.model_path(settings.tune).is_dir() {
        return Err(MergeRunError::NoModel { path: run.to_owned() });
    }
    check_free(out)?;
    folder.check_edit_head(&settings)?;
    let base = sources.open_base::<MergeRunError>(options.base.as_deref())?;
    folder.check_padding(&base)?;
    let problem = settings.problem();
    let mut copied = copied_combined(run, &labels)?;
    copied.extend(copied_calibration(run, &labels, problem)?);
    copied.extend(folder.merged_card()?);
    let saved = SavedModel::read(&folder, &settings, &base)?;
    saved.check_labels(run, &labels)?;
    let (prompt, max_length, ending) = (folder.prompt()?, settings.max_length, folder.ending()?);
    let known = MergedModel { labels, prompt, max_length, problem, ending };
    let beside = Beside { known, copied };
    let merged = write(out, &base, &saved, &beside, options.stored, progress)?;
    Ok(MergeOutcome { path: out.to_owned(), stored: options.stored, merged })
}

/// Nothing but an empty folder may be there.
fn check_free(out: &Path) -> Result<(), MergeRunError> {
    match RunFolder::check_free(out) {
        Err(RunFolderError::Exists { path, .. }) => Err(MergeRunError::Exists { path }),
        checked => Ok(checked?),
    }
}

/// What irtune itself needs beside the model.
struct Beside {
    known: MergedModel,
    /// Names and bytes of the run's own files that are needed: how outputs become probabilities, and what they are combined
    /// with.
    copied: Vec<(&'static str, Vec<u8>)>,
}

/// Writes beside the place and renames.
fn write(
    out: &Path,
    base: &Base,
    saved: &SavedModel,
    beside: &Beside,
    stored: MergedType,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Merged, MergeRunError> {
    let out = std::path::absolute(out).map_err(WriteError::at(out))?;
    create_folder(&Disk, &out, |writing| {
        let MergedModel { labels, problem, .. } = &beside.known;
        let head = NamedHead { labels: labels.names(), input: saved.head_input(), problem: *problem };
        let merged = write_merged(writing, base, &saved.changes(), head, stored, progress)?;
        let known = irtune_files::json(&beside.known).map_err(WriteError::at(&writing.join(FILE)))?;
        for (name, bytes) in
            [(FILE, &known)].into_iter().chain(beside.copied.iter().map(|(name, bytes)| (*name, bytes)))
        {
            let path = writing.join(name);
            write_file(&path, bytes).map_err(WriteError::at(&path))?;
        }
        Ok(merged)
    })
}
