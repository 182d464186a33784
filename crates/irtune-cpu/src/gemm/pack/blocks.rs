//! Packs quantised weights to bf16 panels with AVX-512, a chunk of 32 values at a time.

use std::arch::x86_64::*;

use half::bf16;
use irtune_device::{Side, WeightView, weight::BLOCK};

use super::{
    PanelRange,
    word_rows::{WORDS, WordRows},
};
use crate::{
    gemm::tile::NR,
    quant::avx512::{Blocks, ROWS_AHEAD, prefetch_ahead, prefetch_block, with_blocks},
};

/// As `pack` for bf16; false if the format has no blocks.
///
/// # Safety
/// AVX-512 F, BW, VL and BF16.
pub(super) unsafe fn pack(weight: &WeightView, range: PanelRange, panel: &mut [bf16]) -> bool {
    // SAFETY: the caller's features.
    unsafe { with_blocks!(weight.format, F => pack_as::<F>(weight, range, panel), else return false) };
    true
}

/// # Safety
/// AVX-512 F, BW, VL and BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
unsafe fn pack_as<F: Blocks>(weight: &WeightView, range: PanelRange, panel: &mut [bf16]) {
    let PanelRange { side, column: first, k: start, depth } = range;
    let row_bytes = weight.row_bytes();
    match side {
        Side::Forward => {
            let width = NR.min(weight.rows - first);
            let mut rows = WordRows::ZERO;
            let panel: &mut [u32] = bytemuck::cast_slice_mut(panel);
            for (chunk, panel) in panel.chunks_mut(WORDS * NR).enumerate() {
                for (column, out) in rows.0[..width].iter_mut().enumerate() {
                    let row = weight.row(first + column, row_bytes);
                    let (block, chunk) = F::place(row, start / BLOCK + chunk);
                    prefetch_ahead::<F>(block, chunk);
                    // SAFETY: a whole block was cut out, and 64 bytes are written to an array of as many.
                    unsafe {
                        let operands = F::operands(block.as_ptr(), chunk);
                        _mm512_storeu_si512(out.as_mut_ptr().cast(), operands)
                    };
                }
                rows.transpose(panel);
            }
        }
        Side::Backward => {
            let low: [u16; 32] = std::array::from_fn(|place| (place / 2 + place % 2 * 32) as u16);
            // SAFETY: 64 bytes are read from an array of as many.
            let low = unsafe { _mm512_loadu_si512(low.as_ptr().cast()) };
            let high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
            for (pair, line) in panel.chunks_exact_mut(2 * NR).enumerate() {
                let mut rows = [_mm512_setzero_si512(); 2];
                for (lane, operands) in rows[..2.min(depth - 2 * pair)].iter_mut().enumerate() {
                    let row = weight.row(start + 2 * pair + lane, row_bytes);
                    let (block, chunk) = F::place(row, first / BLOCK);
                    prefetch_block::<F>(block, ROWS_AHEAD * row_bytes);
                    // SAFETY: a whole block was cut out.
                    *operands = unsafe { F::operands(block.as_ptr(), chunk) };
                }
                let [even, odd] = rows;
                let out = line.as_mut_ptr();
                // SAFETY: a line is 128 bytes.
                unsafe {
                    _mm512_storeu_si512(out.cast(), _mm512_permutex2var_epi16(even, low, odd));
                    _mm512_storeu_si512(out.add(NR).cast(), _mm512_permutex2var_epi16(even, high, odd));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gemm::{
            pack::{pack_any, test_weights::each_range},
            tile::panel_length,
        },
        simd::level::Level,
    };

    #[test]
    fn operands_are_those_of_every_processor() {
        crate::simd::at_every_level(|set| {
            if set.level < Level::Avx512Bf16 {
                return;
            }
            each_range(|weight, range| {
                let mut plain = vec![bf16::from_f32(7.0); panel_length::<bf16>(range.depth)];
                let mut fast = plain.clone();
                pack_any(weight, range, &mut plain);
                // SAFETY: the processor has the level.
                assert!(unsafe { pack(weight, range, &mut fast) });
                assert!(plain == fast, "{:?} {weight:?}", range.side);
            });
        });
    }
}
