//! From sources of pairs to a trained model, in one call.

use super::corpora::SplitSources;
use super::export::exporter;
use super::notice::Notice;
use super::observer::Observer;
use super::request::{TrainRequest, absolute};
use super::{RunParts, TrainOutcome};
use crate::devices;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::checkpoint::{self, Checkpoint};
use crate::folder::create::RunContents;
use crate::folder::platform::Platform;
use crate::folder::sources::{PairSources, Sources};
use crate::linear::reference::Reference;
use crate::plan;
use crate::prepare::{Begun, Origin, Preparation, Prepared, load, prepare};
use crate::settings::{TrainSettings, ValidatedOn};
use crate::step::StepError;
use irtune_data::PromptChoice;
use irtune_files::Disk;
use irtune_model::Base;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Trains a model into a new run folder.
///
/// The folder is made after base and data were read without an error, so that a request that can't be met leaves
/// nothing behind. Rows in memory are kept in it, so that the run can be resumed without them.
///
/// # Errors
/// All problems of the settings at once, before anything is read; then whatever is wrong with base or data; then what
/// goes wrong in the run.
pub fn train(
    request: &TrainRequest,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<TrainOutcome, TrainError> {
    let problems = request.settings.problems();
    if !problems.is_empty() {
        return Err(TrainError::Settings { problems });
    }
    RunFolder::check_free(&request.out)?;
    if let (Some(fold), Some(test)) = (request.settings.fold, &request.test) {
        return Err(TrainError::FoldAndTest { fold, test: test.clone() });
    }
    let mut settings = request.settings.clone();
    settings.class_weights = settings.class_weights.loaded()?;
    let prompt = PromptChoice::named_or_file(&settings.prompt)?;
    let sources = request.sources()?;
    let validated_on = match &request.validation {
        Some(_) => ValidatedOn::Given,
        None if settings.validation_fraction > 0.0 => ValidatedOn::HeldOut,
        None => ValidatedOn::Nothing,
    };
    for unread in settings.unread(validated_on) {
        observer.on_notice(&Notice::Unread(unread));
    }
    if devices::is_slow_here(settings.precision) {
        observer.on_notice(&Notice::SlowPrecision { precision: settings.precision.to_string() });
    }
    let base = absolute(&request.base)?;
    let columns = &request.columns;
    let origin = Origin::New(prompt.clone());
    let asked = Preparation { settings: &settings, sources: &sources, columns, base: &base, origin };
    let loaded = load(&asked, observer)?;
    settings.resolve_targets(&loaded.base.config)?;
    plan::check(&loaded.base, &settings, &loaded.data)?;
    let origin = Origin::New(prompt);
    let asked = Preparation { settings: &settings, sources: &sources, columns, base: &base, origin };
    let prepared = prepare(loaded, asked, observer)?;
    settings.complete();
    settings.threads = Some(prepared.engine.threads());
    settings.precision = prepared.engine.precision().parse().unwrap_or(settings.precision);
    let PairSources { train, validation, test, columns } = sources.stored(&request.columns)?;
    let engine = prepared.engine.as_ref();
    let contents = RunContents {
        platform: Platform::here(engine.precision(), engine.threads(), settings.seed),
        settings,
        sources: Sources {
            base: prepared.base.source.clone(),
            base_name: request.base_name.clone(),
            train,
            validation,
            test,
            columns,
        },
        kept: sources.kept(),
        task: prepared.task.clone(),
    };
    let folder = RunFolder::create(&Disk, &absolute(&request.out)?, &contents)?;
    let _lock = folder.lock()?;
    let begun =
        InFolder { folder: &folder, settings: &contents.settings, base_name: &contents.sources.base_name };
    begun.run(prepared, observer, interrupt, None)
}

/// Continues an interrupted or killed run, bitwise as if it had never stopped.
///
/// A run that was killed before its first checkpoint begins anew in its folder; one that was killed when all was done but
/// the removal of its checkpoints is finished by that.
///
/// # Errors
/// When the folder is no run or a finished one, when base or data are not what they were, when the newest checkpoint
/// is damaged, or when something goes wrong in the run.
pub fn resume(
    directory: &Path,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<TrainOutcome, TrainError> {
    resume_on(directory, None, observer, interrupt)
}

/// Continues a run whose base lies elsewhere now, or where it was with `None`; else as [`resume`].
///
/// # Errors
/// As [`resume`]; and when what lies there is another base.
pub fn resume_on(
    directory: &Path,
    base: Option<&Path>,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<TrainOutcome, TrainError> {
    let folder = RunFolder::open(directory)?;
    let _lock = folder.lock()?;
    if let Some(summary) = folder.summary()? {
        // Killed in its last moment, it has only that left to do.
        return match folder.tidy(&Disk, &summary)? {
            true => Ok(TrainOutcome::Finished(Box::new(summary))),
            false => Err(TrainError::Finished { path: directory.to_owned() }),
        };
    }
    let (settings, sources) = (folder.settings()?, folder.sources()?);
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(TrainError::Settings { problems });
    }
    let task = folder.task()?;
    let newest = checkpoint::list(&folder.checkpoints_path())?.into_iter().next();
    let checkpoint = newest.map(|path| checkpoint::load(&path)).transpose()?;
    let asked = Preparation {
        settings: &settings,
        sources: &SplitSources::load(&sources, folder.path())?,
        columns: &sources.columns,
        base: base.unwrap_or(&sources.base.path),
        origin: Origin::Begun(Begun {
            task,
            sources: &sources,
            folder: &folder,
            prints: checkpoint.as_ref().map(|checkpoint| &checkpoint.state.data),
        }),
    };
    let loaded = load(&asked, observer)?;
    plan::check(&loaded.base, &settings, &loaded.data)?;
    let prepared = prepare(loaded, asked, observer)?;
    let begun = InFolder { folder: &folder, settings: &settings, base_name: &sources.base_name };
    begun.run(prepared, observer, interrupt, checkpoint)
}

/// A step whose numbers are not finite, with the tensor of the base that they come from, if they do.
fn with_base(error: TrainError, base: &Base) -> TrainError {
    match error {
        TrainError::Step { step, checkpoint, source }
            if matches!(*source, StepError::Loss { .. } | StepError::Gradient { .. }) =>
        {
            match base.weights.not_finite(&base.config) {
                Some((path, tensor)) => TrainError::BaseNotFinite { step, source, path, tensor },
                None => TrainError::Step { step, checkpoint, source },
            }
        }
        error => error,
    }
}

/// A run that has its folder.
struct InFolder<'a> {
    folder: &'a RunFolder,
    settings: &'a TrainSettings,
    base_name: &'a str,
}

impl InFolder<'_> {
    fn run(
        &self,
        prepared: Prepared,
        observer: &mut dyn Observer,
        interrupt: &AtomicBool,
        checkpoint: Option<Checkpoint>,
    ) -> Result<TrainOutcome, TrainError> {
        let Prepared { base, task, data, mut engine, mut policy, linear } = prepared;
        if let Some(Reference { model, .. }) = &linear {
            self.folder.write_linear_model(&Disk, model)?;
        }
        let head = data.head(self.settings.head);
        let parts = RunParts {
            settings: self.settings,
            engine: engine.as_mut(),
            policy: policy.as_mut(),
            data: &data,
            folder: self.folder,
            files: &Disk,
            linear: linear.as_ref().map(|linear| &linear.answers),
            export: &exporter(&base, self.settings, &task.labels, head.input, self.base_name),
            check_base: &|| Ok(base.check_unchanged()?),
        };
        let outcome = super::run(parts, observer, interrupt, checkpoint);
        outcome.map_err(|error| with_base(error, &base))
    }
}
