//! What a run did.

use std::path::{Path, PathBuf};

use irtune_files::{Disk, WriteError, replace_file};
use irtune_metrics::{Bootstrap, MetricsError, ProbabilityFigures};
use irtune_model::{LoraInit, ProblemType};
use irtune_train::{
    Adapter, Evaluation, HeadKind, RunFolder, RunFolderError, StepReport, Summary, TestPredictionsError,
    TrainSettings, Tune,
};
use serde_json::{Value, json};

use super::mistakes::Mistakes;
use super::page::Page;
use crate::chart::{Chart, picture};
use crate::show::calibration::calibration;
use crate::show::heat::Heat;
use crate::show::numbers::{bytes, count, percent, seconds};
use crate::show::probabilities::{decisions, probabilities};
use crate::show::probability_charts::{reliability, risk_coverage};
use crate::show::report::set_in;
use crate::show::spark::{columns, spark};
use crate::show::{heat_svg, linear, report};

/// Columns of the curves and of the heat map on a terminal.
const WIDTH: usize = 60;
/// Columns of the heat map in the picture.
const PICTURE_WIDTH: usize = 240;

/// A run can't be described.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Its folder can't be read.
    #[error(transparent)]
    Run(#[from] RunFolderError),
    /// What it said of the test pairs can't be read.
    #[error(transparent)]
    TestPredictions(#[from] TestPredictionsError),
    /// What it said of the test pairs can't be measured.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// Its picture can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Where a picture is, or why it is not drawn: a folder that can't be written is no reason to say nothing of a run.
type Picture = Result<PathBuf, WriteError>;

/// What a run did.
#[derive(Debug)]
pub struct RunReport {
    run: RunFolder,
    summary: Option<Summary>,
    steps: Vec<StepReport>,
    evaluations: Vec<Evaluation>,
    /// Of the probabilities of the test pairs.
    figures: Option<ProbabilityFigures>,
    /// The layers.
    picture: Option<Picture>,
    /// The probabilities of the test pairs.
    chart: Option<Picture>,
}

impl RunReport {
    /// Reads a run folder, and draws its `layers.svg` and `probabilities.svg` where it can be written.
    ///
    /// # Errors
    /// When it is none, or can't be read.
    pub fn open(folder: &Path) -> Result<RunReport, InspectError> {
        let run = RunFolder::open(folder)?;
        let steps = run.steps()?.collect::<Result<_, _>>()?;
        let evaluations = run.evaluations()?.collect::<Result<_, _>>()?;
        let said = run.decided(&run.labels()?)?;
        let figures = said.map(|found| found.probability_figures(Some(&Bootstrap::default())));
        let figures = figures.transpose()?;
        let picture = drawn(write_picture(&run).transpose())?;
        let chart = drawn(figures.as_ref().map(|figures| write_probabilities(&run, figures)))?;
        Ok(RunReport { summary: run.summary()?, run, steps, evaluations, figures, picture, chart })
    }

    /// Everything for programs.
    ///
    /// # Errors
    /// When a file of the run can't be read.
    pub fn json(&self) -> Result<Value, InspectError> {
        let RunReport { run, summary, steps, evaluations, figures, picture, chart } = self;
        Ok(json!({
            "kind": "run",
            "path": run.path().display().to_string(),
            "finished": summary.is_some(),
            "settings": run.settings()?,
            "sources": run.sources()?,
            "environment": run.platform()?,
            "labels": run.labels()?,
            "summary": summary,
            "layer_steps": heat(summary.as_ref(), steps, 1).totals(),
            "steps": steps,
            "evaluations": evaluations,
            "probabilities": figures,
            "picture": picture.as_ref().and_then(|picture| picture.as_ref().ok()),
            "probabilities_picture": chart.as_ref().and_then(|chart| chart.as_ref().ok()),
        }))
    }

    /// A page for a person: one HTML file, with the test pairs that it gets wrong as long as their file is there.
    ///
    /// # Errors
    /// When a file of the run can't be read.
    pub fn page(&self) -> Result<String, InspectError> {
        let RunReport { run, summary, steps, evaluations, figures, .. } = self;
        let name = run.path().file_name().unwrap_or_default().to_string_lossy();
        let layers = heat(summary.as_ref(), steps, PICTURE_WIDTH);
        let probabilities = figures.as_ref().map(|figures| probability_charts(run, figures)).transpose()?;
        let test = summary.as_ref().and_then(|summary| summary.test.as_ref());
        let page = Page {
            name: &format!("Run {name}"),
            about: &about(run, steps, summary.as_ref())?,
            steps,
            evaluations,
            layers: (!steps.is_empty()).then(|| heat_svg::draw(&layers, "Layers that trained")),
            probabilities: probabilities.unwrap_or_default(),
            test: test.map(|test| &test.metrics),
            mistakes: Mistakes::of(run),
        };
        Ok(page.html())
    }

    /// The text for a person.
    ///
    /// # Errors
    /// When a file of the run can't be read.
    pub fn text(&self) -> Result<String, InspectError> {
        let RunReport { run, summary, steps, evaluations, figures, picture, chart } = self;
        let mut out = about(run, steps, summary.as_ref())?;
        out += &curves(steps, evaluations);
        if !steps.is_empty() {
            out +=
                "\nLayers over time (darker: trained in more of these steps), share of all steps, count:\n";
            out += &heat(summary.as_ref(), steps, WIDTH).text();
        }
        if let Some(test) = summary.as_ref().and_then(|summary| summary.test.as_ref()) {
            out += &format!(
                "\nTest pairs, with the model of step {}:\n{}",
                test.step,
                report::metrics(&test.metrics)
            );
        }
        if let Some(standing) = summary.as_ref().and_then(linear::standing) {
            out += &format!("\n{}{}", standing.text, standing.advice.unwrap_or_default());
        }
        let fitted = summary.as_ref().and_then(|summary| summary.calibration.as_ref());
        out += &fitted.map_or_else(String::new, calibration);
        if let Some(figures) = figures {
            out += "\nProbabilities of the test pairs:\n";
            out += &set_in(&match run.problem()? {
                ProblemType::SingleLabel => probabilities(figures),
                ProblemType::MultiLabel => decisions(figures),
            });
        }
        if let Some(picture) = picture {
            out += &format!("\nThe layers as a picture: {}\n", place(picture));
        }
        if let Some(chart) = chart {
            out += &format!("The probabilities as a picture: {}\n", place(chart));
        }
        Ok(out)
    }
}

/// Keeps why a picture is not drawn, when the reason is that it can't be written.
fn drawn(picture: Option<Result<PathBuf, InspectError>>) -> Result<Option<Picture>, InspectError> {
    match picture {
        Some(Err(InspectError::Write(error))) => Ok(Some(Err(error))),
        picture => Ok(picture.transpose()?.map(Ok)),
    }
}

fn place(picture: &Picture) -> String {
    match picture {
        Ok(path) => path.display().to_string(),
        Err(error) => format!("not drawn, {error}"),
    }
}

/// Draws the layers of a run into its folder; a run without steps has none.
///
/// # Errors
/// When the run can't be read, or the picture not be written.
pub fn write_picture(run: &RunFolder) -> Result<Option<PathBuf>, InspectError> {
    let steps: Vec<StepReport> = run.steps()?.collect::<Result<_, _>>()?;
    if steps.is_empty() {
        return Ok(None);
    }
    let heat = heat(run.summary()?.as_ref(), &steps, PICTURE_WIDTH);
    let name = run.path().file_name().unwrap_or_default().to_string_lossy();
    let settings = run.settings()?;
    let method = if settings.head_only { "head_only" } else { &settings.method };
    let title = format!("Layers that trained, {name} ({method})");
    let path = run.path().join("layers.svg");
    let picture = heat_svg::draw(&heat, &title);
    replace_file(&Disk, &path, &mut |writer| writer.write_all(picture.as_bytes()))?;
    Ok(Some(path))
}

fn probability_charts(run: &RunFolder, figures: &ProbabilityFigures) -> Result<Vec<Chart>, InspectError> {
    let mut charts = vec![reliability(&[&figures.reliability])];
    // Where a pair can have several labels, nothing is left out by being unsure.
    if run.problem()?.is_single() {
        charts.push(risk_coverage(&[&figures.by_coverage]));
    }
    Ok(charts)
}

/// Draws the probabilities of the test pairs into a run's folder.
fn write_probabilities(run: &RunFolder, figures: &ProbabilityFigures) -> Result<PathBuf, InspectError> {
    let charts = probability_charts(run, figures)?;
    let path = run.path().join("probabilities.svg");
    let picture = picture(&charts, charts.len());
    replace_file(&Disk, &path, &mut |writer| writer.write_all(picture.as_bytes()))?;
    Ok(path)
}

/// Steps gathered into columns. How many layers there are stands in the scores, or follows from the layers seen.
fn heat(summary: Option<&Summary>, steps: &[StepReport], width: usize) -> Heat {
    let by_summary = summary.map_or(0, |summary| summary.layer_steps.len());
    let seen = steps.iter().flat_map(|step| &step.active_layers).max().map_or(0, |highest| highest + 1);
    let scored = steps.iter().map(|step| step.scores.len()).max().unwrap_or(0);
    let layers = by_summary.max(scored).max(seen);
    let chosen: Vec<(u64, Vec<usize>)> =
        steps.iter().map(|step| (step.step, step.active_layers.clone())).collect();
    Heat::new(layers, &chosen, width)
}

fn about(run: &RunFolder, steps: &[StepReport], summary: Option<&Summary>) -> Result<String, RunFolderError> {
    let (settings, sources, platform) = (run.settings()?, run.sources()?, run.platform()?);
    let line = |name: &str, value: String| format!("  {name:<16}{value}\n");
    let mut out = format!("Run {}\n\n", run.path().display());
    out += &line(
        "state",
        match (summary, steps.last()) {
            (Some(summary), _) if summary.stopped_early => {
                format!("stopped early after {} steps", summary.steps)
            }
            (Some(summary), _) => format!("finished, {} steps", summary.steps),
            (None, Some(last)) => format!("not finished, {} steps made", last.step),
            (None, None) => "not finished, no step made".to_owned(),
        },
    );
    out += &line("base", sources.base.path.display().to_string());
    out += &line("training pairs", sources.train.to_string());
    out += &line("labels", run.labels()?.names().join(", "));
    if settings.multi_label {
        out += &line("labels a pair", "any number of them, or none".to_owned());
    }
    out += &line("method", if settings.head_only { "head_only".to_owned() } else { settings.method.clone() });
    out += &match settings.tune {
        Tune::Weights => line("weights", "of the layers themselves, without adapters".to_owned()),
        Tune::Adapters if settings.head_only => line("adapters", "none".to_owned()),
        Tune::Adapters => line("adapters", adapter_line(&settings)),
    };
    if settings.head == HeadKind::Edit {
        out +=
            &line("head", "reads the last token, the changed tokens and counters of the change".to_owned());
    }
    out += &line(
        "optimization",
        format!(
            "learning rate {} ({}, {}), {} a step, seed {}",
            settings.learning_rate,
            settings.schedule,
            warmup(&settings),
            match settings.step_tokens() {
                Some(tokens) => format!("about {} tokens", count(tokens as u64)),
                None => format!("{} pairs", settings.step_examples()),
            },
            settings.seed
        ),
    );
    out += &line(
        "machine",
        format!(
            "{} {}, {} threads, {}",
            platform.operating_system, platform.architecture, platform.threads, platform.precision
        ),
    );
    if !steps.is_empty() {
        let total: f64 = steps.iter().map(|step| step.seconds).sum();
        let examples: usize = steps.iter().map(|step| step.examples).sum();
        let tokens: usize = steps.iter().map(|step| step.tokens).sum();
        out += &line(
            "speed",
            format!(
                "{:.1} examples/s, {:.0} tokens/s, {} in training steps",
                examples as f64 / total,
                tokens as f64 / total,
                seconds(total)
            ),
        );
    }
    if let Some(peak) = summary.and_then(|summary| summary.peak_bytes) {
        out += &line("peak memory", bytes(peak));
    }
    Ok(out)
}

/// The adapters in a line, with what was set about them.
fn warmup(settings: &TrainSettings) -> String {
    match settings.warmup_steps {
        Some(steps) => format!("{steps} warm-up steps"),
        None => format!("{} of the steps to warm up", percent(settings.warmup_share)),
    }
}

fn adapter_line(settings: &TrainSettings) -> String {
    let modules: Vec<String> = settings.targets().iter().map(ToString::to_string).collect();
    let TrainSettings { rank, alpha, dropout, .. } = settings;
    let lora = || {
        let mut line = format!("rank {rank}, alpha {alpha}, dropout {dropout}");
        if settings.rslora {
            line += ", rank-stabilised";
        }
        if settings.lora_plus_ratio != 1.0 {
            line += &format!(", learning rate of B × {}", settings.lora_plus_ratio);
        }
        line
    };
    let kind = match settings.adapter {
        Adapter::Lora if settings.lora_init == LoraInit::Pissa => format!("LoRA from PiSSA, {}", lora()),
        Adapter::Lora => format!("LoRA, {}", lora()),
        Adapter::Dora if settings.dora_detach_norm => format!("DoRA, {}", lora()),
        Adapter::Dora => format!("DoRA with its norm in the gradient, {}", lora()),
        Adapter::Bottleneck => format!(
            "bottleneck, {}, size {}, {}, scaling {}, dropout {dropout}",
            settings.bottleneck_place,
            settings.bottleneck_size,
            settings.bottleneck_activation,
            settings.bottleneck_scaling
        ),
        Adapter::Ia3 => "(IA)³".to_owned(),
        Adapter::None => return "none".to_owned(),
    };
    format!("{kind} on {}", modules.join(", "))
}

fn curves(steps: &[StepReport], evaluations: &[Evaluation]) -> String {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return String::new() };
    let losses: Vec<f64> = steps.iter().map(|step| step.loss).collect();
    let means = columns(&losses, WIDTH);
    let mut out = format!(
        "\nTraining loss, steps {} to {}: {:.3} at first, {:.3} at the end\n  {}\n",
        first.step,
        last.step,
        means[0],
        means[means.len() - 1],
        spark(&losses, WIDTH)
    );
    if !evaluations.is_empty() {
        out += "\nEvaluations:\n";
    }
    for evaluation in evaluations {
        out += &format!(
            "  step {:>6}  {:<10}  loss {:.3}  {} {:>7}  macro-F1 {:>7}{}\n",
            evaluation.step,
            evaluation.split.to_string(),
            evaluation.loss,
            evaluation.metrics.accuracy_name(),
            percent(evaluation.metrics.accuracy),
            percent(evaluation.metrics.macro_f1),
            if evaluation.improved { "  best so far" } else { "" }
        );
    }
    out
}
