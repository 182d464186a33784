//! One AdamW step, and sums of squares.
//!
//! # Source
//! Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019; `torch.optim.AdamW`.

use irtune_device::AdamW;

use crate::{
    simd::vectorised,
    threads::{disjoint::DisjointSlice, parallel},
};

/// Values of a task.
const CHUNK: usize = 32 * 1024;

/// Updates `values` and both moments; `count` is this parameter's number of steps, this one included.
///
/// # Shapes
/// All slices of one length.
pub fn step(
    settings: &AdamW,
    count: u64,
    values: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    let length = values.len();
    assert!(gradient.len() == length && first.len() == length && second.len() == length, "lengths of a step");
    let power = count.min(i32::MAX as u64) as i32;
    let scalars = Scalars {
        keep: (1.0 - settings.learning_rate * settings.weight_decay) as f32,
        beta1: settings.beta1 as f32,
        beta2: settings.beta2 as f32,
        rest1: (1.0 - settings.beta1) as f32,
        rest2: (1.0 - settings.beta2) as f32,
        step_size: (settings.learning_rate / (1.0 - settings.beta1.powi(power))) as f32,
        correction: (1.0 - settings.beta2.powi(power)).sqrt() as f32,
        epsilon: settings.epsilon as f32,
    };
    let (values, first, second) =
        (DisjointSlice::new(values), DisjointSlice::new(first), DisjointSlice::new(second));
    parallel::for_each(length.div_ceil(CHUNK), |task| {
        let start = task * CHUNK;
        let count = CHUNK.min(length - start);
        // SAFETY: each task writes its own range.
        let (values, first, second) =
            unsafe { (values.part(start, count), first.part(start, count), second.part(start, count)) };
        step_range(&scalars, values, &gradient[start..start + count], first, second);
    });
}

/// What every value of a step has in common.
struct Scalars {
    /// What weight decay leaves of a value.
    keep: f32,
    beta1: f32,
    beta2: f32,
    /// `1 − beta1`
    rest1: f32,
    /// `1 − beta2`
    rest2: f32,
    /// The learning rate, over the first moment's bias correction.
    step_size: f32,
    /// Root of the second moment's bias correction.
    correction: f32,
    epsilon: f32,
}

vectorised! {
    fn step_range(scalars: &Scalars, values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        for (((value, &gradient), first), second) in values.iter_mut().zip(gradient).zip(first).zip(second) {
            *first = scalars.beta1 * *first + scalars.rest1 * gradient;
            *second = scalars.beta2 * *second + scalars.rest2 * gradient * gradient;
            let denominator = second.sqrt() / scalars.correction + scalars.epsilon;
            *value = *value * scalars.keep - scalars.step_size * *first / denominator;
        }
    }
}

/// Sum of squares, in f64 over f32 partial sums of 4096 values; NaN and infinities carry through.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    values.chunks(4096).map(|chunk| f64::from(sum_range(chunk))).sum()
}

vectorised! {
    fn sum_range(values: &[f32]) -> f32 {
        let mut sums = [0.0f32; 32];
        for chunk in values.chunks(32) {
            for (sum, value) in sums.iter_mut().zip(chunk) {
                *sum += value * value;
            }
        }
        sums.iter().sum()
    }
}

/// Multiplies all values by `factor`.
pub fn scale(values: &mut [f32], factor: f32) {
    values.iter_mut().for_each(|value| *value *= factor);
}
