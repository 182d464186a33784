//! The microkernel in plain Rust: one that compilers vectorise, and the slow twin that all others are tested against.

use super::ARows;
use crate::{
    gemm::tile::{NR, Tile},
    simd::element::Element,
};

/// Adds f32 products: four rows × 16 columns at a time, which a compiler for any processor vectorises.
pub(super) fn add_f32(a: ARows<f32>, panel: &[f32], tile: &mut Tile) {
    let ARows { values, stride, rows, depth } = a;
    for first in (0..rows).step_by(4) {
        let count = 4.min(rows - first);
        let starts: [usize; 4] = std::array::from_fn(|row| (first + row.min(count - 1)) * stride);
        for half in [0, 16] {
            let mut sums = [[0.0f32; 16]; 4];
            for (k, line) in panel.chunks_exact(NR).take(depth).enumerate() {
                let columns: &[f32; 16] = line[half..half + 16].try_into().expect("half a line");
                for (sums, start) in sums.iter_mut().zip(starts) {
                    let value = values[start + k];
                    for (sum, &column) in sums.iter_mut().zip(columns) {
                        *sum += value * column;
                    }
                }
            }
            for (out, sums) in tile[first..first + count].iter_mut().zip(&sums) {
                for (out, sum) in out[half..half + 16].iter_mut().zip(sums) {
                    *out += sum;
                }
            }
        }
    }
}

/// The slow twin: adds one product at a time, in f32.
pub(super) fn add<E: Element>(a: ARows<E>, panel: &[E], tile: &mut Tile) {
    for (row, sums) in tile[..a.rows].iter_mut().enumerate() {
        for k in 0..a.depth {
            let value = a.values[row * a.stride + k].to_f32();
            let line = &panel[k / E::K_PACK * NR * E::K_PACK..];
            for (column, sum) in sums.iter_mut().enumerate() {
                *sum += value * line[column * E::K_PACK + k % E::K_PACK].to_f32();
            }
        }
    }
}
