//! Transposes 16 × 16 words of four bytes.
//!
//! Files hold a weight row by row, and the microkernel reads it column by column. This is the step between, 16 vector
//! loads and 16 stores with AVX-512.

use super::level::{Level, level};

/// Words in a row of the square.
pub(crate) const SQUARE: usize = 16;

/// Writes the transposed square: `to[j · to_stride + i] = from[i · from_stride + j]`, for 16 × 16 words.
pub(crate) fn transpose_square(from: &[u32], from_stride: usize, to: &mut [u32], to_stride: usize) {
    assert!(from_stride >= SQUARE && from.len() >= (SQUARE - 1) * from_stride + SQUARE);
    assert!(to_stride >= SQUARE && to.len() >= (SQUARE - 1) * to_stride + SQUARE);
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::Avx512 {
        // SAFETY: the level guarantees the instructions, the assertions above that 16 rows of 16 words are there.
        unsafe { avx512(from.as_ptr(), from_stride, to.as_mut_ptr(), to_stride) };
        return;
    }
    for (row, from) in from.chunks(from_stride).take(SQUARE).enumerate() {
        for (column, &word) in from[..SQUARE].iter().enumerate() {
            to[column * to_stride + row] = word;
        }
    }
}

/// First pairs of words change places, then pairs of pairs, then quarters of the registers.
///
/// # Safety
/// AVX-512 F; 16 rows of 16 words at `from` and at `to`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
    use std::arch::x86_64::*;
    // SAFETY: all reads and writes are in the bounds that the caller guarantees.
    unsafe {
        let mut rows = [_mm512_setzero_si512(); SQUARE];
        for (index, row) in rows.iter_mut().enumerate() {
            *row = _mm512_loadu_si512(from.add(index * from_stride).cast());
        }
        // After both unpacks, register 4q + c holds column 4b + c of rows 4q … 4q + 3 in its quarter b.
        let mut fours = [_mm512_setzero_si512(); SQUARE];
        for (rows, fours) in rows.chunks_exact(4).zip(fours.chunks_exact_mut(4)) {
            let (low, high) =
                (_mm512_unpacklo_epi32(rows[0], rows[1]), _mm512_unpackhi_epi32(rows[0], rows[1]));
            let (low_next, high_next) =
                (_mm512_unpacklo_epi32(rows[2], rows[3]), _mm512_unpackhi_epi32(rows[2], rows[3]));
            fours[0] = _mm512_unpacklo_epi64(low, low_next);
            fours[1] = _mm512_unpackhi_epi64(low, low_next);
            fours[2] = _mm512_unpacklo_epi64(high, high_next);
            fours[3] = _mm512_unpackhi_epi64(high, high_next);
        }
        for column in 0..4 {
            let quarter = |index: usize| fours[4 * index + column];
            let (even_low, odd_low) = (
                _mm512_shuffle_i32x4::<0x88>(quarter(0), quarter(1)),
                _mm512_shuffle_i32x4::<0xdd>(quarter(0), quarter(1)),
            );
            let (even_high, odd_high) = (
                _mm512_shuffle_i32x4::<0x88>(quarter(2), quarter(3)),
                _mm512_shuffle_i32x4::<0xdd>(quarter(2), quarter(3)),
            );
            let columns = [
                _mm512_shuffle_i32x4::<0x88>(even_low, even_high),
                _mm512_shuffle_i32x4::<0x88>(odd_low, odd_high),
                _mm512_shuffle_i32x4::<0xdd>(even_low, even_high),
                _mm512_shuffle_i32x4::<0xdd>(odd_low, odd_high),
            ];
            for (block, &words) in columns.iter().enumerate() {
                _mm512_storeu_si512(to.add((4 * block + column) * to_stride).cast(), words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_to_its_place_and_no_other_is_touched() {
        crate::simd::at_every_level(|set| {
            for (from_stride, to_stride) in [(16, 16), (17, 32), (40, 19)] {
                let from: Vec<u32> = (0..16 * from_stride as u32).collect();
                let mut to = vec![u32::MAX; 16 * to_stride];
                transpose_square(&from, from_stride, &mut to, to_stride);
                for (place, &word) in to.iter().enumerate() {
                    let (column, row) = (place / to_stride, place % to_stride);
                    let expected = if row < SQUARE { (row * from_stride + column) as u32 } else { u32::MAX };
                    assert_eq!(word, expected, "{set:?} {column} {row}");
                }
            }
        });
    }
}
