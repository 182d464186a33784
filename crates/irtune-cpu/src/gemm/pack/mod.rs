//! Packs panels of B: 32 columns, decoded to operands in the order in which the microkernel reads them.
//!
//! A panel over `depth` values of K is `[depth / K_PACK][32][K_PACK]`, zero-padded in both directions. Forward and
//! backward read the same bytes of a weight, which is why neither needs a copy of it: forward transposes squares of its
//! rows, backward puts rows side by side. With about a thousand rows of A, packing is one or two percent of a GEMM.

#[cfg(target_arch = "x86_64")]
mod blocks;
#[cfg(all(test, target_arch = "x86_64"))]
pub(super) mod test_weights;
#[cfg(target_arch = "x86_64")]
pub(super) mod word_rows;

use bytemuck::{cast_slice, cast_slice_mut};

use irtune_device::{Side, WeightView, weight::BLOCK};

use super::tile::{NR, panel_length};
use crate::simd::{
    element::Element,
    prefetch,
    transpose::{SQUARE, transpose_square},
    vectorised,
};

/// The part of B that a panel holds.
#[derive(Clone, Copy)]
pub(crate) struct PanelRange {
    /// How B is read from its weight.
    pub(crate) side: Side,
    /// First of 32 columns of B; fewer at the end of the matrix. A multiple of 32 on the backward side.
    pub(crate) column: usize,
    /// First value of K. A multiple of 32 on the forward side, where K runs along the weight's blocks.
    pub(crate) k: usize,
    /// Values of K.
    pub(crate) depth: usize,
}

/// Packs a range of B into `panel`.
pub(crate) fn pack<E: Element>(weight: &WeightView, range: PanelRange, panel: &mut [E]) {
    debug_assert_eq!(panel.len(), panel_length::<E>(range.depth));
    #[cfg(target_arch = "x86_64")]
    if E::K_PACK == 2
        && crate::simd::level::level() == crate::simd::level::Level::Avx512Bf16
        && let Ok(panel) = bytemuck::try_cast_slice_mut::<E, half::bf16>(panel)
        // SAFETY: the level guarantees the instructions.
        && unsafe { blocks::pack(weight, range, panel) }
    {
        return;
    }
    pack_any(weight, range, panel);
}

/// [`pack`] on every processor and of every format.
pub(crate) fn pack_any<E: Element>(weight: &WeightView, range: PanelRange, panel: &mut [E]) {
    match range.side {
        Side::Forward => forward(weight, range, panel),
        Side::Backward => backward(weight, range, panel),
    }
}

vectorised! {
    fn forward<E: Element>(weight: &WeightView, range: PanelRange, panel: &mut [E]) {
        let PanelRange { column: first, k: start, depth, .. } = range;
        let row_bytes = weight.row_bytes();
        let width = NR.min(weight.rows - first);
        // Chunk by chunk: 32 rows × 32 values in the first-level cache, then transposed.
        let mut block = Block([[E::default(); BLOCK]; NR]);
        let block = &mut block.0;
        for (chunk, panel) in panel.chunks_mut(BLOCK * NR).enumerate() {
            let done = chunk * BLOCK;
            let length = BLOCK.min(depth - done);
            for (column, values) in block[..width].iter_mut().enumerate() {
                let mut decoded = [0.0; BLOCK];
                weight.decode_chunk(first + column, row_bytes, start / BLOCK + chunk, length, &mut decoded);
                for (value, &decoded) in values.iter_mut().zip(&decoded) {
                    *value = E::from_f32(decoded);
                }
            }
            if panel.len() == BLOCK * NR {
                transpose_block(block, panel);
                continue;
            }
            for (pack, line) in panel.chunks_exact_mut(NR * E::K_PACK).enumerate() {
                for (column, out) in line.chunks_exact_mut(E::K_PACK).enumerate() {
                    out.copy_from_slice(&block[column][pack * E::K_PACK..][..E::K_PACK]);
                }
            }
        }
    }
}

/// 32 rows × 32 values, aligned so that they can be read as words.
#[repr(C, align(64))]
struct Block<E>([[E; BLOCK]; NR]);

/// Transposes a whole block. Its units are packs of K, which are words of four bytes in every precision.
#[inline(always)]
fn transpose_block<E: Element>(block: &[[E; BLOCK]; NR], panel: &mut [E]) {
    let words = BLOCK / E::K_PACK;
    let (from, to) = (cast_slice::<E, u32>(block.as_flattened()), cast_slice_mut::<E, u32>(panel));
    for column in (0..NR).step_by(SQUARE) {
        for word in (0..words).step_by(SQUARE) {
            transpose_square(&from[column * words + word..], words, &mut to[word * NR + column..], NR);
        }
    }
}

/// How many rows ahead of the packed one a prefetch runs.
const ROWS_AHEAD: usize = 24;

vectorised! {
    fn backward<E: Element>(weight: &WeightView, range: PanelRange, panel: &mut [E]) {
        let PanelRange { column: first, k: start, depth, .. } = range;
        let row_bytes = weight.row_bytes();
        let width = NR.min(weight.columns - first);
        // Activations are operands already: their rows only have to be put side by side.
        let operands = if weight.format == E::FORMAT && width == NR && weight.interleaved_head.is_none() {
            bytemuck::try_cast_slice::<u8, E>(weight.bytes).ok()
        } else {
            None
        };
        for (pack, line) in panel.chunks_exact_mut(NR * E::K_PACK).enumerate() {
            let k = pack * E::K_PACK;
            match operands {
                Some(operands) if k + E::K_PACK <= depth => {
                    let row = |lane: usize| {
                        let row = &operands[(start + k + lane) * weight.columns + first..];
                        row.first_chunk::<NR>().expect("a panel's width of columns")
                    };
                    // The processor's own prefetcher doesn't follow a stride of whole rows.
                    for lane in ROWS_AHEAD..ROWS_AHEAD + E::K_PACK {
                        let row = operands.as_ptr().wrapping_add((start + k + lane) * weight.columns + first);
                        for line in (0..NR).step_by(64 / size_of::<E>()) {
                            prefetch::read(row.wrapping_add(line));
                        }
                    }
                    E::interleave([row(0), row(E::K_PACK - 1)], line);
                }
                _ => {
                    let mut rows = [[0.0; BLOCK]; 2];
                    for (lane, values) in rows[..E::K_PACK.min(depth - k)].iter_mut().enumerate() {
                        weight.decode_chunk(start + k + lane, row_bytes, first / BLOCK, width, values);
                    }
                    E::interleave_rounded(&rows, line);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    fn check<E: Element>(rows: usize, columns: usize) {
        let data: Vec<f32> = (0..rows * columns).map(|index| index as f32 % 251.0 - 100.0).collect();
        let weight = WeightView::of(&data, rows, columns);
        for (side, outputs, depth) in [(Side::Forward, rows, columns), (Side::Backward, columns, rows)] {
            for column in (0..outputs).step_by(NR) {
                let mut panel = vec![E::from_f32(7.0); panel_length::<E>(depth)];
                pack(&weight, PanelRange { side, column, k: 0, depth }, &mut panel);
                for k in 0..depth.next_multiple_of(E::K_PACK) {
                    for lane in 0..NR {
                        let (output, place) =
                            (column + lane, (k / E::K_PACK * NR + lane) * E::K_PACK + k % E::K_PACK);
                        let expected = match (side, k < depth && output < outputs) {
                            (_, false) => 0.0,
                            (Side::Forward, _) => data[output * columns + k],
                            (Side::Backward, _) => data[k * columns + output],
                        };
                        assert_eq!(panel[place].to_f32(), expected, "{side:?} {k} {lane}");
                    }
                }
            }
        }
    }

    #[test]
    fn panels_hold_both_sides_zero_padded() {
        crate::simd::at_every_level(|_| {
            for (rows, columns) in [(32, 32), (33, 31), (1, 64), (70, 65), (5, 3)] {
                check::<f32>(rows, columns);
                check::<bf16>(rows, columns);
            }
        });
    }
}
