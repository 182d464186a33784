//! Weights drawn one after another.

/// A generator of weights; the order of the calls is a part of what it makes.
pub(super) struct Weights {
    state: u64,
    spread: f32,
}

impl Weights {
    pub(super) fn new(seed: u64, spread: f32) -> Self {
        Self { state: seed, spread }
    }

    /// The next `values`, around one for a norm and around zero for a matrix.
    pub(super) fn fill(&mut self, norm: bool, values: &mut [f32]) {
        let middle = if norm { 1.0 } else { 0.0 };
        for value in values {
            self.state =
                self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *value = middle + ((self.state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * self.spread;
        }
    }
}
