//! How far a count has got and how long the rest takes: a live bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::program::output::say_line;
use irtune::show::numbers::seconds;

/// Without a terminal, at least this long between two lines.
const QUIET: Duration = Duration::from_secs(15);

/// Draws a count on standard error.
pub struct Count {
    what: &'static str,
    bar: Option<ProgressBar>,
    started: Instant,
    spoke: Instant,
}

impl Count {
    /// Of these things.
    pub fn new(what: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(8));
            if let Ok(style) = ProgressStyle::with_template("  {wide_bar} {pos}/{len}\n  {msg}") {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        Self { what, bar, started: Instant::now(), spoke: Instant::now() }
    }

    /// So many of so many are done.
    pub fn at(&mut self, done: usize, total: usize) {
        let each = self.started.elapsed().as_secs_f64() / done.max(1) as f64;
        let left = seconds(each * total.saturating_sub(done) as f64);
        match &self.bar {
            Some(bar) => {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
                bar.set_message(format!("{:.1} {}/s · {left} left", 1.0 / each, self.what));
            }
            None if self.spoke.elapsed() >= QUIET && done < total => {
                self.spoke = Instant::now();
                say_line(&format!("{done}/{total} {}: {left} left", self.what));
            }
            None => {}
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
