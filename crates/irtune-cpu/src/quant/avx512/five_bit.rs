//! Q5_0, Q5_1 and Q5_K: nibbles and a fifth bit.

use std::arch::x86_64::*;

use super::{Blocks, bits, half, nibbles, scale_and_minimum, signed};

pub(crate) enum Q50 {}
pub(crate) enum Q51 {}
pub(crate) enum Q5K {}

/// The fifth bits of 32 codes, as a mask.
///
/// # Safety
/// Four bytes at `bits`.
#[inline(always)]
unsafe fn fifth(bits: *const u8) -> __mmask32 {
    // SAFETY: the caller's four bytes.
    u32::from_le(unsafe { bits.cast::<u32>().read_unaligned() })
}

impl Blocks for Q50 {
    const BYTES: usize = 22;
    const CHUNKS: usize = 1;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn values(block: *const u8, _: usize) -> [__m512; 2] {
        // SAFETY: the caller's block.
        unsafe {
            let (scale, codes) = (half(block), nibbles(block.add(6)));
            // 16 less, but for those that are 16 more.
            let codes = _mm256_mask_sub_epi8(codes, !fifth(block.add(2)), codes, _mm256_set1_epi8(16));
            signed(codes).map(|codes| _mm512_mul_ps(scale, codes))
        }
    }
}

impl Blocks for Q51 {
    const BYTES: usize = 24;
    const CHUNKS: usize = 1;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn values(block: *const u8, _: usize) -> [__m512; 2] {
        // SAFETY: the caller's block.
        unsafe {
            let (scale, minimum, codes) = (half(block), half(block.add(2)), nibbles(block.add(8)));
            let codes = _mm256_mask_add_epi8(codes, fifth(block.add(4)), codes, _mm256_set1_epi8(16));
            signed(codes).map(|codes| _mm512_add_ps(_mm512_mul_ps(scale, codes), minimum))
        }
    }
}

impl Blocks for Q5K {
    const BYTES: usize = 176;
    const CHUNKS: usize = 8;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn values(block: *const u8, chunk: usize) -> [__m512; 2] {
        // SAFETY: two chunks share 32 bytes of nibbles of the caller's block, all of them its 32 bytes of fifth bits.
        unsafe {
            let (scale, minimum) = scale_and_minimum(block, chunk);
            let low = bits(block.add(48 + chunk / 2 * 32), chunk % 2 * 4, 15);
            let fifth = _mm256_slli_epi16::<4>(bits(block.add(16), chunk, 1));
            signed(_mm256_or_si256(low, fifth))
                .map(|codes| _mm512_sub_ps(_mm512_mul_ps(scale, codes), minimum))
        }
    }
}
