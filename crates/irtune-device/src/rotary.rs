//! Angles of the rotary position embedding.
//!
//! # Source
//! Su et al., "RoFormer", 2021, in transformers' layout: value j turns with value j + half the values that turn.

/// Cosines and sines of every position.
#[derive(Clone, Debug)]
pub struct RotaryTable {
    half: usize,
    head_size: usize,
    /// `[positions, 2 · half]`: cosines, then sines.
    values: Vec<f32>,
}

impl RotaryTable {
    /// For `positions` positions and the angular frequency of each pair of values, `[head_size / 2]`: of whole heads.
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

    /// The same with cosines and sines multiplied by a factor of their position.
    #[must_use]
    pub fn scaled(mut self, factor: impl Fn(usize) -> f32) -> Self {
        for (position, angles) in self.values.chunks_exact_mut(2 * self.half).enumerate() {
            let factor = factor(position);
            angles.iter_mut().for_each(|value| *value *= factor);
        }
        self
    }

    /// The same for the first values of larger heads, whose other values stay as they are.
    ///
    /// # Panics
    /// When the heads are smaller.
    #[must_use]
    pub fn of_heads(self, head_size: usize) -> Self {
        assert!(head_size >= 2 * self.half, "a head of {head_size} values has no {} pairs", self.half);
        Self { head_size, ..self }
    }

    /// Positions the table reaches.
    pub fn positions(&self) -> usize {
        self.values.len() / (2 * self.half)
    }

    /// Values of a head.
    pub fn head_size(&self) -> usize {
        self.head_size
    }

    /// How many pairs of a head's values turn.
    pub fn half(&self) -> usize {
        self.half
    }

    /// Cosines, then sines, of one position; `[2 · half]`.
    pub fn angles(&self, position: usize) -> &[f32] {
        &self.values[position * 2 * self.half..][..2 * self.half]
    }
}
