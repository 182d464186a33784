//! Quantised weights for tests.

use irtune_device::{Format, Side, WeightView};

use super::PanelRange;
use crate::gemm::tile::NR;

/// Any bytes are codes; scales are made small numbers, minima numbers of both signs.
fn bytes(format: Format, rows: usize, columns: usize) -> Vec<u8> {
    let length = format.block().1;
    let bytes = rows * format.row_bytes(columns).expect("whole blocks");
    let mut bytes: Vec<u8> = (0..bytes).map(|index| (index * 197 % 251) as u8).collect();
    for (index, block) in bytes.chunks_exact_mut(length).enumerate() {
        let scale = half::f16::from_f32(0.01 + 0.001 * (index % 13) as f32);
        let minimum = half::f16::from_f32(-0.1 + 0.01 * (index % 7) as f32);
        for (&place, number) in format.halves().iter().zip([scale, minimum]) {
            block[place..place + 2].copy_from_slice(&number.to_le_bytes());
        }
        match format {
            // The extremes of a block are there, as in files.
            Format::Q4_0 | Format::Q4_1 => block[length - 1] = 0xf0,
            Format::MXFP4 => block[0] = 110 + (index % 9) as u8,
            _ => {}
        }
    }
    bytes
}

/// Calls `work` with every panel of weights of several sizes in every quantised format, both sides.
pub(crate) fn each_range(mut work: impl FnMut(&WeightView, PanelRange)) {
    for format in Format::ALL.into_iter().filter(|format| format.is_self_contained()) {
        let sizes = match format.block().0 {
            1 => continue,
            32 => [(32, 64), (70, 96), (33, 160), (200, 32)],
            _ => [(32, 256), (70, 512), (33, 768), (200, 256)],
        };
        for (rows, columns) in sizes {
            let bytes = bytes(format, rows, columns);
            for interleaved_head in [None, Some(rows).filter(|rows| rows.is_multiple_of(2))] {
                let weight =
                    WeightView { format, rows, columns, bytes: &bytes, interleaved_head, scales: None };
                for (side, outputs, depth) in
                    [(Side::Forward, rows, columns), (Side::Backward, columns, rows)]
                {
                    for column in (0..outputs).step_by(NR) {
                        work(&weight, PanelRange { side, column, k: 0, depth });
                        if side == Side::Forward && depth > 192 {
                            // From the middle of a block of 256 on, and not to its end.
                            work(&weight, PanelRange { side, column, k: 64, depth: depth - 160 });
                        }
                    }
                }
            }
        }
    }
}
