//! Q8_0: signed bytes.

use std::arch::x86_64::*;

use super::{Blocks, half, signed};

pub(crate) enum Q80 {}

impl Blocks for Q80 {
    const BYTES: usize = 34;
    const CHUNKS: usize = 1;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn values(block: *const u8, _: usize) -> [__m512; 2] {
        // SAFETY: the caller's block.
        unsafe {
            let scale = half(block);
            let codes = _mm256_loadu_si256(block.add(2).cast());
            signed(codes).map(|codes| _mm512_mul_ps(scale, codes))
        }
    }
}
