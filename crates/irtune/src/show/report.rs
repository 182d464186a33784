//! What came out of a run or an evaluation, as a person reads it.

use std::path::Path;

use irtune_files::shell_path;
use irtune_metrics::Metrics;
use irtune_train::{Adapter, Notice, Objective, Prediction, RunFolder, RunFolderError, Summary};

use super::calibration::calibration;
use super::kinds::kinds;
use super::numbers::{bytes, count, percent, seconds};
use super::strip;

/// The end of a run.
///
/// # Errors
/// When the run folder cannot be read.
pub fn summary(run: &RunFolder, summary: &Summary) -> Result<String, RunFolderError> {
    let mut out = format!(
        "\nDone: {} steps in {}, {:.1} examples/s{}.\n",
        summary.steps,
        seconds(summary.step_seconds),
        summary.examples_per_second,
        summary.peak_bytes.map_or_else(String::new, |peak| format!(", {} of memory at most", bytes(peak))),
    );
    if let Some(value) = summary.best_value {
        out += &format!(
            "The model of step {} is kept: {} {value:.3} on the validation pairs, {} numbers.\n",
            summary.best_step,
            summary.best_metric,
            count(summary.parameters as u64)
        );
    }
    if let Some(answer) = &summary.collapsed {
        out += &format!("warning: {}.\n", Notice::Collapsed { answer: answer.clone() });
    }
    let shares: Vec<f64> =
        summary.layer_steps.iter().map(|steps| *steps as f64 / summary.steps.max(1) as f64).collect();
    let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
    out += &match summary.layer_steps.iter().any(|&steps| steps > 0) {
        true => format!(
            "\nHow often each layer trained, lowest to highest (on average {} of the layers):\n  {}\n",
            percent(mean),
            strip::shares(&shares)
        ),
        false => "\nThe head alone trained.\n".to_owned(),
    };
    if let Some(test) = &summary.test {
        out += &format!("\nTest pairs:\n{}", metrics(&test.metrics));
        out += &kinds(&test.kinds, test.metrics.accuracy_name());
    }
    out += &summary.calibration.as_ref().map_or_else(String::new, calibration);
    let settings = run.settings()?;
    let model = match (summary.layer_steps.iter().any(|&steps| steps > 0), settings.adapter) {
        (true, Adapter::Bottleneck) => "the model, for irtune",
        (true, _) => "the model, for PEFT and for irtune",
        (false, _) => "the head, for transformers and for irtune",
    };
    let weights = match settings.objective {
        Objective::Head => "the layers that trained, for irtune; irtune merge makes a whole model",
        Objective::Words => "the layers that trained, for irtune",
    };
    out += &format!("\nIn {}:\n", run.path().display());
    for (file, holds) in [
        ("adapter", model),
        ("weights", weights),
        ("calibration.json", "how outputs become probabilities; eval and predict apply it"),
        ("metrics.jsonl", "one line a step"),
        ("settings.toml", "the settings, usable with --config"),
        ("layers.svg", "which layer trained when"),
    ] {
        if run.path().join(file).exists() {
            out += &format!("  {file:<18}{holds}\n");
        }
    }
    Ok(out)
}

/// What can be done with a finished run; `base` says where its base is, if not where it was.
pub fn next_steps(folder: &Path, base: Option<&Path>) -> String {
    let folder = shell_path(folder);
    let base = base.map_or_else(String::new, |base| format!(" --base {}", shell_path(base)));
    format!(
        "\nNext:\n  irtune inspect {folder}\n  irtune eval --run {folder}{base} --data FILE\n  irtune predict --run \
         {folder}{base} --data FILE\n"
    )
}

/// One classified pair, the likeliest labels first.
pub fn example(original: &str, revised: &str, prediction: &Prediction) -> String {
    let mut ranked: Vec<(&str, f64)> = prediction.probabilities.iter().collect();
    ranked.sort_by(|first, second| second.1.total_cmp(&first.1));
    let shares: Vec<String> =
        ranked.iter().map(|(label, share)| format!("{label} {:.0} %", share * 100.0)).collect();
    let labels = match prediction.labels() {
        [] => "no label".to_owned(),
        labels => labels.join(" + "),
    };
    format!("\n  - {original}\n  + {revised}\n    {labels}: {}\n", shares.join(", "))
}

/// Figures of a classification, set in from the margin.
pub fn metrics(metrics: &Metrics) -> String {
    set_in(&metrics.to_string())
}

/// Lines set in from the margin.
pub fn set_in(text: &str) -> String {
    text.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n").collect()
}
