//! From finished run folders to figures.

use std::path::Path;

use irtune_data::{LabelSet, Labels};
use irtune_files::Disk;
use irtune_metrics::Predictions;
use irtune_train::{
    DataSplit, Decided, Evaluation, Outputs, Predictor, PredictorOptions, RunFolder, StepReport, Summary,
};

use super::layer_code;
use super::results::{CellResults, LossPoint, ValidationPoint};
use super::runner::Planned;
use super::{CompareError, CompareObserver};

/// Points of a loss curve at most.
const POINTS: usize = 120;
/// How far the accuracy of predictions made afterwards may be from the one that the run recorded.
const NEAR: f64 = 0.02;

/// A finished cell: its figures, and what its model says of the test pairs.
pub struct Gathered {
    /// Its place in the plan.
    pub place: usize,
    /// Its figures; the arm is filled in later.
    pub results: CellResults,
    /// The labels, in the order of the predictions.
    pub labels: LabelSet,
    /// Of each test pair.
    pub predictions: Predictions,
    /// On what it was made.
    pub machine: String,
}

/// Reads a cell's run folder; `None` when it is not finished. Predictions that the run did not keep are made with its
/// model and kept.
///
/// # Errors
/// When a file cannot be read, or the model not be used.
pub fn gather(
    planned: &Planned,
    place: usize,
    base: Option<&Path>,
    observer: &mut dyn CompareObserver,
) -> Result<Option<Gathered>, CompareError> {
    if RunFolder::check_free(&planned.path).is_ok() {
        return Ok(None);
    }
    let run = RunFolder::open(&planned.path)?;
    let Some(summary) = run.summary()? else { return Ok(None) };
    if !run.problem()?.is_single() {
        return Err(CompareError::SeveralLabels { path: run.path().to_owned() });
    }
    let labels = run.labels()?;
    let predictions = match run.predictions(&labels)? {
        Some(predictions) => predictions,
        None => {
            observer.on_classify(run.path());
            predict(&run, &summary, &labels, base)?
        }
    };
    let steps: Vec<StepReport> = run.steps()?.collect::<Result<_, _>>()?;
    let evaluations: Vec<Evaluation> = run.evaluations()?.collect::<Result<_, _>>()?;
    let metrics = irtune_metrics::Metrics::of(&predictions, labels.names(), None)?;
    let platform = run.platform()?;
    let layers = summary.layer_steps.len();
    let trained: u64 = summary.layer_steps.iter().sum();
    let results = CellResults {
        name: planned.cell.name.clone(),
        arm: 0,
        seed: planned.cell.seed,
        fold: planned.cell.fold.map(|(fold, _)| fold),
        train_examples: match planned.cell.linear {
            true => summary.examples,
            false => train_examples(&steps),
        },
        steps: summary.steps,
        best_step: summary.best_step,
        step_seconds: median(steps.iter().map(|step| step.seconds).collect()),
        examples_per_second: summary.examples_per_second,
        training_seconds: summary.step_seconds,
        evaluation_seconds: summary.evaluation_seconds,
        peak_bytes: summary.peak_bytes,
        trained_share: trained as f64 / (layers as u64 * summary.steps).max(1) as f64,
        parameters: summary.parameters,
        accuracy: metrics.accuracy,
        macro_f1: metrics.macro_f1,
        average_precision: metrics.macro_average_precision,
        plain_macro_f1: plain_macro_f1(&summary),
        kinds: summary.test.as_ref().map_or_else(Vec::new, |test| test.kinds.clone()),
        loss: loss(&steps),
        validation: validation(&steps, &evaluations),
        layers,
        layer_steps: layer_code::encode(steps.iter().map(|step| step.active_layers.as_slice())),
    };
    let machine = format!(
        "{} {}, {} cores, {} threads, {}",
        platform.operating_system,
        platform.architecture,
        platform.cores,
        platform.threads,
        platform.precision
    );
    Ok(Some(Gathered { place, results, labels, predictions, machine }))
}

fn plain_macro_f1(summary: &Summary) -> Option<f64> {
    Some(summary.calibration.as_ref()?.test.as_ref()?.plain.macro_f1)
}

/// Makes the predictions of a run that did not keep them.
fn predict(
    run: &RunFolder,
    summary: &Summary,
    labels: &LabelSet,
    base: Option<&Path>,
) -> Result<Predictions, CompareError> {
    let path = run.path().to_owned();
    let (settings, sources) = (run.settings()?, run.sources()?);
    let (Some(test), Some(recorded)) = (&sources.test, &summary.test) else {
        return Err(CompareError::NoTestPairs { path });
    };
    let options = PredictorOptions {
        base: base.map(Path::to_owned),
        precision: settings.precision,
        threads: settings.threads,
        batch_size: settings.batch_size,
        ..PredictorOptions::default()
    };
    let mut predictor = Predictor::open(run.path(), &options)?;
    let pairs = test.load(run.path())?.pairs(&sources.columns, Labels::Required)?;
    let Outputs { predictions, logits } = predictor.outputs(pairs)?;
    let Decided::One(predictions) = predictions else { return Err(CompareError::SeveralLabels { path }) };
    // A few near ties may fall otherwise on another machine or in other batches.
    let near = (NEAR * predictions.examples() as f64).max(2.0) / predictions.examples() as f64;
    let right =
        predictions.labels().iter().zip(predictions.predicted()).filter(|(label, found)| label == found);
    let accuracy = right.count() as f64 / predictions.examples() as f64;
    if predictions.examples() != recorded.metrics.examples
        || (accuracy - recorded.metrics.accuracy).abs() > near
    {
        return Err(CompareError::OtherFigures {
            path,
            accuracy,
            examples: predictions.examples(),
            recorded_accuracy: recorded.metrics.accuracy,
            recorded_examples: recorded.metrics.examples,
        });
    }
    run.write_test_predictions(&Disk, labels, &predictions, &logits)?;
    Ok(predictions)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() { 0.0 } else { irtune_metrics::percentile(&values, 0.5) }
}

/// Training pairs: those of the first epoch, or of as many full batches when it is not over.
fn train_examples(steps: &[StepReport]) -> u64 {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return 0 };
    let steps_of_epoch = (last.step as f64 / last.epoch).round() as usize;
    match steps.get(..steps_of_epoch) {
        Some(epoch) => epoch.iter().map(|step| step.examples as u64).sum(),
        None => (steps_of_epoch * first.examples) as u64,
    }
}

/// Means of stretches of the steps.
fn loss(steps: &[StepReport]) -> Vec<LossPoint> {
    let stretches = steps.len().min(POINTS);
    let mut points = Vec::with_capacity(stretches);
    let mut seconds = 0.0;
    for stretch in 0..stretches {
        let part = &steps[stretch * steps.len() / stretches..(stretch + 1) * steps.len() / stretches];
        seconds += part.iter().map(|step| step.seconds).sum::<f64>();
        let loss = part.iter().map(|step| step.loss).sum::<f64>() / part.len() as f64;
        points.push(LossPoint { step: part[part.len() - 1].step, seconds, loss });
    }
    points
}

fn validation(steps: &[StepReport], evaluations: &[Evaluation]) -> Vec<ValidationPoint> {
    let seconds =
        |until: u64| steps.iter().filter(|step| step.step <= until).map(|step| step.seconds).sum::<f64>();
    let point = |evaluation: &Evaluation| ValidationPoint {
        step: evaluation.step,
        seconds: seconds(evaluation.step),
        loss: evaluation.loss,
        accuracy: evaluation.metrics.accuracy,
        macro_f1: evaluation.metrics.macro_f1,
    };
    evaluations.iter().filter(|evaluation| evaluation.split == DataSplit::Validation).map(point).collect()
}
