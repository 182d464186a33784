//! How little a layer turns its input: cosines between its input and output rows.
//!
//! # Source
//! `CosineSimilarityTracker` of ZhexiongLiu/IR-Tuning, commit 0a44982, which counts padding as positions.

use irtune_device::{BatchLayout, RowSet};

use crate::threads::scratch;

/// What a product of lengths counts at least, as `torch.nn.functional.cosine_similarity` has it: rows of zeros, such as
/// the embedding of a padding token, have a cosine of 0.
const SHORTEST: f64 = 1e-8;

/// Mean over the batch's positions of the cosine between the sums over the examples of input and output rows there, in
/// f64.
///
/// # Shapes
/// `input`: `[tokens, width]`; `output`: `[rows of the set, width]`.
pub fn mean(input: &[f32], output: &[f32], width: usize, layout: &BatchLayout, rows: RowSet) -> f64 {
    let positions = layout.positions(rows);
    let reached = positions.iter().max().map_or(0, |&last| last as usize + 1);
    scratch::with(scratch::bytes::<f64>(2 * reached * width), |mut arena| {
        // At each position the sums of the inputs, then those of the outputs.
        let sums = arena.take::<f64>(2 * reached * width);
        sums.fill(0.0);
        for (row, &position) in positions.iter().enumerate() {
            let source = match rows {
                RowSet::All => row,
                RowSet::Read => layout.read[row] as usize,
            };
            let share = f64::from(layout.shares[source]);
            let (inputs, outputs) = sums[position as usize * 2 * width..][..2 * width].split_at_mut(width);
            for (sum, &value) in inputs.iter_mut().zip(&input[source * width..]) {
                *sum += share * f64::from(value);
            }
            for (sum, &value) in outputs.iter_mut().zip(&output[row * width..]) {
                *sum += share * f64::from(value);
            }
        }
        let (mut total, mut count) = (0.0, 0u32);
        for (position, sums) in sums.chunks_exact(2 * width).enumerate() {
            if positions.contains(&(position as u32)) {
                let (inputs, outputs) = sums.split_at(width);
                let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                let lengths = (dot(inputs, inputs) * dot(outputs, outputs)).sqrt();
                total += dot(inputs, outputs) / lengths.max(SHORTEST);
                count += 1;
            }
        }
        total / f64::from(count)
    })
}
