//! Rounds rows of A and panels of B to 8-bit integers.

use super::{GROUP, Int8PanelMut, K_PACK, LARGEST, ZERO_POINT};
use crate::{
    gemm::{
        integer::scale::{ROUNDER, column_factors, factor_and_scale, magnitude},
        tile::NR,
    },
    simd::{element::Element, vectorised},
};

/// Quantises one row of A, padded to whole packs, and writes a scale for each group.
pub(crate) fn quantise_row<E: Element>(from: &[E], to: &mut [u8], scales: &mut [f32]) {
    let groups = from.chunks(GROUP).zip(to.chunks_mut(GROUP)).zip(scales);
    for ((from, to), scale) in groups {
        #[cfg(target_arch = "x86_64")]
        if from.len() == GROUP && crate::simd::level::level() >= crate::simd::level::Level::Avx512 {
            // SAFETY: the level guarantees the instructions; both are a whole group, `to` being padded to packs.
            *scale = unsafe { avx512::quantise_group(from, to) };
            continue;
        }
        *scale = quantise_group(from, to);
    }
}

vectorised! {
    /// One group on every processor; gives its scale.
    fn quantise_group<E: Element>(from: &[E], to: &mut [u8]) -> f32 {
        let mut values = [0.0f32; GROUP];
        for (value, from) in values.iter_mut().zip(from) {
            *value = from.to_f32();
        }
        let largest = f32::from_bits(values.iter().fold(0, |largest, value| magnitude(*value).max(largest)));
        let (factor, scale) = factor_and_scale(largest, LARGEST);
        for (to, value) in to.iter_mut().zip(&values) {
            *to = (value * factor + (ROUNDER + ZERO_POINT as f32)).to_bits() as u8;
        }
        scale
    }
}

vectorised! {
    /// Quantises an f32 panel `[depth, 32]`, column by column and group by group.
    pub(crate) fn quantise_panel(panel: &[f32], out: Int8PanelMut) {
        let lines = panel.chunks(GROUP * NR).zip(out.values.chunks_mut(GROUP * NR));
        let scales = out.scales.chunks_exact_mut(NR).zip(out.compensation.chunks_exact_mut(NR));
        for ((panel, out), (scales, compensation)) in lines.zip(scales) {
            let factors = column_factors(panel, LARGEST, scales);
            let mut sums = [0i32; NR];
            let words = bytemuck::cast_slice_mut::<i8, [i8; K_PACK]>(out);
            for (lines, words) in panel.chunks(K_PACK * NR).zip(words.chunks_exact_mut(NR)) {
                let mut joined = [0u32; NR];
                for (lane, line) in lines.chunks_exact(NR).enumerate() {
                    for (((joined, sum), value), factor) in
                        joined.iter_mut().zip(&mut sums).zip(line).zip(&factors)
                    {
                        let integer = ((value * factor + ROUNDER).to_bits() & 0xff) as i32;
                        *joined |= (integer as u32) << (8 * lane);
                        *sum += integer << 24 >> 24;
                    }
                }
                for (word, joined) in words.iter_mut().zip(joined) {
                    *word = bytemuck::cast(joined.to_le());
                }
            }
            for (compensation, sum) in compensation.iter_mut().zip(sums) {
                *compensation = -ZERO_POINT * sum;
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{Element, LARGEST, ROUNDER, ZERO_POINT, factor_and_scale};

    /// One group; gives its scale.
    ///
    /// # Safety
    /// AVX-512 F; 64 values and 64 bytes.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn quantise_group<E: Element>(from: &[E], to: &mut [u8]) -> f32 {
        // SAFETY: the caller's 64 values. They are bf16 where K_PACK is 2 and else f32, the trait being sealed.
        unsafe {
            let mut values = [_mm512_setzero_ps(); 4];
            let mut largest = _mm512_setzero_si512();
            for (index, value) in values.iter_mut().enumerate() {
                let place = from.as_ptr().add(index * 16);
                *value = _mm512_castsi512_ps(if E::K_PACK == 2 {
                    _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(place.cast())))
                } else {
                    _mm512_loadu_si512(place.cast())
                });
                let magnitude = _mm512_and_si512(_mm512_castps_si512(*value), _mm512_set1_epi32(0x7fff_ffff));
                largest = _mm512_max_epu32(largest, magnitude);
            }
            let largest = f32::from_bits(_mm512_reduce_max_epu32(largest));
            let (factor, scale) = factor_and_scale(largest, LARGEST);
            let (factor, rounder) = (_mm512_set1_ps(factor), _mm512_set1_ps(ROUNDER + ZERO_POINT as f32));
            for (index, value) in values.iter().enumerate() {
                let rounded = _mm512_castps_si512(_mm512_add_ps(_mm512_mul_ps(*value, factor), rounder));
                _mm_storeu_si128(to.as_mut_ptr().add(index * 16).cast(), _mm512_cvtepi32_epi8(rounded));
            }
            scale
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::integer::int8::test_data::Quantised;

    #[test]
    fn rounding_is_within_half_a_step_of_the_largest() {
        crate::simd::at_every_level(|_| {
            for depth in [1, 2, 31, 64, 65, 200] {
                check(depth);
            }
        });
    }

    fn check(depth: usize) {
        let found = Quantised::new(3, depth);
        let (padded, groups) = (depth.next_multiple_of(K_PACK), depth.div_ceil(GROUP));
        for row in 0..3 {
            for k in 0..padded {
                let scale = found.a_scales[row * groups + k / GROUP];
                let back = (f32::from(found.a[row * padded + k]) - 128.0) * scale;
                let exact = if k < depth { found.a_values[row * depth + k] } else { 0.0 };
                assert!((back - exact).abs() <= 0.501 * scale, "{depth} {row} {k}");
            }
        }
        let mut sums = vec![0; groups * NR];
        for k in 0..padded {
            for column in 0..NR {
                let integer = found.b[(k / K_PACK * NR + column) * K_PACK + k % K_PACK];
                let place = k / GROUP * NR + column;
                let exact = if k < depth { found.b_values[k * NR + column] } else { 0.0 };
                let error = (f32::from(integer) * found.b_scales[place] - exact).abs();
                assert!(error <= 0.501 * found.b_scales[place], "{depth} {k} {column}");
                sums[place] -= 128 * i32::from(integer);
            }
        }
        assert_eq!(found.compensation, sums);
    }

    #[test]
    fn whole_groups_are_rounded_as_any() {
        let values: Vec<f32> = (0..GROUP).map(|i| (i as f32 * 0.37).sin() - 0.2).collect();
        let operands: Vec<half::bf16> = values.iter().map(|&value| Element::from_f32(value)).collect();
        crate::simd::at_every_level(|_| {
            let (mut fast, mut slow, mut scale) = ([0; GROUP], [0; GROUP], [0.0]);
            quantise_row(&values, &mut fast, &mut scale);
            assert_eq!(scale[0], quantise_group(&values, &mut slow));
            assert_eq!(fast, slow);
            quantise_row(&operands, &mut fast, &mut scale);
            assert_eq!(scale[0], quantise_group(&operands, &mut slow));
            assert_eq!(fast, slow);
        });
    }

    #[test]
    fn zeros_and_what_is_not_a_number_stay_what_they_are() {
        crate::simd::at_every_level(|_| {
            let (mut out, mut scales) = ([9; 4], [9.0]);
            quantise_row(&[0.0f32; 4], &mut out, &mut scales);
            assert_eq!((out, scales), ([128; 4], [0.0]));
            quantise_row(&[0.0, f32::NAN, 1.0, 2.0], &mut out, &mut scales);
            assert!(scales[0].is_nan());
            quantise_row(&[0.0, f32::INFINITY, 1.0, 2.0], &mut out, &mut scales);
            assert!(scales[0].is_infinite());
        });
    }
}
