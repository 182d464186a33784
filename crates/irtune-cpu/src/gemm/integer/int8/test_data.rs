//! Quantised rows and panels for tests.

use super::{
    GROUP, Int8PanelMut, K_PACK,
    quantise::{quantise_panel, quantise_row},
};
use crate::gemm::tile::NR;

/// Rows of A and a panel of B, quantised, and what they were.
pub(crate) struct Quantised {
    pub(crate) a_values: Vec<f32>,
    pub(crate) b_values: Vec<f32>,
    pub(crate) a: Vec<u8>,
    pub(crate) a_scales: Vec<f32>,
    pub(crate) b: Vec<i8>,
    pub(crate) b_scales: Vec<f32>,
    pub(crate) compensation: Vec<i32>,
}

impl Quantised {
    pub(crate) fn new(rows: usize, depth: usize) -> Self {
        let (padded, groups) = (depth.next_multiple_of(K_PACK), depth.div_ceil(GROUP));
        let a_values: Vec<f32> =
            (0..rows * depth).map(|i| (i as f32 * 0.37).sin() * (1.0 + i as f32)).collect();
        let (mut a, mut a_scales) = (vec![9; rows * padded], vec![0.0; rows * groups]);
        for row in 0..rows {
            let scales = &mut a_scales[row * groups..][..groups];
            quantise_row(&a_values[row * depth..][..depth], &mut a[row * padded..][..padded], scales);
        }
        let b_values: Vec<f32> = (0..depth * NR).map(|i| (i as f32 * 0.11).cos()).collect();
        let (mut b, mut b_scales) = (vec![9; padded * NR], vec![0.0; groups * NR]);
        let mut compensation = vec![9; groups * NR];
        let panel = Int8PanelMut { values: &mut b, scales: &mut b_scales, compensation: &mut compensation };
        quantise_panel(&b_values, panel);
        Self { a_values, b_values, a, a_scales, b, b_scales, compensation }
    }
}
