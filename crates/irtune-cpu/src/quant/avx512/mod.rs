//! Quantised blocks decoded with AVX-512, 32 values at a time, to the same bits as on every processor.

mod coded;
mod eight_bit;
mod five_bit;
mod super_blocks;

use std::arch::x86_64::*;

pub(crate) use coded::{Coded, Iq4Nl, Iq4Xs, Mxfp4, Q4K, Q40, Q41};
pub(crate) use eight_bit::Q80;
pub(crate) use five_bit::{Q5K, Q50, Q51};
pub(crate) use super_blocks::{Q2K, Q3K, Q6K};

use crate::simd::prefetch;

/// How many rows ahead of the decoded one a prefetch runs.
pub(crate) const ROWS_AHEAD: usize = 16;

/// A format of quantised blocks.
pub(crate) trait Blocks {
    /// Bytes of a block.
    const BYTES: usize;
    /// Chunks of 32 values in a block.
    const CHUNKS: usize;

    /// A chunk's values as f32, in order.
    ///
    /// # Safety
    /// AVX-512 F, BW and VL; a whole block at `block`, and `chunk` one of its chunks.
    unsafe fn values(block: *const u8, chunk: usize) -> [__m512; 2];

    /// A chunk's values as 32 bf16 operands, in order.
    ///
    /// # Safety
    /// As [`Blocks::values`], and AVX-512 BF16.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    unsafe fn operands(block: *const u8, chunk: usize) -> __m512i {
        // SAFETY: the caller's block; both types are 64 bytes of plain data.
        unsafe {
            let [low, high] = Self::values(block, chunk);
            std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low))
        }
    }

    /// The `index`-th chunk of a row: the block that holds it, and which of its chunks it is.
    #[inline(always)]
    fn place(row: &[u8], index: usize) -> (&[u8], usize) {
        (&row[index / Self::CHUNKS * Self::BYTES..][..Self::BYTES], index % Self::CHUNKS)
    }
}

/// Prefetches what a row has after a block, a part for each of the block's chunks.
#[inline(always)]
pub(crate) fn prefetch_ahead<F: Blocks>(block: &[u8], chunk: usize) {
    let ahead = if F::CHUNKS == 1 { 4 * F::BYTES } else { F::BYTES + chunk * F::BYTES / F::CHUNKS };
    prefetch::read(block.as_ptr().wrapping_add(ahead));
}

/// Prefetches all of the block that lies `distance` bytes behind one.
#[inline(always)]
pub(crate) fn prefetch_block<F: Blocks>(block: &[u8], distance: usize) {
    for line in (0..F::BYTES).step_by(64) {
        prefetch::read(block.as_ptr().wrapping_add(distance + line));
    }
}

/// Evaluates an expression with a format's type, or another one if the format has no blocks.
macro_rules! with_blocks {
    ($format:expr, $blocks:ident => $call:expr, else $other:expr) => {{
        macro_rules! with {
            ($type:ident) => {{
                type $blocks = $crate::quant::avx512::$type;
                $call
            }};
        }
        match $format {
            irtune_device::Format::F32
            | irtune_device::Format::F16
            | irtune_device::Format::Bf16
            | irtune_device::Format::F8_E4M3
            | irtune_device::Format::Nf4 => $other,
            irtune_device::Format::Q8_0 => with!(Q80),
            irtune_device::Format::Q4_0 => with!(Q40),
            irtune_device::Format::Q4_1 => with!(Q41),
            irtune_device::Format::Q5_0 => with!(Q50),
            irtune_device::Format::Q5_1 => with!(Q51),
            irtune_device::Format::Q2_K => with!(Q2K),
            irtune_device::Format::Q3_K => with!(Q3K),
            irtune_device::Format::Q4_K => with!(Q4K),
            irtune_device::Format::Q5_K => with!(Q5K),
            irtune_device::Format::Q6_K => with!(Q6K),
            irtune_device::Format::IQ4_NL => with!(Iq4Nl),
            irtune_device::Format::IQ4_XS => with!(Iq4Xs),
            irtune_device::Format::MXFP4 => with!(Mxfp4),
        }
    }};
}
pub(crate) use with_blocks;

/// The f16 at `place`, in every lane.
///
/// # Safety
/// AVX-512 F and VL; two bytes at `place`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn half(place: *const u8) -> __m512 {
    // SAFETY: the caller's two bytes.
    let bits = unsafe { place.cast::<i16>().read_unaligned() };
    _mm512_cvtph_ps(_mm256_set1_epi16(bits))
}

/// A whole number in every lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn whole(number: i32) -> __m512 {
    _mm512_cvtepi32_ps(_mm512_set1_epi32(number))
}

/// 16 bytes of nibbles as 32 bytes: the lower halves, then the upper ones.
///
/// # Safety
/// AVX-512 F, BW and VL; 16 bytes at `nibbles`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn nibbles(nibbles: *const u8) -> __m256i {
    // SAFETY: the caller's 16 bytes.
    let both = unsafe { _mm_loadu_si128(nibbles.cast()) };
    let nibble = _mm_set1_epi8(15);
    _mm256_set_m128i(_mm_and_si128(_mm_srli_epi16::<4>(both), nibble), _mm_and_si128(both, nibble))
}

/// Some bits of 32 bytes, shifted down by `shift`; `mask` says which.
///
/// # Safety
/// AVX-512 F, BW and VL; 32 bytes at `bytes`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn bits(bytes: *const u8, shift: usize, mask: i8) -> __m256i {
    // SAFETY: the caller's 32 bytes.
    let bytes = unsafe { _mm256_loadu_si256(bytes.cast()) };
    // What comes down from a neighbouring byte is masked away.
    _mm256_and_si256(_mm256_srl_epi16(bytes, _mm_cvtsi32_si128(shift as i32)), _mm256_set1_epi8(mask))
}

/// 32 unsigned bytes as whole numbers, in order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn widened(codes: __m256i) -> [__m512i; 2] {
    [
        _mm512_cvtepu8_epi32(_mm256_castsi256_si128(codes)),
        _mm512_cvtepu8_epi32(_mm256_extracti128_si256::<1>(codes)),
    ]
}

/// 32 signed bytes as f32, in order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn signed(codes: __m256i) -> [__m512; 2] {
    [
        _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_castsi256_si128(codes))),
        _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_extracti128_si256::<1>(codes))),
    ]
}

/// Scale and minimum of a chunk of Q4_K or Q5_K, each in every lane.
///
/// # Safety
/// AVX-512 F, BW and VL; the first 16 bytes of a block at `block`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn scale_and_minimum(block: *const u8, chunk: usize) -> (__m512, __m512) {
    // SAFETY: the caller's block begins with both halves, and twelve bytes of six-bit numbers after them.
    unsafe {
        let packed = &*block.add(4).cast::<[u8; 12]>();
        let [scale, minimum] = irtune_device::weight::six_bit_pair(packed, chunk);
        let smaller = _mm_cvtepi32_ps(_mm_set_epi32(0, 0, i32::from(minimum), i32::from(scale)));
        let halves = _mm_cvtph_ps(_mm_cvtsi32_si128(block.cast::<i32>().read_unaligned()));
        let both = _mm_mul_ps(halves, smaller);
        (_mm512_broadcastss_ps(both), _mm512_broadcastss_ps(_mm_movehdup_ps(both)))
    }
}
