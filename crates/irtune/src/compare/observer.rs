//! What is told while a comparison goes on.

use std::path::Path;

use irtune_train::{Observer, Summary};

use super::CellError;

/// Is told how a comparison goes, beside what each of its runs tells.
pub trait CompareObserver: Observer {
    /// So many runs make the comparison.
    fn on_runs(&mut self, runs: usize);

    /// A run is finished: now, or before the comparison went on.
    fn on_run_end(&mut self, summary: &Summary);

    /// A run begins, or goes on.
    fn on_run(&mut self, name: &str);

    /// A run failed; the others go on.
    fn on_run_failure(&mut self, name: &str, error: CellError);

    /// No more runs are made.
    fn on_runs_end(&mut self);

    /// The test pairs of a run that did not keep their predictions are about to be classified.
    fn on_classify(&mut self, run: &Path);
}
