//! Multiplies a tile in 8-bit integers.

use super::{GROUP, Int8Panel, Int8Rows, K_PACK};
use crate::{
    gemm::tile::{Accumulate, MR, NR, Tile},
    simd::vectorised,
};

/// Adds `a · b` to the first `rows` rows of `tile`, or writes it there.
#[inline]
pub(crate) fn multiply(rows: usize, a: &Int8Rows, b: &Int8Panel, accumulate: Accumulate, tile: &mut Tile) {
    let groups = a.depth.div_ceil(GROUP);
    assert!(rows <= MR && a.depth.is_multiple_of(K_PACK));
    assert!(rows == 0 || a.values.len() >= (rows - 1) * a.stride + a.depth);
    assert!(rows == 0 || a.scales.len() >= (rows - 1) * a.scales_stride + groups);
    assert!(b.values.len() >= a.depth * NR);
    assert!(b.scales.len() >= groups * NR && b.compensation.len() >= groups * NR);
    #[cfg(target_arch = "x86_64")]
    if crate::simd::level::has_vnni() {
        // SAFETY: the processor has the instructions, and every length is as asserted above.
        unsafe { super::vnni::tile(rows, a, b, accumulate, tile) };
        return;
    }
    accumulate.prepare(&mut tile[..rows]);
    add(rows, a, b, tile);
}

vectorised! {
    /// The slow twin, and the way of processors without VNNI. VNNI gives the same bits, but for what its fused
    /// multiply-adds round less.
    fn add(rows: usize, a: &Int8Rows, b: &Int8Panel, tile: &mut Tile) {
        for (row, out) in tile[..rows].iter_mut().enumerate() {
            let values = &a.values[row * a.stride..][..a.depth];
            let panels = b.values[..a.depth * NR].chunks(GROUP * NR);
            for (group, (values, panel)) in values.chunks(GROUP).zip(panels).enumerate() {
                let scale = a.scales[row * a.scales_stride + group];
                let mut sums: [i32; NR] = std::array::from_fn(|column| b.compensation[group * NR + column]);
                for (values, line) in values.chunks_exact(K_PACK).zip(panel.chunks_exact(K_PACK * NR)) {
                    let values: [i32; K_PACK] = std::array::from_fn(|lane| i32::from(values[lane]));
                    for (sum, column) in sums.iter_mut().zip(line.chunks_exact(K_PACK)) {
                        *sum += (0..K_PACK).map(|lane| values[lane] * i32::from(column[lane])).sum::<i32>();
                    }
                }
                let scales = &b.scales[group * NR..][..NR];
                for ((out, sum), column_scale) in out.iter_mut().zip(sums).zip(scales) {
                    *out += sum as f32 * column_scale * scale;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::integer::int8::test_data::Quantised;

    #[test]
    fn every_level_agrees_with_the_slow_twin() {
        crate::simd::at_every_level(|set| {
            for (rows, depth) in [(1, 3), (5, 31), (6, 64), (7, 511), (12, 512)] {
                let found = Quantised::new(rows, depth);
                let padded = depth.next_multiple_of(K_PACK);
                let a = Int8Rows {
                    values: &found.a,
                    stride: padded,
                    scales: &found.a_scales,
                    scales_stride: depth.div_ceil(GROUP),
                    depth: padded,
                };
                let b = Int8Panel {
                    values: &found.b,
                    scales: &found.b_scales,
                    compensation: &found.compensation,
                };
                let mut fast = [[0.5; NR]; MR];
                let mut slow = fast;
                multiply(rows, &a, &b, Accumulate::Onto, &mut fast);
                add(rows, &a, &b, &mut slow);
                for (row, (fast, slow)) in fast.iter().zip(&slow).enumerate() {
                    // A row's sums are as large as its values.
                    let size = 1e-6 * slow.iter().fold(1.0f32, |size, sum| size.max(sum.abs()));
                    for (fast, slow) in fast.iter().zip(slow) {
                        assert!(
                            (fast - slow).abs() <= size,
                            "{set:?} {row} of {rows}×{depth}: {fast} {slow}"
                        );
                    }
                }
            }
        });
    }
}
