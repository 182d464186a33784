//! Numbers for tests.

/// Numbers within ±1, without a pattern.
pub(super) fn values(count: usize, seed: u64) -> Vec<f32> {
    let uniform =
        |index: usize| irtune_device::mix_key(&[seed, index as u64]) as i32 as f32 / i32::MAX as f32;
    (0..count).map(uniform).collect()
}
