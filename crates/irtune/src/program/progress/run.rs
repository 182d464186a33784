//! A run as it goes: a live bar on a terminal, a line now and then elsewhere. Everything on standard error.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use irtune_linear::Candidate;
use irtune_train::{Evaluation, Notice, Observer, RunStart, StepReport};

use crate::program::output::say_line;
use irtune::show::numbers::{percent, seconds};
use irtune::show::strip;

/// Without a terminal, at least this long between two lines.
const QUIET: Duration = Duration::from_secs(15);
/// Steps over which speed and loss are averaged.
const WINDOW: usize = 20;

/// Draws a run's progress.
pub struct Progress {
    bar: Option<ProgressBar>,
    layers: usize,
    total_steps: u64,
    recent: Vec<Recent>,
    spoke: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Recent {
    loss: f64,
    examples: f64,
    seconds: f64,
}

impl Progress {
    /// Draws on standard error, as a bar if that is a terminal.
    pub fn new() -> Self {
        Self::below(None)
    }

    /// Whether standard error is a terminal, so that bars are drawn.
    pub fn terminal() -> bool {
        std::io::stderr().is_terminal()
    }

    /// The same below other bars.
    pub fn below(others: Option<&MultiProgress>) -> Self {
        let bar = Self::terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(8));
            let bar = match others {
                Some(others) => others.add(bar),
                None => bar,
            };
            let template = "  {wide_bar} {pos}/{len} steps\n  {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        Self { bar, layers: 0, total_steps: 0, recent: Vec::new(), spoke: None }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Says a line without disturbing the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say_line(line)),
            None => say_line(line),
        }
    }

    fn mean(&self, of: impl Fn(&Recent) -> f64) -> f64 {
        self.recent.iter().map(of).sum::<f64>() / self.recent.len().max(1) as f64
    }

    /// Loss, speed and time left, from the latest steps.
    fn figures(&self, step: u64) -> String {
        let step_seconds = self.mean(|recent| recent.seconds);
        let speed = self.mean(|recent| recent.examples) / step_seconds.max(1e-9);
        let left = step_seconds * self.total_steps.saturating_sub(step) as f64;
        let loss = self.mean(|recent| recent.loss);
        format!("loss {loss:.3} · {speed:.1} examples/s · {} left", seconds(left))
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Observer for Progress {
    fn on_start(&mut self, start: &RunStart) {
        self.layers = start.layers;
        self.recent.clear();
        self.total_steps = start.total_steps;
        if let Some(bar) = &self.bar {
            bar.set_length(start.total_steps);
            bar.set_position(start.completed_steps);
        }
        let verb = match start.completed_steps {
            0 => "Training".to_owned(),
            completed => format!("Continuing after step {completed}:"),
        };
        self.say(&format!(
            "{verb} {} layers on {} pairs with {} labels: {} steps, {} an epoch ({}, {} {})",
            start.layers,
            start.train_examples,
            start.labels.len(),
            start.total_steps,
            start.steps_per_epoch,
            start.precision,
            start.threads,
            if start.threads == 1 { "thread" } else { "threads" },
        ));
    }

    fn on_weights(&mut self, done: usize, layers: usize) {
        let message = format!("measuring the weights of layer {done} of {layers}");
        match &self.bar {
            Some(bar) => bar.set_message(message),
            None => {
                if self.spoke.is_none_or(|spoke| spoke.elapsed() >= QUIET) || done == layers {
                    self.spoke = Some(Instant::now());
                    say_line(&message);
                }
            }
        }
    }

    fn on_step(&mut self, report: &StepReport) {
        if self.recent.len() == WINDOW {
            self.recent.remove(0);
        }
        self.recent.push(Recent {
            loss: report.loss,
            examples: report.examples as f64,
            seconds: report.seconds,
        });
        let figures = self.figures(report.step);
        match &self.bar {
            Some(bar) => {
                let layers = strip::active(self.layers, &report.active_layers);
                bar.set_message(format!("{figures}\n  layers {layers} training"));
                bar.set_position(report.step);
            }
            None => {
                let due = self.spoke.is_none_or(|spoke| spoke.elapsed() >= QUIET);
                if due || report.step == self.total_steps {
                    self.spoke = Some(Instant::now());
                    say_line(&format!(
                        "step {}/{}: {figures} · {} of {} layers",
                        report.step,
                        self.total_steps,
                        report.active_layers.len(),
                        self.layers
                    ));
                }
            }
        }
    }

    fn on_evaluation(&mut self, evaluation: &Evaluation) {
        let better = if evaluation.improved { ", the best so far" } else { "" };
        self.say(&format!(
            "  {} after step {}: {} {}, macro-F1 {}, loss {:.3}{better}",
            evaluation.split,
            evaluation.step,
            evaluation.metrics.accuracy_name(),
            percent(evaluation.metrics.accuracy),
            percent(evaluation.metrics.macro_f1),
            evaluation.loss,
        ));
    }

    fn on_candidate(&mut self, candidate: &Candidate) {
        if let Some(bar) = &self.bar {
            let Candidate { penalty, log_loss } = candidate;
            bar.set_message(format!("C = {}: validation loss {log_loss:.3}", penalty.c));
        }
    }

    fn on_checkpoint(&mut self, step: u64, path: &Path) {
        tracing::info!(step, path = %path.display(), "checkpoint");
    }

    fn on_notice(&mut self, notice: &Notice) {
        self.say(&format!("note: {notice}"));
    }
}
