//! Four-bit weights for tests.

use irtune_device::{Format, Side, WeightView, weight::BLOCK};

use super::PanelRange;
use crate::{gemm::tile::NR, quant::four_bit::layout};

/// Any bytes are codes; scales are made small numbers, minima numbers of both signs.
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

/// Calls `work` with every panel of four-bit weights of several sizes, both sides.
pub(crate) fn each_range(mut work: impl FnMut(&WeightView, PanelRange)) {
    for format in [Format::Q4_0, Format::Q4_1] {
        for (rows, columns) in [(32, 64), (70, 96), (33, 160), (200, 32)] {
            let bytes = bytes(format, rows, columns);
            let weight = WeightView {
                format,
                rows,
                columns,
                bytes: &bytes,
                interleaved_head: None,
                transposed: false,
            };
            for (side, outputs, depth) in [(Side::Forward, rows, columns), (Side::Backward, columns, rows)] {
                for column in (0..outputs).step_by(NR) {
                    work(&weight, PanelRange { side, column, k: 0, depth });
                }
            }
        }
    }
}
