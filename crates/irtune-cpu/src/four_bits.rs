//! Panels of four-bit blocks packed with AVX-512: a block has only 16 different values, which are made once and looked
//! up for its 32 codes.

use std::arch::x86_64::*;

use half::bf16;

use crate::{
    integer::eight::{GROUP, MOST, SHIFT, STRETCH},
    pack::{PANEL, Side},
    prefetch,
    transpose::{SQUARE, square},
    weight::{BLOCK, Format, Weight},
};

/// Whether the format has four-bit codes.
pub(crate) fn has_codes(format: Format) -> bool {
    matches!(format, Format::Q4_0 | Format::Q4_1)
}

/// Bytes of a block, and where its codes begin.
const fn layout(format: Format) -> (usize, usize) {
    match format {
        Format::Q4_1 => (20, 4),
        _ => (18, 2),
    }
}

/// Rows that are asked for before they are packed.
const AHEAD: usize = 16;

/// The 16 values that a block's codes stand for.
///
/// # Safety
/// AVX-512 F; a block of the format at `block`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn values(format: Format, block: *const u8) -> __m512 {
    // SAFETY: the caller's block begins with its scale, and with a minimum after it in Q4_1.
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

/// Magnitudes as integers that grow with them, NaN above all.
#[inline]
#[target_feature(enable = "avx512f")]
fn magnitudes(values: __m512) -> __m512i {
    _mm512_and_si512(_mm512_castps_si512(values), _mm512_set1_epi32(0x7fff_ffff))
}

/// A block's 32 codes, a byte each, in order.
///
/// # Safety
/// AVX2; 16 bytes at `codes`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn codes(codes: *const u8) -> __m256i {
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
unsafe fn operands(format: Format, block: *const u8) -> __m512i {
    // SAFETY: the caller's block; both types are 32 bytes of plain data.
    unsafe {
        let table: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(values(format, block)));
        let places = _mm512_cvtepu8_epi16(codes(block.add(layout(format).1)));
        _mm512_permutexvar_epi16(places, _mm512_castsi256_si512(table))
    }
}

/// Words of four bytes in a block of 32 rows × 32 bf16, or 32 rows × 64 bytes.
const WORDS: usize = 16;

/// 32 rows of 16 words, before they are transposed.
#[repr(C, align(64))]
struct Rows([[u32; WORDS]; PANEL]);

impl Rows {
    /// Writes them as 16 lines of 32 words, of which the first are wanted.
    #[inline(always)]
    fn turn(&self, panel: &mut [u32]) {
        let mut turned = [0; WORDS * PANEL];
        let out = if panel.len() == turned.len() { &mut *panel } else { &mut turned };
        for column in (0..PANEL).step_by(SQUARE) {
            square(&self.0.as_flattened()[column * WORDS..], WORDS, &mut out[column..], PANEL);
        }
        if panel.len() < turned.len() {
            let length = panel.len();
            panel.copy_from_slice(&turned[..length]);
        }
    }
}

/// As `pack::pack` for bf16, of a weight in four bits.
///
/// # Safety
/// AVX-512 F, BW, VL and BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(crate) unsafe fn pack(
    weight: &Weight,
    side: Side,
    first: usize,
    start: usize,
    depth: usize,
    panel: &mut [bf16],
) {
    let (row_bytes, (block_bytes, _)) = (weight.row_bytes(), layout(weight.format));
    match side {
        Side::Forward => {
            let width = PANEL.min(weight.rows - first);
            let mut rows = Rows([[0; WORDS]; PANEL]);
            let panel: &mut [u32] = bytemuck::cast_slice_mut(panel);
            for (chunk, panel) in panel.chunks_mut(WORDS * PANEL).enumerate() {
                for (column, out) in rows.0[..width].iter_mut().enumerate() {
                    let row = weight.row(first + column, row_bytes);
                    let block = &row[(start / BLOCK + chunk) * block_bytes..][..block_bytes];
                    prefetch::read(block.as_ptr().wrapping_add(4 * block_bytes));
                    // SAFETY: a whole block was cut out, and 64 bytes are written to an array of as many.
                    unsafe {
                        _mm512_storeu_si512(out.as_mut_ptr().cast(), operands(weight.format, block.as_ptr()))
                    };
                }
                rows.turn(panel);
            }
        }
        Side::Backward => {
            let low: [u16; 32] = std::array::from_fn(|place| (place / 2 + place % 2 * 32) as u16);
            // SAFETY: 64 bytes are read from an array of as many.
            let low = unsafe { _mm512_loadu_si512(low.as_ptr().cast()) };
            let high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
            for (group, line) in panel.chunks_exact_mut(2 * PANEL).enumerate() {
                let mut rows = [_mm512_setzero_si512(); 2];
                for (lane, operands_out) in rows[..2.min(depth - 2 * group)].iter_mut().enumerate() {
                    let row = weight.row(start + 2 * group + lane, row_bytes);
                    let block = &row[first / BLOCK * block_bytes..][..block_bytes];
                    prefetch::read(block.as_ptr().wrapping_add(AHEAD * row_bytes));
                    // SAFETY: a whole block was cut out.
                    *operands_out = unsafe { operands(weight.format, block.as_ptr()) };
                }
                let [even, odd] = rows;
                let out = line.as_mut_ptr();
                // SAFETY: a line is 128 bytes.
                unsafe {
                    _mm512_storeu_si512(out.cast(), _mm512_permutex2var_epi16(even, low, odd));
                    _mm512_storeu_si512(out.add(PANEL).cast(), _mm512_permutex2var_epi16(even, high, odd));
                }
            }
        }
    }
}

/// As `pack::pack` in f32 and `eight::round_panel`, of a weight in four bits.
///
/// # Safety
/// AVX-512 F, BW, VL and VNNI.
#[allow(clippy::too_many_arguments)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(crate) unsafe fn pack_bytes(
    weight: &Weight,
    side: Side,
    first: usize,
    start: usize,
    depth: usize,
    panel: &mut [i8],
    scales: &mut [f32],
    starts: &mut [i32],
) {
    let marks = scales.chunks_exact_mut(PANEL).zip(starts.chunks_exact_mut(PANEL));
    for (number, (panel, (scales, starts))) in panel.chunks_mut(STRETCH * PANEL).zip(marks).enumerate() {
        let done = number * STRETCH;
        let length = STRETCH.min(depth - done);
        // SAFETY: the caller's features.
        unsafe {
            match side {
                Side::Forward => forward_bytes(weight, first, start + done, length, panel, scales),
                Side::Backward => backward_bytes(weight, first, start + done, length, panel, scales),
            }
            write_starts(panel, starts);
        }
    }
}

/// −128 times the sum of each column's whole numbers.
///
/// # Safety
/// AVX-512 F and VNNI.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn write_starts(panel: &[i8], starts: &mut [i32]) {
    let mut sums = [_mm512_setzero_si512(); 2];
    // 128 as a byte without a sign, so that the sums come out multiplied.
    let shift = _mm512_set1_epi8(SHIFT as i8);
    for line in panel.chunks_exact(GROUP * PANEL) {
        for (half, sum) in sums.iter_mut().enumerate() {
            // SAFETY: a line is 128 bytes.
            let words = unsafe { _mm512_loadu_si512(line.as_ptr().add(half * 64).cast()) };
            *sum = _mm512_dpbusd_epi32(*sum, shift, words);
        }
    }
    for (start, sum) in starts.chunks_exact_mut(16).zip(sums) {
        let negative = _mm512_sub_epi32(_mm512_setzero_si512(), sum);
        // SAFETY: a chunk is 64 bytes.
        unsafe { _mm512_storeu_si512(start.as_mut_ptr().cast(), negative) };
    }
}

/// One stretch of outputs that are the weight's rows: two blocks of each row, whose largest values are those of codes
/// 0 and 15.
///
/// # Safety
/// AVX-512 F, BW and VL.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn forward_bytes(
    weight: &Weight,
    first: usize,
    start: usize,
    length: usize,
    panel: &mut [i8],
    scales: &mut [f32],
) {
    let (row_bytes, (block_bytes, codes_at)) = (weight.row_bytes(), layout(weight.format));
    let width = PANEL.min(weight.rows - first);
    let blocks = length / BLOCK;
    let mut rows = Rows([[0; WORDS]; PANEL]);
    scales[width..].fill(0.0);
    for (column, (out, scale_out)) in rows.0[..width].iter_mut().zip(scales).enumerate() {
        let row = weight.row(first + column, row_bytes);
        let row = &row[start / BLOCK * block_bytes..][..blocks * block_bytes];
        prefetch::read(row.as_ptr().wrapping_add(4 * block_bytes));
        // SAFETY: whole blocks were cut out; each writes 32 of the 64 bytes of `out`.
        unsafe {
            let mut tables = [_mm512_setzero_ps(); 2];
            let mut largest = _mm512_setzero_si512();
            for (block, table) in tables[..blocks].iter_mut().enumerate() {
                *table = values(weight.format, row.as_ptr().add(block * block_bytes));
                largest = _mm512_max_epu32(largest, magnitudes(*table));
            }
            let largest = f32::from_bits(_mm512_reduce_max_epu32(largest));
            let (factor, scale) = crate::integer::factor(largest, MOST);
            *scale_out = scale;
            for (block, table) in tables[..blocks].iter().enumerate() {
                let whole = _mm512_cvtps_epi32(_mm512_mul_ps(*table, _mm512_set1_ps(factor)));
                let table = _mm256_broadcastsi128_si256(_mm512_cvtepi32_epi8(whole));
                let codes = codes(row.as_ptr().add(block * block_bytes + codes_at));
                let out = out.as_mut_ptr().cast::<u8>().add(block * BLOCK);
                _mm256_storeu_si256(out.cast(), _mm256_shuffle_epi8(table, codes));
            }
        }
    }
    rows.turn(bytemuck::cast_slice_mut(panel));
}

/// One stretch of outputs that are the weight's columns: a block of each of 64 rows.
///
/// # Safety
/// AVX-512 F, BW and VL.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn backward_bytes(
    weight: &Weight,
    first: usize,
    start: usize,
    length: usize,
    panel: &mut [i8],
    scales: &mut [f32],
) {
    let (row_bytes, (block_bytes, codes_at)) = (weight.row_bytes(), layout(weight.format));
    let mut decoded = [[_mm512_setzero_ps(); 2]; STRETCH];
    let mut largest = [_mm512_setzero_si512(); 2];
    for (inner, decoded) in decoded[..length].iter_mut().enumerate() {
        let row = weight.row(start + inner, row_bytes);
        let block = &row[first / BLOCK * block_bytes..][..block_bytes];
        prefetch::read(block.as_ptr().wrapping_add(AHEAD * row_bytes));
        // SAFETY: a whole block was cut out.
        unsafe {
            let table = values(weight.format, block.as_ptr());
            let codes = codes(block.as_ptr().add(codes_at));
            let halves = [_mm256_castsi256_si128(codes), _mm256_extracti128_si256::<1>(codes)];
            for ((decoded, largest), codes) in decoded.iter_mut().zip(&mut largest).zip(halves) {
                *decoded = _mm512_permutexvar_ps(_mm512_cvtepu8_epi32(codes), table);
                *largest = _mm512_max_epu32(*largest, magnitudes(*decoded));
            }
        }
    }
    let mut factors = [_mm512_setzero_ps(); 2];
    for ((factor_out, largest), scales) in factors.iter_mut().zip(largest).zip(scales.chunks_exact_mut(16)) {
        let (mut some, mut each) = ([0.0f32; 16], [0.0f32; 16]);
        // SAFETY: 64 bytes to and from arrays of as many.
        unsafe { _mm512_storeu_si512(some.as_mut_ptr().cast(), largest) };
        for ((largest, factor_out), scale) in some.iter().zip(&mut each).zip(scales) {
            (*factor_out, *scale) = crate::integer::factor(*largest, MOST);
        }
        // SAFETY: as above.
        *factor_out = unsafe { _mm512_loadu_ps(each.as_ptr()) };
    }
    let low_byte = _mm512_set1_epi32(0xff);
    for (rows, line) in decoded.chunks_exact(GROUP).zip(panel.chunks_exact_mut(GROUP * PANEL)) {
        for (half, factor) in factors.iter().enumerate() {
            let whole = |lane: usize| _mm512_cvtps_epi32(_mm512_mul_ps(rows[lane][half], *factor));
            let byte = |lane: usize| _mm512_and_si512(whole(lane), low_byte);
            let low = _mm512_or_si512(byte(0), _mm512_slli_epi32::<8>(byte(1)));
            let high = _mm512_or_si512(_mm512_slli_epi32::<16>(byte(2)), _mm512_slli_epi32::<24>(whole(3)));
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
    use crate::{
        integer::eight::round_panel,
        level::{Level, has_vnni, level},
        pack::{pack_plainly, panel_length},
    };

    /// Any bytes are codes; scales are made small numbers of both signs.
    fn bytes(format: Format, rows: usize, columns: usize) -> Vec<u8> {
        let block = layout(format).0;
        let mut bytes: Vec<u8> =
            (0..rows * columns / BLOCK * block).map(|index| (index * 197 % 251) as u8).collect();
        for (index, block) in bytes.chunks_exact_mut(block).enumerate() {
            let scale = half::f16::from_f32(0.01 + 0.001 * (index % 13) as f32);
            let minimum = half::f16::from_f32(-0.1 + 0.01 * (index % 7) as f32);
            block[..2].copy_from_slice(&scale.to_le_bytes());
            if format == Format::Q4_1 {
                block[2..4].copy_from_slice(&minimum.to_le_bytes());
            }
            // The extremes of a block are there, as in files.
            *block.last_mut().expect("codes") = 0xf0;
        }
        bytes
    }

    fn each(mut work: impl FnMut(&Weight, Side, usize, usize)) {
        for format in [Format::Q4_0, Format::Q4_1] {
            for (rows, columns) in [(32, 64), (70, 96), (33, 160), (200, 32)] {
                let bytes = bytes(format, rows, columns);
                let weight = Weight { format, rows, columns, bytes: &bytes, interleaved_head: None };
                for (side, outputs, depth) in
                    [(Side::Forward, rows, columns), (Side::Backward, columns, rows)]
                {
                    for first in (0..outputs).step_by(PANEL) {
                        work(&weight, side, first, depth);
                    }
                }
            }
        }
    }

    #[test]
    fn operands_are_those_of_the_plain_way() {
        if level() < Level::Avx512Bf16 {
            return;
        }
        each(|weight, side, first, depth| {
            let mut plain = vec![bf16::from_f32(7.0); panel_length::<bf16>(depth)];
            let mut fast = plain.clone();
            pack_plainly(weight, side, first, 0, depth, &mut plain);
            // SAFETY: the level was asked for.
            unsafe { pack(weight, side, first, 0, depth, &mut fast) };
            assert!(plain == fast, "{side:?} {weight:?}");
        });
    }

    #[test]
    fn whole_numbers_are_those_of_the_plain_way() {
        if !has_vnni() {
            return;
        }
        each(|weight, side, first, depth| {
            let (length, lines) = (depth.next_multiple_of(GROUP) * PANEL, depth.div_ceil(STRETCH) * PANEL);
            let mut unpacked = vec![0.0f32; depth * PANEL];
            pack_plainly(weight, side, first, 0, depth, &mut unpacked);
            let (mut plain, mut scales, mut starts) = (vec![7; length], vec![7.0; lines], vec![7; lines]);
            round_panel(&unpacked, &mut plain, &mut scales, &mut starts);
            let (mut fast, mut fast_scales, mut fast_starts) =
                (vec![7; length], vec![7.0; lines], vec![7; lines]);
            // SAFETY: the processor was asked.
            unsafe {
                pack_bytes(weight, side, first, 0, depth, &mut fast, &mut fast_scales, &mut fast_starts);
            }
            assert_eq!((plain, scales, starts), (fast, fast_scales, fast_starts), "{side:?} {first} {depth}");
        });
    }
}
