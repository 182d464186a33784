//! The AVX2 microkernel in f32: six rows × 16 columns of the tile in registers at a time.

use std::arch::x86_64::*;

use crate::gemm::tile::{NR, Tile};

/// Adds to the first `rows` rows of a tile.
///
/// # Safety
/// AVX2 and FMA; `rows` rows of `depth` values at `a`, `stride` apart; `depth` lines of 32 at `panel`; at most 12 rows.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn tile(
    rows: usize,
    depth: usize,
    a: *const f32,
    stride: usize,
    panel: *const f32,
    tile: &mut Tile,
) {
    for half in [0, 16] {
        let mut row = 0;
        while row < rows {
            let count = (rows - row).min(6);
            // SAFETY: `row` and `half` stay inside what the caller guarantees, and the tile.
            unsafe {
                let (a, panel) = (a.add(row * stride), panel.add(half));
                let sums = tile.as_mut_ptr().add(row).cast::<f32>().add(half);
                match count {
                    1 => part::<1>(depth, a, stride, panel, sums),
                    2 => part::<2>(depth, a, stride, panel, sums),
                    3 => part::<3>(depth, a, stride, panel, sums),
                    4 => part::<4>(depth, a, stride, panel, sums),
                    5 => part::<5>(depth, a, stride, panel, sums),
                    _ => part::<6>(depth, a, stride, panel, sums),
                }
            }
            row += count;
        }
    }
}

/// Adds to `ROWS` rows × 16 columns, whose sums stay in registers.
///
/// # Safety
/// As of [`tile`], for `ROWS` rows; `sums` points at 16 columns of as many rows of a tile.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn part<const ROWS: usize>(
    depth: usize,
    a: *const f32,
    stride: usize,
    panel: *const f32,
    sums: *mut f32,
) {
    // SAFETY: all reads and writes are in the bounds that the caller guarantees.
    unsafe {
        let mut held = [[_mm256_setzero_ps(); 2]; ROWS];
        for (row, held) in held.iter_mut().enumerate() {
            held[0] = _mm256_loadu_ps(sums.add(row * NR));
            held[1] = _mm256_loadu_ps(sums.add(row * NR + 8));
        }
        for k in 0..depth {
            let first = _mm256_loadu_ps(panel.add(k * NR));
            let second = _mm256_loadu_ps(panel.add(k * NR + 8));
            for (row, held) in held.iter_mut().enumerate() {
                let value = _mm256_broadcast_ss(&*a.add(row * stride + k));
                held[0] = _mm256_fmadd_ps(value, first, held[0]);
                held[1] = _mm256_fmadd_ps(value, second, held[1]);
            }
        }
        for (row, held) in held.iter().enumerate() {
            _mm256_storeu_ps(sums.add(row * NR), held[0]);
            _mm256_storeu_ps(sums.add(row * NR + 8), held[1]);
        }
    }
}
