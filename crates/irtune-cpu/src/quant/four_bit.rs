//! Four-bit blocks decoded by lookup, with AVX-512.
//!
//! A block's codes stand for only 16 different values. They are made once for a block and looked up for its 32 codes,
//! which gives the same bits as decoding each code.

use std::arch::x86_64::*;

use irtune_device::Format;

/// Whether the format has four-bit codes.
pub(crate) fn has_codes(format: Format) -> bool {
    matches!(format, Format::Q4_0 | Format::Q4_1)
}

/// Bytes of a block, and where its codes begin.
pub(crate) const fn layout(format: Format) -> (usize, usize) {
    match format {
        Format::Q4_1 => (20, 4),
        _ => (18, 2),
    }
}

/// How many rows ahead of the decoded one a prefetch runs.
pub(crate) const ROWS_AHEAD: usize = 16;

/// The 16 values that a block's codes stand for.
///
/// # Safety
/// AVX-512 F, BW and VL; a block of the format at `block`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(crate) unsafe fn values(format: Format, block: *const u8) -> __m512 {
    // SAFETY: the caller's block begins with its scale, and in Q4_1 with a minimum after it.
    let half = |offset: usize| unsafe {
        let bits = block.add(offset).cast::<i16>().read_unaligned();
        _mm512_cvtph_ps(_mm256_set1_epi16(bits))
    };
    let codes =
        _mm512_setr_ps(0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0);
    match format {
        Format::Q4_1 => _mm512_add_ps(_mm512_mul_ps(half(0), codes), half(2)),
        _ => _mm512_mul_ps(half(0), _mm512_sub_ps(codes, _mm512_set1_ps(8.0))),
    }
}

/// A block's 32 codes, a byte each, in order.
///
/// # Safety
/// AVX2; 16 bytes at `codes`.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn codes(codes: *const u8) -> __m256i {
    // SAFETY: the caller's 16 bytes.
    let both = unsafe { _mm_loadu_si128(codes.cast()) };
    let nibble = _mm_set1_epi8(15);
    _mm256_set_m128i(_mm_and_si128(_mm_srli_epi16::<4>(both), nibble), _mm_and_si128(both, nibble))
}

/// A block as 32 bf16 operands in order.
///
/// # Safety
/// AVX-512 F, BW, VL and BF16; a block of the format at `block`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(crate) unsafe fn operands(format: Format, block: *const u8) -> __m512i {
    // SAFETY: the caller's block; both types are 32 bytes of plain data.
    unsafe {
        let table: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(values(format, block)));
        let places = _mm512_cvtepu8_epi16(codes(block.add(layout(format).1)));
        _mm512_permutexvar_epi16(places, _mm512_castsi256_si512(table))
    }
}
