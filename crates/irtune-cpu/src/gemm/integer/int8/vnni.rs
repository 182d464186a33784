//! The microkernel in AVX-512 VNNI: up to 6 rows × 32 columns of integer and of scaled sums in registers.

use std::arch::x86_64::*;

use super::{GROUP, Int8Panel, Int8Rows, K_PACK};
use crate::gemm::tile::{Accumulate, NR, Tile};

/// Rows whose integer and scaled sums fit the registers together.
const MOST_ROWS: usize = 6;

/// Adds `a · b` to the first `rows` rows of `tile`, or writes it there.
///
/// # Safety
/// AVX-512 F and VNNI; lengths as `multiply` asserts them.
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) unsafe fn tile(rows: usize, a: &Int8Rows, b: &Int8Panel, accumulate: Accumulate, tile: &mut Tile) {
    for (number, tile) in tile[..rows].chunks_mut(MOST_ROWS).enumerate() {
        let first = number * MOST_ROWS;
        // SAFETY: the rows are among those that the caller guarantees.
        unsafe {
            match tile.len() {
                1 => part::<1>(a, b, first, accumulate, rows_of(tile)),
                2 => part::<2>(a, b, first, accumulate, rows_of(tile)),
                3 => part::<3>(a, b, first, accumulate, rows_of(tile)),
                4 => part::<4>(a, b, first, accumulate, rows_of(tile)),
                5 => part::<5>(a, b, first, accumulate, rows_of(tile)),
                _ => part::<MOST_ROWS>(a, b, first, accumulate, rows_of(tile)),
            }
        }
    }
}

/// Rows whose number the compiler knows, so that all their sums stay in registers.
fn rows_of<const ROWS: usize>(tile: &mut [[f32; NR]]) -> &mut [[f32; NR]; ROWS] {
    tile.try_into().expect("so many rows")
}

/// Adds the products of one pack of K.
///
/// # Safety
/// AVX-512 F and VNNI; four bytes at `a` and at every `stride` after it for all rows; 128 bytes at `panel`.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn add<const ROWS: usize>(
    a: *const u8,
    stride: usize,
    panel: *const i8,
    sums: &mut [[__m512i; 2]; ROWS],
) {
    // SAFETY: the caller's bytes.
    unsafe {
        let [low, high] = [_mm512_loadu_si512(panel.cast()), _mm512_loadu_si512(panel.add(64).cast())];
        for (row, sums) in sums.iter_mut().enumerate() {
            let value = _mm512_set1_epi32(a.add(row * stride).cast::<i32>().read_unaligned());
            sums[0] = _mm512_dpbusd_epi32(sums[0], value, low);
            sums[1] = _mm512_dpbusd_epi32(sums[1], value, high);
        }
    }
}

/// Multiplies `ROWS` rows.
///
/// # Safety
/// As of [`tile`] for `ROWS` rows from `first` on, which are those of `tile`.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn part<const ROWS: usize>(
    a: &Int8Rows,
    b: &Int8Panel,
    first: usize,
    accumulate: Accumulate,
    tile: &mut [[f32; NR]; ROWS],
) {
    let Int8Rows { stride, scales_stride, depth, .. } = *a;
    // SAFETY: all reads are in the bounds that the caller guarantees, and all writes in rows of 32 sums.
    unsafe {
        let mut values = a.values.as_ptr().add(first * stride);
        let mut a_scales = a.scales.as_ptr().add(first * scales_stride);
        let mut panel = b.values.as_ptr();
        let mut b_scales = b.scales.as_ptr();
        let mut compensation = b.compensation.as_ptr();
        let mut held = [[_mm512_setzero_ps(); 2]; ROWS];
        if accumulate == Accumulate::Onto {
            for (held, row) in held.iter_mut().zip(&*tile) {
                *held = [_mm512_loadu_ps(row.as_ptr()), _mm512_loadu_ps(row.as_ptr().add(16))];
            }
        }
        let mut rest = depth;
        while rest > 0 {
            let start =
                [_mm512_loadu_si512(compensation.cast()), _mm512_loadu_si512(compensation.add(16).cast())];
            let mut sums = [start; ROWS];
            for pack in 0..rest.min(GROUP) / K_PACK {
                add(values.add(pack * K_PACK), stride, panel.add(pack * K_PACK * NR), &mut sums);
            }
            let scales = [_mm512_loadu_ps(b_scales), _mm512_loadu_ps(b_scales.add(16))];
            for (row, (held, sums)) in held.iter_mut().zip(&sums).enumerate() {
                let own = _mm512_set1_ps(*a_scales.add(row * scales_stride));
                for ((held, &sums), &scales) in held.iter_mut().zip(sums).zip(&scales) {
                    // The two scales multiplied first would be as much work, and a sixth slower on Zen 5.
                    *held = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), scales), own, *held);
                }
            }
            rest = rest.saturating_sub(GROUP);
            values = values.wrapping_add(GROUP);
            a_scales = a_scales.wrapping_add(1);
            panel = panel.wrapping_add(GROUP * NR);
            b_scales = b_scales.wrapping_add(NR);
            compensation = compensation.wrapping_add(NR);
        }
        for (held, row) in held.iter().zip(tile) {
            _mm512_storeu_ps(row.as_mut_ptr(), held[0]);
            _mm512_storeu_ps(row.as_mut_ptr().add(16), held[1]);
        }
    }
}
