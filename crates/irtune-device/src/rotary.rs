//! Angles of the rotary position embedding.
//!
//! # Source
//! Su et al., "RoFormer", 2021, in transformers' layout: value j turns with value j + half, half being the number of
//! pairs that turn.

/// Cosines and sines of every position.
#[derive(Clone, Debug)]
pub struct RotaryTable {
    half: usize,
    /// Values of a head; those from `2 · half` on stay as they are.
    head_size: usize,
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
        Self { half, head_size: 2 * half, values }
    }

    /// The same for heads of which only the first `2 · half` values turn.
    ///
    /// # Panics
    /// When a head is narrower than that.
    pub fn of_heads(self, head_size: usize) -> Self {
        assert!(head_size >= 2 * self.half, "{} values turn of {head_size}", 2 * self.half);
        Self { head_size, ..self }
    }

    /// The same with cosines and sines times a factor.
    pub fn scaled(mut self, factor: f32) -> Self {
        if factor != 1.0 {
            self.values.iter_mut().for_each(|value| *value *= factor);
        }
        self
    }

    /// Positions the table reaches.
    pub fn positions(&self) -> usize {
        self.values.len() / (2 * self.half)
    }

    /// Values of a head.
    pub fn head_size(&self) -> usize {
        self.head_size
    }

    /// How many pairs of values turn.
    pub fn half(&self) -> usize {
        self.half
    }

    /// Cosines, then sines, of one position; `[2 · half]`.
    pub fn angles(&self, position: usize) -> &[f32] {
        &self.values[position * 2 * self.half..][..2 * self.half]
    }
}
