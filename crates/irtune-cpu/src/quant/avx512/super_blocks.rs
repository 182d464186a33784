//! Q2_K, Q3_K and Q6_K: blocks of 256 values with a scale for every 16 of them.

use std::arch::x86_64::*;

use irtune_device::weight::six_bit_scale;

use super::{Blocks, bits, half, signed, whole};

pub(crate) enum Q2K {}
pub(crate) enum Q3K {}
pub(crate) enum Q6K {}

impl Blocks for Q2K {
    const BYTES: usize = 84;
    const CHUNKS: usize = 8;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn values(block: *const u8, chunk: usize) -> [__m512; 2] {
        // SAFETY: the caller's block.
        unsafe {
            let codes = signed(bits(block.add(16 + chunk / 4 * 32), chunk % 4 * 2, 3));
            let (scale, minimum) = (half(block.add(80)), half(block.add(82)));
            let part = |half: usize| {
                let both = i32::from(*block.add(2 * chunk + half));
                let scale = _mm512_mul_ps(scale, whole(both & 15));
                _mm512_sub_ps(_mm512_mul_ps(scale, codes[half]), _mm512_mul_ps(minimum, whole(both >> 4)))
            };
            [part(0), part(1)]
        }
    }
}

impl Blocks for Q3K {
    const BYTES: usize = 110;
    const CHUNKS: usize = 8;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn values(block: *const u8, chunk: usize) -> [__m512; 2] {
        // SAFETY: the caller's block.
        unsafe {
            let low = bits(block.add(32 + chunk / 4 * 32), chunk % 4 * 2, 3);
            // Four less where the third bit is not set.
            let third = _mm256_slli_epi16::<2>(bits(block, chunk, 1));
            let codes = signed(_mm256_sub_epi8(_mm256_add_epi8(low, third), _mm256_set1_epi8(4)));
            let (scale, scales) = (half(block.add(108)), &*block.add(96).cast::<[u8; 12]>());
            let part = |half: usize| {
                let scale = _mm512_mul_ps(scale, whole(i32::from(six_bit_scale(scales, 2 * chunk + half))));
                _mm512_mul_ps(scale, codes[half])
            };
            [part(0), part(1)]
        }
    }
}

impl Blocks for Q6K {
    const BYTES: usize = 210;
    const CHUNKS: usize = 8;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn values(block: *const u8, chunk: usize) -> [__m512; 2] {
        // SAFETY: the caller's block.
        unsafe {
            let low = bits(block.add(chunk / 4 * 64 + chunk % 2 * 32), chunk % 4 / 2 * 4, 15);
            let high = _mm256_slli_epi16::<4>(bits(block.add(128 + chunk / 4 * 32), chunk % 4 * 2, 3));
            let codes = signed(_mm256_sub_epi8(_mm256_or_si256(low, high), _mm256_set1_epi8(32)));
            let scale = half(block.add(208));
            let part = |half: usize| {
                let smaller = whole(i32::from(*block.add(192 + 2 * chunk + half).cast::<i8>()));
                _mm512_mul_ps(_mm512_mul_ps(scale, smaller), codes[half])
            };
            [part(0), part(1)]
        }
    }
}
