//! A finished run combined with the linear model of its pairs, as if it had been trained so.

use super::reference::Reference;
use crate::closing::split_outputs::SplitOutputs;
use crate::closing::{Closed, Closing};
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::copy::copy_run;
use crate::folder::error::RunFolderError;
use crate::folder::summary::Summary;
use crate::infer::error::PredictorError;
use crate::infer::predictor::{Predictor, PredictorOptions};
use crate::run::corpora::{Corpora, SplitSources};
use crate::run::observer::Observer;
use crate::settings::TrainSettings;
use irtune_data::Labels;
use irtune_files::{Disk, WriteError};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Why a run can't be combined with a linear model.
#[derive(Debug, thiserror::Error)]
pub enum CombineError {
    /// A folder can't be read, or something is where one is to be made.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// The folder can't be made.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The run's pairs can't be read, or nothing can be fitted to them.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The run's model can't be used.
    #[error(transparent)]
    Model(#[from] PredictorError),
    /// The run is not finished.
    #[error("the run in {} is not finished; continue it with irtune train --resume", path.display())]
    Unfinished {
        /// The run folder.
        path: PathBuf,
    },
    /// It is combined already.
    #[error("the run in {} answers together with a linear model already", path.display())]
    Already {
        /// The run folder.
        path: PathBuf,
    },
    /// It tells several labels of a pair.
    #[error("in the run in {} pairs can have several labels (multi_label), and the linear model tells one", path.display())]
    SeveralLabels {
        /// The run folder.
        path: PathBuf,
    },
    /// There is nothing to fit the combination on.
    #[error("the run in {} has no validation pairs to learn the combination on; train one with a validation file or a validation_fraction", path.display())]
    NoValidation {
        /// The run folder.
        path: PathBuf,
    },
}

/// Makes a new run folder out of a finished run: the same model, combined with the linear model of its pairs. The
/// result is that of a run whose setting `stack` was on from the start. The base is where it was in training, if `base`
/// does not say where it is now.
///
/// # Errors
/// When the run is not finished, combined already or without validation pairs, base or pairs are not what and where
/// they were, or the folder can't be made.
pub fn combine(
    run: &Path,
    out: &Path,
    base: Option<PathBuf>,
    observer: &mut dyn Observer,
) -> Result<Summary, CombineError> {
    let folder = RunFolder::open(run)?;
    let path = || run.to_owned();
    let settings = folder.settings()?;
    let summary = folder.summary()?.ok_or_else(|| CombineError::Unfinished { path: path() })?;
    if folder.stack()?.is_some() {
        return Err(CombineError::Already { path: path() });
    }
    if settings.multi_label {
        return Err(CombineError::SeveralLabels { path: path() });
    }
    RunFolder::check_free(out)?;
    let sources = folder.sources()?;
    SplitSources::check(&sources)?;
    let split_sources = SplitSources::load(&sources, run)?;
    let corpora =
        Corpora::read(&split_sources, &sources.columns, Labels::Required, &settings.draw(), observer)?;
    if corpora.pairs(DataSplit::Validation).is_empty() {
        return Err(CombineError::NoValidation { path: path() });
    }
    let labels = folder.labels()?;
    let reference = Reference::of(&corpora, &labels, Some(&folder))?;
    let options = PredictorOptions {
        base,
        precision: settings.precision,
        threads: settings.threads,
        calibrated: false,
        ..PredictorOptions::default()
    };
    let mut predictor = Predictor::open(run, &options)?;
    let mut outputs = |split| outputs(&mut predictor, &corpora, split);
    let (validation, test) = (outputs(DataSplit::Validation)?, outputs(DataSplit::Test)?);
    let settings = TrainSettings { stack: true, ..settings };
    copy_run(&Disk, &folder, out, &settings, |copy| {
        copy.write_linear_model(&Disk, &reference.model)?;
        let closing = Closing::of(&settings, &labels, Some(&reference.answers), copy, &Disk);
        let Closed { stack, calibration, test, .. } = closing.close(summary.best_step, validation, test)?;
        if let Some(test) = &test {
            observer.on_evaluation(test);
            copy.log_evaluation(&Disk, test)?;
        }
        let linear = Some(reference.answers.summary);
        let summary = Summary { stack, calibration, test, linear, ..summary };
        copy.write_card(&Disk, &summary)?;
        copy.write_summary(&Disk, &summary)?;
        Ok(summary)
    })
}

/// What a model says of the pairs of a split; `None` without any.
fn outputs(
    predictor: &mut Predictor,
    corpora: &Corpora,
    split: DataSplit,
) -> Result<Option<SplitOutputs>, PredictorError> {
    let pairs = corpora.pairs(split);
    if pairs.is_empty() {
        return Ok(None);
    }
    let started = Instant::now();
    let tested = predictor.test(pairs.iter().cloned().map(Ok))?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(Some(SplitOutputs { split, truth: tested.truth, kinds: tested.kinds, logits: tested.logits, seconds }))
}
