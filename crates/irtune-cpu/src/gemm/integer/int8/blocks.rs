//! Packs quantised weights to 8-bit panels with AVX-512.

use std::arch::x86_64::*;

use irtune_device::{Format, Side, WeightView, weight::BLOCK};

use super::{GROUP, Int8PanelMut, K_PACK, LARGEST, ZERO_POINT};
use crate::{
    gemm::{
        integer::scale::factor_and_scale,
        pack::{PanelRange, word_rows::WordRows},
        tile::NR,
    },
    quant::avx512::{Blocks, Coded, Q40, Q41, ROWS_AHEAD, prefetch_ahead, prefetch_block, with_blocks},
};

/// Magnitudes as integers that grow with them, NaN above all.
#[inline]
#[target_feature(enable = "avx512f")]
fn magnitudes(values: __m512) -> __m512i {
    _mm512_and_si512(_mm512_castps_si512(values), _mm512_set1_epi32(0x7fff_ffff))
}

/// As `pack` in f32 and `quantise_panel`, to the same bits; gives `out` back if the format has no blocks.
///
/// Of Q4_0 and Q4_1 the bits are the same where each block has the codes of its extremes, as those in files have.
///
/// # Safety
/// AVX-512 F, BW, VL and VNNI.
pub(super) unsafe fn pack<'a>(
    weight: &WeightView,
    range: PanelRange,
    out: Int8PanelMut<'a>,
) -> Option<Int8PanelMut<'a>> {
    // SAFETY: the caller's features.
    unsafe {
        match weight.format {
            Format::Q4_0 => pack_as::<Q40>(weight, range, out, forward_coded::<Q40>),
            Format::Q4_1 => pack_as::<Q41>(weight, range, out, forward_coded::<Q41>),
            format => {
                with_blocks!(format, F => pack_as::<F>(weight, range, out, forward::<F>), else return Some(out));
            }
        }
    }
    None
}

/// What packs one group on the forward side: the weight, its first row, the first value of K, how many, the panel's
/// integers and scales.
type Forward = unsafe fn(&WeightView, usize, usize, usize, &mut [i8], &mut [f32]);

/// # Safety
/// AVX-512 F, BW, VL and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn pack_as<F: Blocks>(weight: &WeightView, range: PanelRange, out: Int8PanelMut, forward: Forward) {
    let PanelRange { side, column: first, k: start, depth } = range;
    let scales = out.scales.chunks_exact_mut(NR).zip(out.compensation.chunks_exact_mut(NR));
    for (group, (panel, (scales, compensation))) in out.values.chunks_mut(GROUP * NR).zip(scales).enumerate()
    {
        let done = group * GROUP;
        let length = GROUP.min(depth - done);
        // SAFETY: the caller's features; the codes of a group are whole chunks.
        unsafe {
            match side {
                Side::Forward => forward(weight, first, start + done, length, panel, scales),
                Side::Backward => backward::<F>(weight, first, start + done, length, panel, scales),
            }
            write_compensation(panel, compensation);
        }
    }
}

/// −128 times the sum of each column's integers.
///
/// # Safety
/// AVX-512 F and VNNI.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn write_compensation(panel: &[i8], compensation: &mut [i32]) {
    let mut sums = [_mm512_setzero_si512(); 2];
    // 128 as an unsigned byte, so that the sums come out multiplied.
    let zero_point = _mm512_set1_epi8(ZERO_POINT as i8);
    for line in panel.chunks_exact(K_PACK * NR) {
        for (half, sum) in sums.iter_mut().enumerate() {
            // SAFETY: a line is 128 bytes.
            let words = unsafe { _mm512_loadu_si512(line.as_ptr().add(half * 64).cast()) };
            *sum = _mm512_dpbusd_epi32(*sum, zero_point, words);
        }
    }
    for (out, sum) in compensation.chunks_exact_mut(16).zip(sums) {
        let negative = _mm512_sub_epi32(_mm512_setzero_si512(), sum);
        // SAFETY: a chunk is 64 bytes.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), negative) };
    }
}

/// One group of columns that are the weight's rows: up to two chunks of each row.
///
/// # Safety
/// AVX-512 F, BW and VL.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn forward<F: Blocks>(
    weight: &WeightView,
    first: usize,
    start: usize,
    length: usize,
    panel: &mut [i8],
    scales: &mut [f32],
) {
    let row_bytes = weight.row_bytes();
    let width = NR.min(weight.rows - first);
    let mut rows = WordRows::ZERO;
    scales[width..].fill(0.0);
    for (column, (out, scale_out)) in rows.0[..width].iter_mut().zip(scales).enumerate() {
        let row = weight.row(first + column, row_bytes);
        // SAFETY: whole blocks are cut out; each chunk writes 32 of the 64 bytes of `out`.
        unsafe {
            let mut decoded = [[_mm512_setzero_ps(); 2]; GROUP / BLOCK];
            let mut largest = _mm512_setzero_si512();
            for (number, decoded) in decoded[..length / BLOCK].iter_mut().enumerate() {
                let (block, chunk) = F::place(row, start / BLOCK + number);
                prefetch_ahead::<F>(block, chunk);
                *decoded = F::values(block.as_ptr(), chunk);
                let both = _mm512_max_epu32(magnitudes(decoded[0]), magnitudes(decoded[1]));
                largest = _mm512_max_epu32(largest, both);
            }
            let largest = f32::from_bits(_mm512_reduce_max_epu32(largest));
            let (factor, scale) = factor_and_scale(largest, LARGEST);
            *scale_out = scale;
            let out = out.as_mut_ptr().cast::<__m128i>();
            for (number, values) in decoded[..length / BLOCK].as_flattened().iter().enumerate() {
                let integers = _mm512_cvtps_epi32(_mm512_mul_ps(*values, _mm512_set1_ps(factor)));
                _mm_storeu_si128(out.add(number), _mm512_cvtepi32_epi8(integers));
            }
        }
    }
    rows.transpose(bytemuck::cast_slice_mut(panel));
}

/// The same by lookup of integers. A row's largest value is taken from its blocks' tables, not from their codes.
///
/// # Safety
/// AVX-512 F, BW and VL.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn forward_coded<F: Coded>(
    weight: &WeightView,
    first: usize,
    start: usize,
    length: usize,
    panel: &mut [i8],
    scales: &mut [f32],
) {
    let row_bytes = weight.row_bytes();
    let width = NR.min(weight.rows - first);
    let chunks = length / BLOCK;
    let mut rows = WordRows::ZERO;
    scales[width..].fill(0.0);
    for (column, (out, scale_out)) in rows.0[..width].iter_mut().zip(scales).enumerate() {
        let row = weight.row(first + column, row_bytes);
        // SAFETY: whole blocks are cut out; each chunk writes 32 of the 64 bytes of `out`.
        unsafe {
            let mut tables = [_mm512_setzero_ps(); GROUP / BLOCK];
            let mut largest = _mm512_setzero_si512();
            for (number, table) in tables[..chunks].iter_mut().enumerate() {
                let (block, chunk) = F::place(row, start / BLOCK + number);
                prefetch_ahead::<F>(block, chunk);
                *table = F::table(block.as_ptr(), chunk);
                largest = _mm512_max_epu32(largest, magnitudes(*table));
            }
            let largest = f32::from_bits(_mm512_reduce_max_epu32(largest));
            let (factor, scale) = factor_and_scale(largest, LARGEST);
            *scale_out = scale;
            for (number, table) in tables[..chunks].iter().enumerate() {
                let (block, chunk) = F::place(row, start / BLOCK + number);
                let integers = _mm512_cvtps_epi32(_mm512_mul_ps(*table, _mm512_set1_ps(factor)));
                let table = _mm256_broadcastsi128_si256(_mm512_cvtepi32_epi8(integers));
                let out = out.as_mut_ptr().cast::<__m256i>().add(number);
                _mm256_storeu_si256(out, _mm256_shuffle_epi8(table, F::codes(block.as_ptr(), chunk)));
            }
        }
    }
    rows.transpose(bytemuck::cast_slice_mut(panel));
}

/// One group of columns that are the weight's columns: a chunk of each of up to 64 rows.
///
/// # Safety
/// AVX-512 F, BW and VL.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn backward<F: Blocks>(
    weight: &WeightView,
    first: usize,
    start: usize,
    length: usize,
    panel: &mut [i8],
    scales: &mut [f32],
) {
    let row_bytes = weight.row_bytes();
    let mut decoded = [[_mm512_setzero_ps(); 2]; GROUP];
    let mut largest = [_mm512_setzero_si512(); 2];
    for (inner, decoded) in decoded[..length].iter_mut().enumerate() {
        let row = weight.row(start + inner, row_bytes);
        let (block, chunk) = F::place(row, first / BLOCK);
        prefetch_block::<F>(block, ROWS_AHEAD * row_bytes);
        // SAFETY: a whole block was cut out.
        *decoded = unsafe { F::values(block.as_ptr(), chunk) };
        for (largest, values) in largest.iter_mut().zip(decoded) {
            *largest = _mm512_max_epu32(*largest, magnitudes(*values));
        }
    }
    let mut factors = [_mm512_setzero_ps(); 2];
    for ((factor_out, largest), scales) in factors.iter_mut().zip(largest).zip(scales.chunks_exact_mut(16)) {
        let (mut some, mut each) = ([0.0f32; 16], [0.0f32; 16]);
        // SAFETY: 64 bytes to and from arrays of as many.
        unsafe { _mm512_storeu_si512(some.as_mut_ptr().cast(), largest) };
        for ((largest, factor_out), scale) in some.iter().zip(&mut each).zip(scales) {
            (*factor_out, *scale) = factor_and_scale(*largest, LARGEST);
        }
        // SAFETY: as above.
        *factor_out = unsafe { _mm512_loadu_ps(each.as_ptr()) };
    }
    let low_byte = _mm512_set1_epi32(0xff);
    for (rows, line) in decoded.chunks_exact(K_PACK).zip(panel.chunks_exact_mut(K_PACK * NR)) {
        for (half, factor) in factors.iter().enumerate() {
            let integers = |lane: usize| _mm512_cvtps_epi32(_mm512_mul_ps(rows[lane][half], *factor));
            let byte = |lane: usize| _mm512_and_si512(integers(lane), low_byte);
            let low = _mm512_or_si512(byte(0), _mm512_slli_epi32::<8>(byte(1)));
            let high =
                _mm512_or_si512(_mm512_slli_epi32::<16>(byte(2)), _mm512_slli_epi32::<24>(integers(3)));
            // SAFETY: a line is 128 bytes.
            unsafe {
                _mm512_storeu_si512(line.as_mut_ptr().add(half * 64).cast(), _mm512_or_si512(low, high));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::{
        integer::int8::quantise::quantise_panel,
        pack::{pack_any, test_weights::each_range},
    };

    #[test]
    fn integers_are_those_of_every_processor() {
        crate::simd::at_every_level(|set| {
            if !set.vnni {
                return;
            }
            each_range(|weight, range| {
                let depth = range.depth;
                let (length, lines) = (depth.next_multiple_of(K_PACK) * NR, depth.div_ceil(GROUP) * NR);
                let mut unpacked = vec![0.0f32; depth * NR];
                pack_any(weight, range, &mut unpacked);
                let panel = || (vec![7; length], vec![7.0; lines], vec![7; lines]);
                let (mut plain, mut fast) = (panel(), panel());
                quantise_panel(&unpacked, writable(&mut plain));
                // SAFETY: the processor has the instructions.
                assert!(unsafe { pack(weight, range, writable(&mut fast)) }.is_none());
                assert_eq!(plain, fast, "{:?} {:?} {} {depth}", weight.format, range.side, range.column);
            });
        });
    }

    fn writable(panel: &mut (Vec<i8>, Vec<f32>, Vec<i32>)) -> Int8PanelMut<'_> {
        Int8PanelMut { values: &mut panel.0, scales: &mut panel.1, compensation: &mut panel.2 }
    }
}
