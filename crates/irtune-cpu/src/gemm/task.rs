//! One task of a GEMM: some rows by a few panels of the output.

use super::{
    a_block::{RowRange, a_block, next_rows},
    b_panels::{BPanels, Panel, Step},
    epilogue::{Target, write_tile},
    k_blocks::{BlockSize, k_blocks},
    plan::Task,
    quantised_a::QuantisedA,
    term::Term,
    tile::{Accumulate, AlignedTile, MR, NR, Tile},
};
use crate::{
    simd::{element::Element, level::level},
    threads::scratch,
};

/// Computes a task's part of the output, multiplied as `P` or in integers.
///
/// K block by K block it packs B, and goes through the rows of A in blocks of 12. Each block of A stays in the
/// first-level cache while it meets all panels.
pub(super) fn compute<E: Element, P: Element>(
    terms: &[Term<E>],
    quantised: &[QuantisedA],
    scale: f32,
    target: &Target<E>,
    task: Task,
) {
    let Task { rows, column: first, panels } = task;
    let level = level();
    let (mut size, mut k_block_count) = (BlockSize::default(), 0);
    k_blocks::<E, P>(terms, panels, |slices, _, _| {
        size = size.union(BlockSize::of::<E, P>(terms, slices));
        k_block_count += 1;
    });
    // Between K blocks the sums of all rows are kept, else only those of a block of rows, for all panels.
    let row_blocks = rows.len().div_ceil(MR);
    let kept = if k_block_count > 1 { row_blocks } else { 1 };
    let bytes = BPanels::<P>::bytes(size, panels)
        + scratch::bytes::<Tile>(kept * panels)
        + scratch::bytes::<P>(size.copied);
    scratch::with(bytes, |mut arena| {
        let mut packed = BPanels::<P>::take(&mut arena, size, panels);
        let sums = arena.take::<Tile>(kept * panels);
        let copied = arena.take::<P>(size.copied);
        let mut masked = AlignedTile::ZERO;
        k_blocks::<E, P>(terms, panels, |slices, is_first, is_last| {
            for index in 0..panels {
                let panel = Panel { index, column: first + index * NR };
                for slice in slices {
                    packed.pack(&terms[slice.term], slice, panel);
                }
            }
            for block in 0..row_blocks {
                let row = rows.start + block * MR;
                let count = MR.min(rows.end - row);
                let next = if block + 1 < row_blocks { row + MR } else { rows.start };
                let tiles = &mut sums[block % kept * panels..][..panels];
                if is_first && slices.is_empty() {
                    tiles.fill(AlignedTile::ZERO.0);
                }
                for (number, slice) in slices.iter().enumerate() {
                    let term = &terms[slice.term];
                    let range = RowRange { first: row, count };
                    let a = a_block(term, &quantised[slice.term], slice, range, copied);
                    let step = Step { level, term, slice, a, rows: count };
                    let accumulate =
                        if is_first && number == 0 { Accumulate::FromZero } else { Accumulate::Onto };
                    for (index, tile) in tiles.iter_mut().enumerate() {
                        let panel = Panel { index, column: first + index * NR };
                        if is_last && number == 0 {
                            target.prefetch(row, count, panel.column);
                        }
                        let prefetch = next_rows(term, slice, next, index, panels);
                        match &term.mask {
                            None => packed.multiply(&step, panel, accumulate, prefetch, tile),
                            Some(mask) => {
                                accumulate.prepare(&mut tile[..count]);
                                let alone = &mut masked.0;
                                packed.multiply(&step, panel, Accumulate::FromZero, prefetch, alone);
                                mask.add(alone, tile, count, row, panel.column);
                            }
                        }
                    }
                }
                if is_last {
                    for (index, tile) in tiles.iter().enumerate() {
                        write_tile(target, tile, count, scale, row, first + index * NR);
                    }
                }
            }
        });
    });
}
