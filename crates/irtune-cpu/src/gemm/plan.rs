//! How a GEMM's output is cut into tasks.

use std::ops::Range;

use super::tile::{MR, NR, panels};
use crate::{
    simd::level::{Level, level},
    threads::parallel,
};

/// Most panels of a task. More of them read A less often, but leave less depth for a K block.
fn most_panels() -> usize {
    if level() >= Level::Avx512 { 8 } else { 6 }
}

/// The part of the output that one task computes.
pub(super) struct Task {
    pub(super) rows: Range<usize>,
    /// First column.
    pub(super) column: usize,
    pub(super) panels: usize,
}

/// A grid of tasks: ranges of panels and, where panels are few, ranges of rows.
pub(super) struct Plan {
    rows: usize,
    panels: usize,
    /// Panels of a task.
    task_panels: usize,
    /// Rows of a task, whole tiles.
    task_rows: usize,
    /// Tasks that share a range of panels.
    row_ranges: usize,
}

impl Plan {
    /// For an output `[rows, columns]`, on the current thread pool.
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        let panels = panels(columns);
        let threads = parallel::threads();
        let mut task_panels = most_panels().min(panels);
        let fits = |task_panels: usize| {
            let ranges = panels / task_panels;
            panels.is_multiple_of(task_panels) && (ranges >= 3 * threads || ranges.is_multiple_of(threads))
        };
        while task_panels > 1 && !fits(task_panels) {
            task_panels -= 1;
        }
        let ranges = panels.div_ceil(task_panels);
        // Each range of rows packs the panels again, so rows are cut only when panels are too few to share.
        let wanted = if ranges.is_multiple_of(threads) { 1 } else { (3 * threads).div_ceil(ranges) };
        let row_ranges = wanted.min(rows.div_ceil(8 * MR)).max(1);
        let task_rows = rows.div_ceil(row_ranges).next_multiple_of(MR);
        Self { rows, panels, task_panels, task_rows, row_ranges: rows.div_ceil(task_rows) }
    }

    /// Number of tasks.
    pub(super) fn tasks(&self) -> usize {
        self.row_ranges * self.panels.div_ceil(self.task_panels)
    }

    /// Task `index`; those that share panels follow each other.
    pub(super) fn task(&self, index: usize) -> Task {
        let first_row = index % self.row_ranges * self.task_rows;
        let first_panel = index / self.row_ranges * self.task_panels;
        Task {
            rows: first_row..self.rows.min(first_row + self.task_rows),
            column: first_panel * NR,
            panels: self.task_panels.min(self.panels - first_panel),
        }
    }
}
