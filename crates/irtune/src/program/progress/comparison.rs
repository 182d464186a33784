//! The progress of a whole comparison, beside that of the run it is at.

use std::path::Path;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use irtune::compare::{CellError, CompareObserver};
use irtune_linear::Candidate;
use irtune_train::{Evaluation, LINEAR, Notice, Observer, RunStart, StepReport, Summary};

use super::Progress;
use crate::program::failure::Failure;
use crate::program::output::say_line;
use irtune::show::numbers::seconds;

/// Draws how far the comparison is, and the run below it.
#[derive(Default)]
pub struct ComparisonProgress {
    cells: usize,
    complete: usize,
    /// Seconds that finished runs took.
    took: Vec<f64>,
    bars: Option<(MultiProgress, ProgressBar)>,
    progress: Progress,
    run: Current,
}

/// The run it is at.
#[derive(Default)]
struct Current {
    total_steps: u64,
    step: u64,
    steps_made: u64,
    step_seconds: f64,
}

impl ComparisonProgress {
    /// Seconds left, once a run is finished or has made steps.
    fn left(&self) -> Option<f64> {
        let run = &self.run;
        let step = (run.steps_made > 0).then(|| run.step_seconds / run.steps_made as f64);
        let whole = step.map(|step| step * run.total_steps as f64);
        let mean = match self.took.len() {
            0 => whole?,
            runs => self.took.iter().sum::<f64>() / runs as f64,
        };
        let this = step.map_or(mean, |step| step * run.total_steps.saturating_sub(run.step) as f64);
        Some(this + mean * self.cells.saturating_sub(self.complete + 1) as f64)
    }

    fn show(&self) {
        if let Some((_, bar)) = &self.bars {
            bar.set_position(self.complete as u64);
            bar.set_message(
                self.left().map_or_else(String::new, |left| format!("{} left in all", seconds(left))),
            );
        }
    }
}

impl CompareObserver for ComparisonProgress {
    fn on_runs(&mut self, runs: usize) {
        self.cells = runs;
        self.bars = Progress::terminal().then(|| {
            let all = MultiProgress::new();
            let bar = all.add(ProgressBar::new(runs as u64));
            if let Ok(style) = ProgressStyle::with_template("  {wide_bar} {pos}/{len} runs\n  {msg}") {
                bar.set_style(style.progress_chars("━╸─"));
            }
            (all, bar)
        });
        self.progress = Progress::below(self.bars.as_ref().map(|(all, _)| all));
    }

    fn on_run_end(&mut self, summary: &Summary) {
        self.complete += 1;
        // A linear model takes seconds, which say nothing of the runs to come.
        if summary.method != LINEAR {
            self.took.push(summary.step_seconds + summary.evaluation_seconds);
        }
        self.show();
    }

    fn on_run(&mut self, name: &str) {
        self.run = Current::default();
        self.progress = Progress::below(self.bars.as_ref().map(|(all, _)| all));
        let left =
            self.left().map_or_else(String::new, |left| format!(", about {} left in all", seconds(left)));
        self.progress.say(&format!("Run {} of {}: {name}{left}", self.complete + 1, self.cells));
    }

    fn on_run_failure(&mut self, name: &str, error: CellError) {
        self.complete += 1;
        // Their own ways out are looked up by their types.
        let failure = match error {
            CellError::Train(error) => Failure::from(error),
            CellError::Combine(error) => Failure::from(error),
        };
        let message = failure.message();
        self.progress.say(&format!("{name} failed: {}", message.trim_end()));
        self.show();
    }

    fn on_runs_end(&mut self) {
        self.progress.finish();
        if let Some((_, bar)) = &self.bars {
            bar.finish_and_clear();
        }
    }

    fn on_classify(&mut self, run: &Path) {
        say_line(&format!("{}: classifying the test pairs, which the run did not keep", run.display()));
    }
}

impl Observer for ComparisonProgress {
    fn on_start(&mut self, start: &RunStart) {
        (self.run.total_steps, self.run.step) = (start.total_steps, start.completed_steps);
        self.progress.on_start(start);
    }

    fn on_weights(&mut self, done: usize, layers: usize) {
        self.progress.on_weights(done, layers);
    }

    fn on_step(&mut self, report: &StepReport) {
        self.run.step = report.step;
        self.run.steps_made += 1;
        self.run.step_seconds += report.seconds;
        self.show();
        self.progress.on_step(report);
    }

    fn on_evaluation(&mut self, evaluation: &Evaluation) {
        self.progress.on_evaluation(evaluation);
    }

    fn on_candidate(&mut self, candidate: &Candidate) {
        self.progress.on_candidate(candidate);
    }

    fn on_checkpoint(&mut self, step: u64, path: &Path) {
        self.progress.on_checkpoint(step, path);
    }

    fn on_notice(&mut self, notice: &Notice) {
        self.progress.on_notice(notice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64, made: u64, step_seconds: f64, took: Vec<f64>) -> ComparisonProgress {
        let run = Current { total_steps: 100, step, steps_made: made, step_seconds };
        ComparisonProgress { cells: 4, complete: 1, took, bars: None, progress: Progress::below(None), run }
    }

    #[test]
    fn time_left_is_that_of_this_run_and_of_those_to_come() {
        // Two seconds a step: this run needs 180 s more, the two to come 200 s each by its measure, or 50 s by another's.
        assert_eq!(at(10, 10, 20.0, Vec::new()).left(), Some(180.0 + 2.0 * 200.0));
        assert_eq!(at(10, 10, 20.0, vec![50.0]).left(), Some(180.0 + 2.0 * 50.0));
        assert_eq!(at(0, 0, 0.0, vec![40.0, 60.0]).left(), Some(150.0));
        assert_eq!(at(0, 0, 0.0, Vec::new()).left(), None);
    }
}
