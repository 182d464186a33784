//! Formats of four-bit codes, decoded by lookup.
//!
//! The 32 codes of a chunk stand for only 16 different values. They are made once for a chunk and looked up, which gives
//! the same bits as decoding each code.

use std::arch::x86_64::*;

use irtune_device::weight::{IQ4_NUMBERS, MXFP4_NUMBERS, iq4_xs_scale, mxfp4_scale};

use super::{Blocks, bits, half, nibbles, scale_and_minimum, whole, widened};

/// A format whose chunks have 16 values.
pub(crate) trait Coded {
    /// As of [`Blocks`].
    const BYTES: usize;
    /// As of [`Blocks`].
    const CHUNKS: usize;

    /// The 16 values that a chunk's codes stand for.
    ///
    /// # Safety
    /// As of [`Blocks::values`].
    unsafe fn table(block: *const u8, chunk: usize) -> __m512;

    /// A chunk's 32 codes, a byte each, in order.
    ///
    /// # Safety
    /// As of [`Blocks::values`].
    unsafe fn codes(block: *const u8, chunk: usize) -> __m256i;
}

impl<F: Coded> Blocks for F {
    const BYTES: usize = <F as Coded>::BYTES;
    const CHUNKS: usize = <F as Coded>::CHUNKS;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn values(block: *const u8, chunk: usize) -> [__m512; 2] {
        // SAFETY: the caller's block.
        unsafe {
            let table = F::table(block, chunk);
            let [low, high] = widened(F::codes(block, chunk));
            [_mm512_permutexvar_ps(low, table), _mm512_permutexvar_ps(high, table)]
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    unsafe fn operands(block: *const u8, chunk: usize) -> __m512i {
        // SAFETY: the caller's block; both types are 32 bytes of plain data.
        unsafe {
            let table = _mm512_cvtneps_pbh(F::table(block, chunk));
            let table = std::mem::transmute::<__m256bh, __m256i>(table);
            let places = _mm512_cvtepu8_epi16(F::codes(block, chunk));
            _mm512_permutexvar_epi16(places, _mm512_castsi256_si512(table))
        }
    }
}

/// The codes themselves.
#[inline]
#[target_feature(enable = "avx512f")]
fn counted() -> __m512 {
    _mm512_setr_ps(0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0)
}

/// Numbers of a table.
#[inline]
#[target_feature(enable = "avx512f")]
fn numbers(numbers: &[i8; 16]) -> __m512 {
    // SAFETY: 16 bytes are read from an array of as many.
    let numbers = unsafe { _mm_loadu_si128(numbers.as_ptr().cast()) };
    _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(numbers))
}

pub(crate) enum Q40 {}
pub(crate) enum Q41 {}
pub(crate) enum Q4K {}
pub(crate) enum Iq4Nl {}
pub(crate) enum Iq4Xs {}
pub(crate) enum Mxfp4 {}

impl Coded for Q40 {
    const BYTES: usize = 18;
    const CHUNKS: usize = 1;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn table(block: *const u8, _: usize) -> __m512 {
        // SAFETY: the caller's block.
        unsafe { _mm512_mul_ps(half(block), _mm512_sub_ps(counted(), _mm512_set1_ps(8.0))) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn codes(block: *const u8, _: usize) -> __m256i {
        // SAFETY: the caller's block.
        unsafe { nibbles(block.add(2)) }
    }
}

impl Coded for Q41 {
    const BYTES: usize = 20;
    const CHUNKS: usize = 1;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn table(block: *const u8, _: usize) -> __m512 {
        // SAFETY: the caller's block.
        unsafe { _mm512_add_ps(_mm512_mul_ps(half(block), counted()), half(block.add(2))) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn codes(block: *const u8, _: usize) -> __m256i {
        // SAFETY: the caller's block.
        unsafe { nibbles(block.add(4)) }
    }
}

impl Coded for Q4K {
    const BYTES: usize = 144;
    const CHUNKS: usize = 8;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn table(block: *const u8, chunk: usize) -> __m512 {
        // SAFETY: the caller's block.
        let (scale, minimum) = unsafe { scale_and_minimum(block, chunk) };
        _mm512_sub_ps(_mm512_mul_ps(scale, counted()), minimum)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn codes(block: *const u8, chunk: usize) -> __m256i {
        // SAFETY: two chunks share 32 bytes of the caller's block.
        unsafe { bits(block.add(16 + chunk / 2 * 32), chunk % 2 * 4, 15) }
    }
}

impl Coded for Iq4Nl {
    const BYTES: usize = 18;
    const CHUNKS: usize = 1;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn table(block: *const u8, _: usize) -> __m512 {
        // SAFETY: the caller's block.
        unsafe { _mm512_mul_ps(half(block), numbers(&IQ4_NUMBERS)) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn codes(block: *const u8, _: usize) -> __m256i {
        // SAFETY: the caller's block.
        unsafe { nibbles(block.add(2)) }
    }
}

impl Coded for Iq4Xs {
    const BYTES: usize = 136;
    const CHUNKS: usize = 8;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn table(block: *const u8, chunk: usize) -> __m512 {
        // SAFETY: the caller's block.
        unsafe {
            let smaller = whole(i32::from(iq4_xs_scale(&*block.cast::<[u8; 136]>(), chunk)));
            _mm512_mul_ps(_mm512_mul_ps(half(block), smaller), numbers(&IQ4_NUMBERS))
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn codes(block: *const u8, chunk: usize) -> __m256i {
        // SAFETY: the caller's block.
        unsafe { nibbles(block.add(8 + 16 * chunk)) }
    }
}

impl Coded for Mxfp4 {
    const BYTES: usize = 17;
    const CHUNKS: usize = 1;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn table(block: *const u8, _: usize) -> __m512 {
        // SAFETY: the caller's block.
        let scale = _mm512_set1_ps(mxfp4_scale(unsafe { *block }));
        _mm512_mul_ps(scale, numbers(&MXFP4_NUMBERS))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn codes(block: *const u8, _: usize) -> __m256i {
        // SAFETY: the caller's block.
        unsafe { nibbles(block.add(1)) }
    }
}
