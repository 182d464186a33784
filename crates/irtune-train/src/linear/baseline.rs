//! A linear model as a run of its own.

use super::score::Score;
use crate::closing::split_outputs::SplitOutputs;
use crate::closing::{Closed, Closing};
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::create::{create_whole, write_json};
use crate::folder::evaluation::Evaluation;
use crate::folder::linear::write_linear_run;
use crate::folder::peak_memory::peak_bytes;
use crate::folder::platform::Platform;
use crate::folder::sources::keep;
use crate::folder::summary::Summary;
use crate::infer::decision::{Decision, Truth};
use crate::run::corpora::{Corpora, SplitSources};
use crate::run::observer::Observer;
use crate::settings::{BestMetric, Draw};
use irtune_data::{Columns, CorpusSource, Labels, Pair};
use irtune_files::Disk;
use irtune_linear::LinearModel;
use irtune_metrics::OffsetTarget;
use irtune_model::ProblemType;
use std::path::PathBuf;
use std::time::Instant;

/// What a linear model is to learn from, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineRequest {
    /// Training pairs.
    pub train: CorpusSource,
    /// Validation pairs; when missing, some of the training pairs are held out.
    pub validation: Option<CorpusSource>,
    /// Test pairs.
    pub test: Option<CorpusSource>,
    /// How the files' columns are read; of rows in memory it says which labels are dropped.
    pub columns: Columns,
    /// The run folder: not there yet, or empty.
    pub out: PathBuf,
    /// Which pairs are taken.
    pub draw: Draw,
}

/// The method that the summary of a linear run names.
pub const LINEAR: &str = "linear";

/// Trains a linear model into a new run folder, in seconds. The same pairs give the same model.
///
/// # Errors
/// When the pairs can't be used, the fit does not converge, or the folder can't be made.
pub fn train_baseline(request: &BaselineRequest, observer: &mut dyn Observer) -> Result<Summary, TrainError> {
    RunFolder::check_free(&request.out)?;
    if let (Some(fold), Some(test)) = (request.draw.fold, &request.test) {
        return Err(TrainError::FoldAndTest { fold, test: test.clone() });
    }
    let sources = SplitSources {
        train: request.train.kept()?,
        validation: request.validation.as_ref().map(CorpusSource::kept).transpose()?,
        test: request.test.as_ref().map(CorpusSource::kept).transpose()?,
    };
    let corpora = Corpora::read(&sources, &request.columns, Labels::Required, &request.draw, observer)?;
    corpora.check_dropped(&request.columns.drop_labels)?;
    let labels = &corpora.labels;
    let (validation, test) = (corpora.pairs(DataSplit::Validation), corpora.pairs(DataSplit::Test));
    let started = Instant::now();
    let model = LinearModel::train(&corpora.train.pairs, validation, labels, &mut |candidate| {
        observer.on_candidate(candidate);
    })?;
    let step_seconds = started.elapsed().as_secs_f64();
    let (validation, test) =
        (outputs(&model, validation, DataSplit::Validation)?, outputs(&model, test, DataSplit::Test)?);
    let stored = sources.stored(&request.columns)?;
    // The summary is in the folder from its first moment, since such a run can't be resumed.
    create_whole(&Disk, &request.out, |writing| {
        write_json(&Disk, &writing.join("sources.json"), &stored)?;
        let platform = Platform::here("f64", 1, request.draw.seed);
        write_json(&Disk, &writing.join("environment.json"), &platform)?;
        write_json(&Disk, &writing.join("labels.json"), labels)?;
        keep(&Disk, writing, &sources.kept())?;
        write_linear_run(&Disk, writing, &request.draw, &model)?;
        let folder = RunFolder::open(writing)?;
        let closing = Closing {
            labels,
            problem: ProblemType::SingleLabel,
            calibrate: true,
            target: Some(OffsetTarget::MacroF1),
            seed: request.draw.seed,
            linear: None,
            folder: &folder,
            files: &Disk,
        };
        let plain = Decision::none(ProblemType::SingleLabel, labels.len());
        let measured = validation.as_ref().map(|outputs| outputs.measure(0, &plain, labels)).transpose()?;
        let measured = measured.map(|(evaluation, _)| Evaluation { improved: true, ..evaluation });
        let Closed { calibration, test, .. } = closing.close(0, validation, test)?;
        let evaluations: Vec<&Evaluation> = measured.iter().chain(&test).collect();
        for evaluation in &evaluations {
            observer.on_evaluation(evaluation);
            folder.log_evaluation(&Disk, evaluation)?;
        }
        let score = measured.as_ref().map(|evaluation| Score::from(&evaluation.metrics));
        let summary = Summary {
            method: LINEAR.to_owned(),
            steps: 0,
            stopped_early: false,
            best_metric: BestMetric::MacroF1,
            best_step: 0,
            best_value: score.map(|score| score.macro_f1),
            validation: score,
            layer_steps: Vec::new(),
            training_labels: Vec::new(),
            parameters: model.parameters(),
            examples: corpora.train.pairs.len() as u64,
            tokens: 0,
            step_seconds,
            evaluation_seconds: evaluations.iter().map(|evaluation| evaluation.seconds).sum(),
            examples_per_second: corpora.train.pairs.len() as f64 / step_seconds,
            tokens_per_second: 0.0,
            peak_bytes: peak_bytes(),
            collapsed: None,
            calibration,
            linear: None,
            stack: None,
            test,
        };
        folder.write_summary(&Disk, &summary)?;
        Ok(summary)
    })
}

/// What the model says of the pairs of a split; `None` without any.
fn outputs(
    model: &LinearModel,
    pairs: &[Pair],
    split: DataSplit,
) -> Result<Option<SplitOutputs>, TrainError> {
    if pairs.is_empty() {
        return Ok(None);
    }
    let started = Instant::now();
    // In 32 bits, as a predictor has them.
    let logits = model.log_probabilities(pairs).into_iter().map(|log| log as f32).collect();
    let truth = Truth::One(model.targets(pairs)?);
    let kinds = pairs.iter().map(Pair::kind).collect();
    Ok(Some(SplitOutputs { split, truth, kinds, logits, seconds: started.elapsed().as_secs_f64() }))
}
