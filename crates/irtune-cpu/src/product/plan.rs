//! How a product is cut into tasks.

use std::ops::Range;

use crate::{
    level::{Level, level},
    microkernel::TILE,
    pack::PANEL,
    parallel,
};

/// Most panels of a pass. More of them read the left side less often, but leave less depth for a pass.
fn most_panels() -> usize {
    if level() >= Level::Avx512 { 8 } else { 6 }
}

/// Panels of so many columns.
pub(super) fn panels(columns: usize) -> usize {
    columns.div_ceil(PANEL)
}

/// The outputs of one task.
pub(super) struct Part {
    pub(super) rows: Range<usize>,
    /// First column.
    pub(super) column: usize,
    pub(super) panels: usize,
}

/// How a product is cut into tasks: groups of panels, and for few panels also chunks of rows.
pub(super) struct Plan {
    pub(super) group_panels: usize,
    pub(super) groups: usize,
    pub(super) chunk_rows: usize,
    pub(super) row_chunks: usize,
}

impl Plan {
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        let panels = panels(columns);
        let threads = parallel::threads();
        let mut group_panels = most_panels().min(panels);
        let fits = |group_panels: usize| {
            let groups = panels / group_panels;
            panels.is_multiple_of(group_panels) && (groups >= 3 * threads || groups.is_multiple_of(threads))
        };
        while group_panels > 1 && !fits(group_panels) {
            group_panels -= 1;
        }
        let groups = panels.div_ceil(group_panels);
        // Each row chunk packs the panels again, so rows are cut only when panels are too few to share.
        let wanted = if groups.is_multiple_of(threads) { 1 } else { (3 * threads).div_ceil(groups) };
        let row_chunks = wanted.min(rows.div_ceil(8 * TILE)).max(1);
        let chunk_rows = rows.div_ceil(row_chunks).next_multiple_of(TILE);
        Self { group_panels, groups, chunk_rows, row_chunks: rows.div_ceil(chunk_rows) }
    }
}
