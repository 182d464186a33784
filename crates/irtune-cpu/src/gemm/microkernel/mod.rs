//! The inner loop of every GEMM: an MR × NR tile of sums in registers gets `A · B` over a range of K.
//!
//! Each step reads one line of a packed panel of B (32 columns) and one value of each row of A, and adds their outer
//! product to the tile. A is read where it lies; only its rows must be contiguous.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use super::tile::{Accumulate, MR, NR, Tile, panel_length};
use crate::simd::{element::Element, level::Level};

/// Rows of A, as the microkernel reads them.
#[derive(Clone, Copy)]
pub(crate) struct ARows<'a, P> {
    /// The first row's first value onwards.
    pub(crate) values: &'a [P],
    /// Values from the start of a row to that of the next.
    pub(crate) stride: usize,
    /// Number of rows, at most [`MR`].
    pub(crate) rows: usize,
    /// Values of K in a row.
    pub(crate) depth: usize,
}

/// Rows of A to prefetch while others are multiplied. Only the AVX-512 kernels do it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PrefetchRows {
    /// Where the first row's values begin. It may point anywhere.
    pub(crate) start: *const u8,
    /// Bytes from row to row.
    pub(crate) stride: usize,
    pub(crate) rows: usize,
}

/// What is prefetched where no rows are to be: an address that isn't mapped would cost time.
static NOTHING: u8 = 0;

impl PrefetchRows {
    pub(crate) const NONE: Self = Self { start: &raw const NOTHING, stride: 0, rows: 0 };
}

/// Values of K that an AVX2 tile goes through at a time: half a panel of them, 16 KiB, stays in the first-level cache.
const AVX2_DEPTH: usize = 256;

/// Adds `a · panel` to the first `a.rows` rows of `tile`, or writes it there.
///
/// # Shapes
/// `panel`: as `pack` writes it over the same `depth`.
#[inline]
pub(crate) fn multiply<P: Element>(
    level: Level,
    a: ARows<P>,
    panel: &[P],
    accumulate: Accumulate,
    prefetch: PrefetchRows,
    tile: &mut Tile,
) {
    let ARows { values, stride, rows, depth } = a;
    assert!(rows <= MR && (rows == 0 || values.len() >= (rows - 1) * stride + depth));
    assert!(panel.len() >= panel_length::<P>(depth));
    #[cfg(target_arch = "x86_64")]
    {
        let whole = depth / P::K_PACK;
        let (a_start, panel_start) = (values.as_ptr().cast::<u8>(), panel.as_ptr().cast::<u8>());
        let stride_bytes = stride * size_of::<P>();
        let kernel = match (P::K_PACK, level) {
            (2, Level::Avx512Bf16) => Some(avx512::select_bf16(rows)),
            (1, Level::Avx512 | Level::Avx512Bf16) => Some(avx512::select_f32(rows)),
            _ => None,
        };
        if let Some(kernel) = kernel {
            // SAFETY: the level guarantees the instructions. The assertions above keep every read of `values` (rows ×
            // whole packs) and `panel` (whole packs × 32) in bounds: P is bf16 exactly if K_PACK is 2, the trait being
            // sealed.
            unsafe { kernel(whole, a_start, stride_bytes, panel_start, accumulate, prefetch, tile) };
            if whole * P::K_PACK < depth {
                // The half-filled last pack: its other half is 0 on both sides.
                let mut last = [[P::default(); 2]; MR];
                for (row, last) in last[..rows].iter_mut().enumerate() {
                    last[0] = values[row * stride + depth - 1];
                }
                let panel = panel[whole * P::K_PACK * NR..].as_ptr().cast();
                let none = PrefetchRows::NONE;
                // SAFETY: as above for one pack; a row of `last` is one, 4 bytes, as K_PACK is 2 when any is left.
                unsafe { kernel(1, last.as_ptr().cast(), 4, panel, Accumulate::Onto, none, tile) };
            }
            return;
        }
        if P::K_PACK == 1 && level == Level::Avx2 {
            accumulate.prepare(&mut tile[..rows]);
            for start in (0..depth).step_by(AVX2_DEPTH) {
                let count = AVX2_DEPTH.min(depth - start);
                // SAFETY: the level guarantees the instructions. By the assertions above `rows` rows of `count` values
                // and `count` lines of 32 are there from `start` on; P is f32, as its K_PACK is 1.
                unsafe {
                    let a = a_start.add(start * 4).cast();
                    avx2::tile(rows, count, a, stride, panel_start.add(start * NR * 4).cast(), tile);
                }
            }
            return;
        }
    }
    let _ = (level, prefetch);
    accumulate.prepare(&mut tile[..rows]);
    match bytemuck::try_cast_slice::<P, f32>(values).ok().zip(bytemuck::try_cast_slice(panel).ok()) {
        Some((values, panel)) if P::K_PACK == 1 => {
            portable::add_f32(ARows { values, stride, rows, depth }, panel, tile);
        }
        _ => portable::add(a, panel, tile),
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    fn check<E: Element>(level: Level, tolerance: f32) {
        for rows in 1..=MR {
            for depth in [1, 2, 3, 15, 16, 17, 64, 127, 300] {
                let values: Vec<E> =
                    (0..rows * (depth + 3)).map(|i| E::from_f32((i as f32 * 0.37).sin())).collect();
                let a = ARows { values: &values, stride: depth + 3, rows, depth };
                let panel: Vec<E> = (0..panel_length::<E>(depth))
                    .map(|i| {
                        let k = i / (NR * E::K_PACK) * E::K_PACK + i % E::K_PACK;
                        if k < depth { E::from_f32((i as f32 * 0.11).cos()) } else { E::default() }
                    })
                    .collect();
                for accumulate in [Accumulate::Onto, Accumulate::FromZero] {
                    let mut tile = [[0.5; NR]; MR];
                    let mut slow = tile;
                    multiply(level, a, &panel, accumulate, PrefetchRows::NONE, &mut tile);
                    accumulate.prepare(&mut slow[..rows]);
                    portable::add(a, &panel, &mut slow);
                    for (fast, slow) in tile.as_flattened().iter().zip(slow.as_flattened()) {
                        assert!(
                            (fast - slow).abs() <= tolerance * depth as f32,
                            "{level:?} {accumulate:?} {rows}×{depth}: {fast} {slow}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_level_agrees_with_the_slow_twin() {
        crate::simd::at_every_level(|set| {
            check::<f32>(set.level, 3e-7);
            check::<bf16>(set.level, 3e-7);
        });
    }
}
