//! Panels: 32 output columns of a product's weight side, decoded to operands in the order the microkernel reads.
//!
//! A panel over `depth` summed values is `[depth / GROUP][32][GROUP]`, zero-padded in both directions.

use bytemuck::{cast_slice, cast_slice_mut};

use crate::{
    element::Element,
    level::vectorised,
    prefetch,
    transpose::{SQUARE, square},
    weight::{BLOCK, Weight, decode_chunk},
};

/// Columns of a panel.
pub(crate) const PANEL: usize = 32;

pub use irtune_device::Side;

/// Values of a packed panel over `depth` summed values.
pub(crate) const fn panel_length<E: Element>(depth: usize) -> usize {
    depth.next_multiple_of(E::GROUP) * PANEL
}

/// Packs outputs `first..first + 32` over summed values `start..start + depth` into `panel`.
///
/// `start` must be a multiple of 32 on the forward side (whole blocks of a row), `first` is one on the backward side.
pub(crate) fn pack<E: Element>(
    weight: &Weight,
    side: Side,
    first: usize,
    start: usize,
    depth: usize,
    panel: &mut [E],
) {
    debug_assert_eq!(panel.len(), panel_length::<E>(depth));
    #[cfg(target_arch = "x86_64")]
    if E::GROUP == 2
        && crate::level::level() == crate::level::Level::Avx512Bf16
        && crate::four_bits::has_codes(weight.format)
        && let Ok(panel) = bytemuck::try_cast_slice_mut::<E, half::bf16>(panel)
    {
        // SAFETY: the level guarantees the instructions.
        return unsafe { crate::four_bits::pack(weight, side, first, start, depth, panel) };
    }
    pack_plainly(weight, side, first, start, depth, panel);
}

/// The way of every processor and format.
pub(crate) fn pack_plainly<E: Element>(
    weight: &Weight,
    side: Side,
    first: usize,
    start: usize,
    depth: usize,
    panel: &mut [E],
) {
    match side {
        Side::Forward => forward(weight, first, start, depth, panel),
        Side::Backward => backward(weight, first, start, depth, panel),
    }
}

vectorised! {
    fn forward<E: Element>(weight: &Weight, first: usize, start: usize, depth: usize, panel: &mut [E]) {
        let row_bytes = weight.row_bytes();
        let width = PANEL.min(weight.rows - first);
        // Chunk by chunk: 32 rows × 32 values in the first-level cache, then transposed by groups.
        let mut block = Block([[E::default(); BLOCK]; PANEL]);
        let block = &mut block.0;
        for (chunk, panel) in panel.chunks_mut(BLOCK * PANEL).enumerate() {
            let done = chunk * BLOCK;
            let length = BLOCK.min(depth - done);
            for (column, values) in block[..width].iter_mut().enumerate() {
                let row = weight.row(first + column, row_bytes);
                let mut decoded = [0.0; BLOCK];
                decode_chunk(weight.format, row, start / BLOCK + chunk, length, &mut decoded);
                for (value, &decoded) in values.iter_mut().zip(&decoded) {
                    *value = E::from_f32(decoded);
                }
            }
            if panel.len() == BLOCK * PANEL {
                turn(block, panel);
                continue;
            }
            for (group, line) in panel.chunks_exact_mut(PANEL * E::GROUP).enumerate() {
                for (column, out) in line.chunks_exact_mut(E::GROUP).enumerate() {
                    out.copy_from_slice(&block[column][group * E::GROUP..][..E::GROUP]);
                }
            }
        }
    }
}

/// 32 rows × 32 values, aligned so that they can be read as words.
#[repr(C, align(64))]
struct Block<E>([[E; BLOCK]; PANEL]);

/// Transposes a whole block by groups, which are words of four bytes in every precision.
#[inline(always)]
fn turn<E: Element>(block: &[[E; BLOCK]; PANEL], panel: &mut [E]) {
    let words = BLOCK / E::GROUP;
    let (from, to) = (cast_slice::<E, u32>(block.as_flattened()), cast_slice_mut::<E, u32>(panel));
    for column in (0..PANEL).step_by(SQUARE) {
        for word in (0..words).step_by(SQUARE) {
            square(&from[column * words + word..], words, &mut to[word * PANEL + column..], PANEL);
        }
    }
}

/// Rows that are asked for before they are packed.
const AHEAD: usize = 24;

vectorised! {
    fn backward<E: Element>(weight: &Weight, first: usize, start: usize, depth: usize, panel: &mut [E]) {
        let row_bytes = weight.row_bytes();
        let width = PANEL.min(weight.columns - first);
        // Activations are operands already: their rows only have to be put side by side.
        let operands = if weight.format == E::FORMAT && width == PANEL && weight.interleaved_head.is_none() {
            bytemuck::try_cast_slice::<u8, E>(weight.bytes).ok()
        } else {
            None
        };
        for (group, line) in panel.chunks_exact_mut(PANEL * E::GROUP).enumerate() {
            let inner = group * E::GROUP;
            match operands {
                Some(operands) if inner + E::GROUP <= depth => {
                    let row = |lane: usize| {
                        let row = &operands[(start + inner + lane) * weight.columns + first..];
                        row.first_chunk::<PANEL>().expect("a panel's width of columns")
                    };
                    // A stride of whole rows is too long for the processor to foresee.
                    for lane in AHEAD..AHEAD + E::GROUP {
                        let row = operands.as_ptr().wrapping_add((start + inner + lane) * weight.columns + first);
                        for line in (0..PANEL).step_by(64 / size_of::<E>()) {
                            prefetch::read(row.wrapping_add(line));
                        }
                    }
                    E::interleave([row(0), row(E::GROUP - 1)], line);
                }
                _ => {
                    let mut rows = [[0.0; BLOCK]; 2];
                    for (lane, values) in rows[..E::GROUP.min(depth - inner)].iter_mut().enumerate() {
                        let row = weight.row(start + inner + lane, row_bytes);
                        decode_chunk(weight.format, row, first / BLOCK, width, values);
                    }
                    E::join(&rows, line);
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
        let weight = Weight::of(&data, rows, columns);
        for (side, outputs, depth) in [(Side::Forward, rows, columns), (Side::Backward, columns, rows)] {
            for first in (0..outputs).step_by(PANEL) {
                let mut panel = vec![E::from_f32(7.0); panel_length::<E>(depth)];
                pack(&weight, side, first, 0, depth, &mut panel);
                for inner in 0..depth.next_multiple_of(E::GROUP) {
                    for column in 0..PANEL {
                        let (output, place) = (
                            first + column,
                            (inner / E::GROUP * PANEL + column) * E::GROUP + inner % E::GROUP,
                        );
                        let expected = match (side, inner < depth && output < outputs) {
                            (_, false) => 0.0,
                            (Side::Forward, _) => data[output * columns + inner],
                            (Side::Backward, _) => data[inner * columns + output],
                        };
                        assert_eq!(panel[place].to_f32(), expected, "{side:?} {inner} {column}");
                    }
                }
            }
        }
    }

    #[test]
    fn panels_hold_both_sides_zero_padded() {
        for (rows, columns) in [(32, 32), (33, 31), (1, 64), (70, 65), (5, 3)] {
            check::<f32>(rows, columns);
            check::<bf16>(rows, columns);
        }
    }
}
