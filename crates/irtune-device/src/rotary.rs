//! Angles of the rotary position embedding.
//!
//! # Source
//! Su et al., "RoFormer", 2021, in transformers' layout: value j turns with value j + head_size / 2.

/// Cosines and sines of every position.
#[derive(Clone, Debug)]
pub struct RotaryTable {
    half: usize,
    /// `[positions, 2 · half]`: cosines, then sines.
    values: Vec<f32>,
}

impl RotaryTable {
    /// For `positions` positions and the angular frequency of each pair of values, `[head_size / 2]`.
    pub fn new(frequencies: &[f32], positions: usize) -> Self {
        let half = frequencies.len();
        let mut values = Vec::with_capacity(positions * half * 2);
        for position in 0..positions {
            // transformers multiplies in f32 too; a different rounding would show at long distances.
            let angles = || frequencies.iter().map(|frequency| f64::from(position as f32 * frequency));
            values.extend(angles().map(|angle| angle.cos() as f32));
            values.extend(angles().map(|angle| angle.sin() as f32));
        }
        Self { half, values }
    }

    /// Positions the table reaches.
    pub fn positions(&self) -> usize {
        self.values.len() / (2 * self.half)
    }

    /// Half a head: how many pairs of values turn.
    pub fn half(&self) -> usize {
        self.half
    }

    /// Cosines, then sines, of one position; `[2 · half]`.
    pub fn angles(&self, position: usize) -> &[f32] {
        &self.values[position * 2 * self.half..][..2 * self.half]
    }
}
