//! The AVX-512 microkernels, f32 and bf16: up to 12 × 32 sums in 24 registers.
//!
//! Meanwhile they prefetch the rows of A that the next tile reads, spread evenly over the loop.

use std::arch::x86_64::*;

use super::PrefetchRows;
use crate::gemm::tile::{Accumulate, Tile};

/// `(packs, a, stride in bytes, panel, accumulate, prefetch, tile)`
pub(super) type Kernel = unsafe fn(usize, *const u8, usize, *const u8, Accumulate, PrefetchRows, &mut Tile);

/// A function that picks the kernel for so many rows: the compiler knows each one's number, so that its sums stay in
/// registers.
macro_rules! select {
    ($name:ident, $kernel:ident) => {
        pub(super) fn $name(rows: usize) -> Kernel {
            const KERNELS: [Kernel; 13] = [
                $kernel::<0>,
                $kernel::<1>,
                $kernel::<2>,
                $kernel::<3>,
                $kernel::<4>,
                $kernel::<5>,
                $kernel::<6>,
                $kernel::<7>,
                $kernel::<8>,
                $kernel::<9>,
                $kernel::<10>,
                $kernel::<11>,
                $kernel::<12>,
            ];
            KERNELS[rows]
        }
    };
}
select!(select_bf16, bf16);
select!(select_f32, f32);

macro_rules! kernel {
    ($name:ident, $features:literal, $step:expr) => {
        /// Multiplies `ROWS` rows of a tile over `packs` steps of four bytes of K: one f32 or two bf16.
        ///
        /// # Safety
        /// The features; `ROWS` rows of `packs` times 4 bytes at `a`, `stride` bytes apart; `packs` lines of 128 bytes
        /// at `panel`.
        #[target_feature(enable = $features)]
        unsafe fn $name<const ROWS: usize>(
            packs: usize,
            a: *const u8,
            stride: usize,
            panel: *const u8,
            accumulate: Accumulate,
            prefetch: PrefetchRows,
            tile: &mut Tile,
        ) {
            // SAFETY: all reads and writes are in the bounds that the caller guarantees; a tile row is 32 floats.
            unsafe {
                let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
                if accumulate == Accumulate::Onto {
                    for row in 0..ROWS {
                        sums[row][0] = _mm512_loadu_ps(tile[row].as_ptr());
                        sums[row][1] = _mm512_loadu_ps(tile[row].as_ptr().add(16));
                    }
                }
                // One prefetched row after the other, each over its share of the packs.
                let share = packs / prefetch.rows.max(1) + 1;
                let (mut begun, mut next_row) = (0, prefetch.start);
                while begun < packs {
                    let mut next_line = next_row;
                    let end = packs.min(begun + share);
                    for pack in begun..end {
                        _mm_prefetch::<_MM_HINT_T1>(next_line.cast());
                        next_line = next_line.wrapping_add(4 * prefetch.rows);
                        let first = _mm512_loadu_si512(panel.add(pack * 128).cast());
                        let second = _mm512_loadu_si512(panel.add(pack * 128 + 64).cast());
                        for row in 0..ROWS {
                            let value = a.add(row * stride + pack * 4).cast::<i32>().read_unaligned();
                            let value = _mm512_set1_epi32(value);
                            sums[row][0] = $step(sums[row][0], value, first);
                            sums[row][1] = $step(sums[row][1], value, second);
                        }
                    }
                    (begun, next_row) = (end, next_row.wrapping_add(prefetch.stride));
                }
                for row in 0..ROWS {
                    _mm512_storeu_ps(tile[row].as_mut_ptr(), sums[row][0]);
                    _mm512_storeu_ps(tile[row].as_mut_ptr().add(16), sums[row][1]);
                }
            }
        }
    };
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn step_bf16(sum: __m512, a: __m512i, b: __m512i) -> __m512 {
    // SAFETY: both types are 64 bytes of plain data.
    let (a, b) =
        unsafe { (std::mem::transmute::<__m512i, __m512bh>(a), std::mem::transmute::<__m512i, __m512bh>(b)) };
    _mm512_dpbf16_ps(sum, a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn step_f32(sum: __m512, a: __m512i, b: __m512i) -> __m512 {
    _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum)
}

kernel!(bf16, "avx512f,avx512bf16", step_bf16);
kernel!(f32, "avx512f", step_f32);
