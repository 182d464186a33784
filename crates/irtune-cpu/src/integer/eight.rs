//! Products in 8-bit integers: both sides rounded to whole multiples of a scale, which the left side has for each row
//! and the right for each column, anew for every stretch of 64 summed values.
//!
//! AVX-512 VNNI multiplies and adds twice as many such integers as bf16 values at a time, bytes without a sign on the
//! left with bytes that have one on the right. So 128 is added to the left, and taken away again by the sums' start:
//! −128 times the sum of a column's whole numbers. Rounding errors are half of 1/127 of the largest value of a stretch
//! on either side.

use super::{ROUNDER, column_factors, factor, magnitude};
use crate::{
    element::Element,
    level::vectorised,
    microkernel::{Begin, TILE, Tile},
    pack::{PANEL, Side, pack},
    weight::Weight,
};

/// Summed values that share their scales.
pub(crate) const STRETCH: usize = 64;

/// Summed values that one instruction takes together.
pub(crate) const GROUP: usize = 4;

/// Largest whole number.
pub(crate) const MOST: f32 = 127.0;

/// What is added to the left side's whole numbers.
pub(crate) const SHIFT: i32 = 128;

/// Rounds one row of the left side, up to a whole group, and writes a scale for each stretch.
pub(crate) fn round_row<E: Element>(from: &[E], to: &mut [u8], scales: &mut [f32]) {
    let stretches = from.chunks(STRETCH).zip(to.chunks_mut(STRETCH)).zip(scales);
    for ((from, to), scale) in stretches {
        #[cfg(target_arch = "x86_64")]
        if from.len() == STRETCH && crate::level::level() >= crate::level::Level::Avx512 {
            // SAFETY: the level guarantees the instructions; both are a whole stretch, `to` being padded to groups.
            *scale = unsafe { avx512::round_stretch(from, to) };
            continue;
        }
        *scale = round_stretch(from, to);
    }
}

vectorised! {
    /// The way of every processor.
    fn round_stretch<E: Element>(from: &[E], to: &mut [u8]) -> f32 {
        let mut values = [0.0f32; STRETCH];
        for (value, from) in values.iter_mut().zip(from) {
            *value = from.to_f32();
        }
        let largest = f32::from_bits(values.iter().fold(0, |largest, value| magnitude(*value).max(largest)));
        let (factor, scale) = factor(largest, MOST);
        for (to, value) in to.iter_mut().zip(&values) {
            *to = (value * factor + (ROUNDER + SHIFT as f32)).to_bits() as u8;
        }
        scale
    }
}

vectorised! {
    /// Rounds a packed f32 panel `[depth][32]` to `[depth / 4][32][4]`, column by column and stretch by stretch; writes
    /// the scales and where the sums start, `[stretches][32]` both.
    pub(crate) fn round_panel(panel: &[f32], out: &mut [i8], scales: &mut [f32], starts: &mut [i32]) {
        let lines = panel.chunks(STRETCH * PANEL).zip(out.chunks_mut(STRETCH * PANEL));
        let marks = scales.chunks_exact_mut(PANEL).zip(starts.chunks_exact_mut(PANEL));
        for ((panel, out), (scales, starts)) in lines.zip(marks) {
            let factors = column_factors(panel, MOST, scales);
            let mut sums = [0i32; PANEL];
            let words = bytemuck::cast_slice_mut::<i8, [i8; GROUP]>(out);
            for (lines, words) in panel.chunks(GROUP * PANEL).zip(words.chunks_exact_mut(PANEL)) {
                let mut joined = [0u32; PANEL];
                for (lane, line) in lines.chunks_exact(PANEL).enumerate() {
                    for (((joined, sum), value), factor) in
                        joined.iter_mut().zip(&mut sums).zip(line).zip(&factors)
                    {
                        let whole = ((value * factor + ROUNDER).to_bits() & 0xff) as i32;
                        *joined |= (whole as u32) << (8 * lane);
                        *sum += whole << 24 >> 24;
                    }
                }
                for (word, joined) in words.iter_mut().zip(joined) {
                    *word = bytemuck::cast(joined.to_le());
                }
            }
            for (start, sum) in starts.iter_mut().zip(sums) {
                *start = -SHIFT * sum;
            }
        }
    }
}

/// Packs outputs `first..first + 32` over summed values `start..start + depth`, as [`round_panel`] writes them.
#[allow(clippy::too_many_arguments)]
pub(crate) fn pack_panel(
    weight: &Weight,
    side: Side,
    first: usize,
    start: usize,
    unpacked: &mut [f32],
    panel: &mut [i8],
    scales: &mut [f32],
    starts: &mut [i32],
) {
    #[cfg(target_arch = "x86_64")]
    if crate::level::has_vnni() && crate::four_bits::has_codes(weight.format) {
        let depth = unpacked.len() / PANEL;
        // SAFETY: the processor has the instructions.
        return unsafe {
            crate::four_bits::pack_bytes(weight, side, first, start, depth, panel, scales, starts)
        };
    }
    pack(weight, side, first, start, unpacked.len() / PANEL, unpacked);
    round_panel(unpacked, panel, scales, starts);
}

/// One piece of a product in 8-bit integers.
pub(crate) struct Bytes<'a> {
    /// `rows` rows, `stride` apart.
    pub(crate) left: &'a [u8],
    /// From row to row of the left side.
    pub(crate) stride: usize,
    /// Of the left's rows: a row's scales lie beside each other.
    pub(crate) left_scales: &'a [f32],
    /// From row to row of the left's scales.
    pub(crate) scales_stride: usize,
    /// `[depth / 4][32][4]`
    pub(crate) panel: &'a [i8],
    /// Of the panel's columns, `[stretches][32]`.
    pub(crate) panel_scales: &'a [f32],
    /// Where the sums start, `[stretches][32]`.
    pub(crate) starts: &'a [i32],
    /// Summed values, rounded up to whole groups.
    pub(crate) depth: usize,
}

/// Makes the first `rows` rows of `tile` their beginning plus the piece.
#[inline]
pub(crate) fn multiply(rows: usize, piece: &Bytes, begin: Begin, tile: &mut Tile) {
    let Bytes { left, stride, left_scales, scales_stride, panel, panel_scales, starts, depth } = *piece;
    let stretches = depth.div_ceil(STRETCH);
    assert!(rows <= TILE && depth.is_multiple_of(GROUP));
    assert!(rows == 0 || left.len() >= (rows - 1) * stride + depth);
    assert!(rows == 0 || left_scales.len() >= (rows - 1) * scales_stride + stretches);
    assert!(panel.len() >= depth * PANEL);
    assert!(panel_scales.len() >= stretches * PANEL && starts.len() >= stretches * PANEL);
    #[cfg(target_arch = "x86_64")]
    if crate::level::has_vnni() {
        // SAFETY: the processor has the instructions, and every length is as asserted above.
        unsafe { vnni::tile(rows, piece, begin, tile) };
        return;
    }
    begin.fill(&mut tile[..rows]);
    plain(rows, piece, tile);
}

vectorised! {
    /// The slow twin, the same to the last bit but for what fused multiply-adds round less.
    fn plain(rows: usize, piece: &Bytes, tile: &mut Tile) {
        for (row, out) in tile[..rows].iter_mut().enumerate() {
            let left = &piece.left[row * piece.stride..][..piece.depth];
            let panels = piece.panel[..piece.depth * PANEL].chunks(STRETCH * PANEL);
            for (number, (left, panel)) in left.chunks(STRETCH).zip(panels).enumerate() {
                let scale = piece.left_scales[row * piece.scales_stride + number];
                let mut sums: [i32; PANEL] = std::array::from_fn(|column| piece.starts[number * PANEL + column]);
                for (left, line) in left.chunks_exact(GROUP).zip(panel.chunks_exact(GROUP * PANEL)) {
                    let left: [i32; GROUP] = std::array::from_fn(|lane| i32::from(left[lane]));
                    for (sum, right) in sums.iter_mut().zip(line.chunks_exact(GROUP)) {
                        *sum += (0..GROUP).map(|lane| left[lane] * i32::from(right[lane])).sum::<i32>();
                    }
                }
                let scales = &piece.panel_scales[number * PANEL..][..PANEL];
                for ((out, sum), column_scale) in out.iter_mut().zip(sums).zip(scales) {
                    *out += sum as f32 * column_scale * scale;
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{Element, MOST, ROUNDER, SHIFT, factor};

    /// # Safety
    /// AVX-512 F; 64 values and 64 bytes.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn round_stretch<E: Element>(from: &[E], to: &mut [u8]) -> f32 {
        // SAFETY: the caller's 64 values, which are bf16 where two of them make a group and else f32.
        unsafe {
            let mut values = [_mm512_setzero_ps(); 4];
            let mut largest = _mm512_setzero_si512();
            for (index, value) in values.iter_mut().enumerate() {
                let place = from.as_ptr().add(index * 16);
                *value = _mm512_castsi512_ps(if E::GROUP == 2 {
                    _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(place.cast())))
                } else {
                    _mm512_loadu_si512(place.cast())
                });
                let magnitude = _mm512_and_si512(_mm512_castps_si512(*value), _mm512_set1_epi32(0x7fff_ffff));
                largest = _mm512_max_epu32(largest, magnitude);
            }
            let (factor, scale) = factor(f32::from_bits(_mm512_reduce_max_epu32(largest)), MOST);
            let (factor, rounder) = (_mm512_set1_ps(factor), _mm512_set1_ps(ROUNDER + SHIFT as f32));
            for (index, value) in values.iter().enumerate() {
                let rounded = _mm512_castps_si512(_mm512_add_ps(_mm512_mul_ps(*value, factor), rounder));
                _mm_storeu_si128(to.as_mut_ptr().add(index * 16).cast(), _mm512_cvtepi32_epi8(rounded));
            }
            scale
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vnni {
    use std::arch::x86_64::*;

    use super::{Begin, Bytes, GROUP, PANEL, STRETCH, Tile};

    /// Rows whose sums, whole and scaled, fit the registers together.
    const MOST_ROWS: usize = 6;

    /// # Safety
    /// AVX-512 F and VNNI; lengths as `multiply` asserts them.
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) unsafe fn tile(rows: usize, piece: &Bytes, begin: Begin, tile: &mut Tile) {
        for (number, tile) in tile[..rows].chunks_mut(MOST_ROWS).enumerate() {
            let first = number * MOST_ROWS;
            // SAFETY: the rows are among those that the caller guarantees.
            unsafe {
                match tile.len() {
                    1 => part::<1>(piece, first, begin, rows_of(tile)),
                    2 => part::<2>(piece, first, begin, rows_of(tile)),
                    3 => part::<3>(piece, first, begin, rows_of(tile)),
                    4 => part::<4>(piece, first, begin, rows_of(tile)),
                    5 => part::<5>(piece, first, begin, rows_of(tile)),
                    _ => part::<MOST_ROWS>(piece, first, begin, rows_of(tile)),
                }
            }
        }
    }

    /// Rows whose number the compiler knows, so that all their sums stay in registers.
    fn rows_of<const ROWS: usize>(tile: &mut [[f32; PANEL]]) -> &mut [[f32; PANEL]; ROWS] {
        tile.try_into().expect("so many rows")
    }

    /// Adds the products of one group of summed values.
    ///
    /// # Safety
    /// AVX-512 F and VNNI; four bytes at `left` and at every `stride` after it, 128 bytes at `panel`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn add<const ROWS: usize>(
        left: *const u8,
        stride: usize,
        panel: *const i8,
        sums: &mut [[__m512i; 2]; ROWS],
    ) {
        // SAFETY: the caller's bytes.
        unsafe {
            let [low, high] = [_mm512_loadu_si512(panel.cast()), _mm512_loadu_si512(panel.add(64).cast())];
            for (row, sums) in sums.iter_mut().enumerate() {
                let value = _mm512_set1_epi32(left.add(row * stride).cast::<i32>().read_unaligned());
                sums[0] = _mm512_dpbusd_epi32(sums[0], value, low);
                sums[1] = _mm512_dpbusd_epi32(sums[1], value, high);
            }
        }
    }

    /// # Safety
    /// As of [`tile`] for `ROWS` rows from `first` on, which are those of `tile`.
    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn part<const ROWS: usize>(
        piece: &Bytes,
        first: usize,
        begin: Begin,
        tile: &mut [[f32; PANEL]; ROWS],
    ) {
        let Bytes { stride, scales_stride, depth, .. } = *piece;
        // SAFETY: all reads are in the bounds that the caller guarantees, and all writes in rows of 32 sums.
        unsafe {
            let mut left = piece.left.as_ptr().add(first * stride);
            let mut left_scales = piece.left_scales.as_ptr().add(first * scales_stride);
            let mut panel = piece.panel.as_ptr();
            let mut panel_scales = piece.panel_scales.as_ptr();
            let mut starts = piece.starts.as_ptr();
            let mut held = [[_mm512_setzero_ps(); 2]; ROWS];
            if begin == Begin::Held {
                for (held, row) in held.iter_mut().zip(&*tile) {
                    *held = [_mm512_loadu_ps(row.as_ptr()), _mm512_loadu_ps(row.as_ptr().add(16))];
                }
            }
            let mut rest = depth;
            while rest > 0 {
                let start = [_mm512_loadu_si512(starts.cast()), _mm512_loadu_si512(starts.add(16).cast())];
                let mut sums = [start; ROWS];
                for group in 0..rest.min(STRETCH) / GROUP {
                    add(left.add(group * GROUP), stride, panel.add(group * GROUP * PANEL), &mut sums);
                }
                let scales = [_mm512_loadu_ps(panel_scales), _mm512_loadu_ps(panel_scales.add(16))];
                for (row, (held, sums)) in held.iter_mut().zip(&sums).enumerate() {
                    let own = _mm512_set1_ps(*left_scales.add(row * scales_stride));
                    for ((held, &sums), &scales) in held.iter_mut().zip(sums).zip(&scales) {
                        // The two scales multiplied first would be as much work, and a sixth slower on Zen 5.
                        *held = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), scales), own, *held);
                    }
                }
                rest = rest.saturating_sub(STRETCH);
                left = left.wrapping_add(STRETCH);
                left_scales = left_scales.wrapping_add(1);
                panel = panel.wrapping_add(STRETCH * PANEL);
                panel_scales = panel_scales.wrapping_add(PANEL);
                starts = starts.wrapping_add(PANEL);
            }
            for (held, row) in held.iter().zip(tile) {
                _mm512_storeu_ps(row.as_mut_ptr(), held[0]);
                _mm512_storeu_ps(row.as_mut_ptr().add(16), held[1]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both sides rounded, each with its scales, and what they were.
    struct Rounded {
        left: Vec<u8>,
        left_scales: Vec<f32>,
        panel: Vec<i8>,
        panel_scales: Vec<f32>,
        starts: Vec<i32>,
        values: Vec<f32>,
        columns: Vec<f32>,
    }

    fn rounded(rows: usize, depth: usize) -> Rounded {
        let (whole, stretches) = (depth.next_multiple_of(GROUP), depth.div_ceil(STRETCH));
        let values: Vec<f32> =
            (0..rows * depth).map(|i| (i as f32 * 0.37).sin() * (1.0 + i as f32)).collect();
        let (mut left, mut left_scales) = (vec![9; rows * whole], vec![0.0; rows * stretches]);
        for row in 0..rows {
            let scales = &mut left_scales[row * stretches..][..stretches];
            round_row(&values[row * depth..][..depth], &mut left[row * whole..][..whole], scales);
        }
        let columns: Vec<f32> = (0..depth * PANEL).map(|i| (i as f32 * 0.11).cos()).collect();
        let (mut panel, mut panel_scales) = (vec![9; whole * PANEL], vec![0.0; stretches * PANEL]);
        let mut starts = vec![9; stretches * PANEL];
        round_panel(&columns, &mut panel, &mut panel_scales, &mut starts);
        Rounded { left, left_scales, panel, panel_scales, starts, values, columns }
    }

    #[test]
    fn rounding_is_within_half_a_step_of_the_largest() {
        for depth in [1, 2, 31, 64, 65, 200] {
            let Rounded { left, left_scales, panel, panel_scales, starts, values, columns } =
                rounded(3, depth);
            let (whole, stretches) = (depth.next_multiple_of(GROUP), depth.div_ceil(STRETCH));
            for row in 0..3 {
                for inner in 0..whole {
                    let scale = left_scales[row * stretches + inner / STRETCH];
                    let back = (f32::from(left[row * whole + inner]) - 128.0) * scale;
                    let exact = if inner < depth { values[row * depth + inner] } else { 0.0 };
                    assert!((back - exact).abs() <= 0.501 * scale, "{depth} {row} {inner}");
                }
            }
            let mut sums = vec![0; stretches * PANEL];
            for inner in 0..whole {
                for column in 0..PANEL {
                    let found = panel[(inner / GROUP * PANEL + column) * GROUP + inner % GROUP];
                    let place = inner / STRETCH * PANEL + column;
                    let exact = if inner < depth { columns[inner * PANEL + column] } else { 0.0 };
                    let error = (f32::from(found) * panel_scales[place] - exact).abs();
                    assert!(error <= 0.501 * panel_scales[place], "{depth} {inner} {column}");
                    sums[place] -= 128 * i32::from(found);
                }
            }
            assert_eq!(starts, sums);
        }
    }

    #[test]
    fn whole_stretches_are_rounded_as_any() {
        let values: Vec<f32> = (0..STRETCH).map(|i| (i as f32 * 0.37).sin() - 0.2).collect();
        let operands: Vec<half::bf16> = values.iter().map(|&value| Element::from_f32(value)).collect();
        let (mut fast, mut slow, mut scale) = ([0; STRETCH], [0; STRETCH], [0.0]);
        round_row(&values, &mut fast, &mut scale);
        assert_eq!(scale[0], round_stretch(&values, &mut slow));
        assert_eq!(fast, slow);
        round_row(&operands, &mut fast, &mut scale);
        assert_eq!(scale[0], round_stretch(&operands, &mut slow));
        assert_eq!(fast, slow);
    }

    #[test]
    fn tiles_agree_with_the_slow_twin() {
        for (rows, depth) in [(1, 3), (5, 31), (6, 64), (7, 511), (12, 512)] {
            let Rounded { left, left_scales, panel, panel_scales, starts, .. } = rounded(rows, depth);
            let whole = depth.next_multiple_of(GROUP);
            let piece = Bytes {
                left: &left,
                stride: whole,
                left_scales: &left_scales,
                scales_stride: depth.div_ceil(STRETCH),
                panel: &panel,
                panel_scales: &panel_scales,
                starts: &starts,
                depth: whole,
            };
            let mut fast = [[0.5; PANEL]; TILE];
            let mut slow = fast;
            multiply(rows, &piece, Begin::Held, &mut fast);
            plain(rows, &piece, &mut slow);
            for (row, (fast, slow)) in fast.iter().zip(&slow).enumerate() {
                // A row's sums are as large as its values.
                let size = 1e-6 * slow.iter().fold(1.0f32, |size, sum| size.max(sum.abs()));
                for (fast, slow) in fast.iter().zip(slow) {
                    assert!((fast - slow).abs() <= size, "{row} of {rows}×{depth}: {fast} {slow}");
                }
            }
        }
    }

    #[test]
    fn zeros_and_what_is_not_a_number_stay_what_they_are() {
        let (mut out, mut scales) = ([9; 4], [9.0]);
        round_row(&[0.0f32; 4], &mut out, &mut scales);
        assert_eq!((out, scales), ([128; 4], [0.0]));
        round_row(&[0.0, f32::NAN, 1.0, 2.0], &mut out, &mut scales);
        assert!(scales[0].is_nan());
        round_row(&[0.0, f32::INFINITY, 1.0, 2.0], &mut out, &mut scales);
        assert!(scales[0].is_infinite());
    }
}
