//! Backward of the root-mean-square norm of operands: each head of queries and keys has its own.
//!
//! Its forward is that of [`norm`](super::norm).
//!
//! # Source
//! Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019; `q_norm` and `k_norm` of transformers' Qwen3.

use crate::{
    simd::{element::Element, vectorised},
    threads::parallel,
};

/// Partial sums of a sum.
const LANES: usize = 16;

/// Sum of `value(index)` over `count` indices, in 16 interleaved partial sums.
#[inline(always)]
fn sum16(count: usize, value: impl Fn(usize) -> f32) -> f32 {
    let mut sums = [0.0f32; LANES];
    let whole = count / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += value(start + lane);
        }
    }
    for index in whole..count {
        sums[index - whole] += value(index);
    }
    sums.iter().sum()
}

/// Replaces the gradient of the output by that of the input.
///
/// With x the input row, r its reciprocal root mean square, g the gain and d the output's gradient:
/// `r·g∘d − x·r³·mean(g∘d∘x)`.
///
/// # Shapes
/// `input`, `gradient`: `[rows, width]`; `gain`: `[width]`; `rstd`: `[rows]`, from the forward.
pub fn backward<E: Element>(input: &[E], gain: &[f32], rstd: &[f32], gradient: &mut [E]) {
    let (width, rows) = (gain.len(), rstd.len());
    assert!(input.len() == rows * width && gradient.len() == input.len(), "shapes of a head norm's backward");
    parallel::for_each_chunk(gradient, parallel::rows_per_task(width) * width, |first, gradient| {
        let rstd = &rstd[first / width..][..gradient.len() / width];
        backward_rows(&input[first..][..gradient.len()], gain, rstd, gradient);
    });
}

vectorised! {
    fn backward_rows<E: Element>(input: &[E], gain: &[f32], rstd: &[f32], gradient: &mut [E]) {
        let width = gain.len();
        for ((input, gradient), &rstd) in input.chunks_exact(width).zip(gradient.chunks_exact_mut(width)).zip(rstd) {
            let products = sum16(width, |index| input[index].to_f32() * gain[index] * gradient[index].to_f32());
            let shrink = rstd * rstd * rstd * (products / width as f32);
            for ((gradient, value), gain) in gradient.iter_mut().zip(input).zip(gain) {
                *gradient = E::from_f32(rstd * gain * gradient.to_f32() - value.to_f32() * shrink);
            }
        }
    }
}

/// Adds the gradient of the gain: `Σ_rows d ∘ x · r`.
///
/// # Shapes
/// `input`, `out_gradient`: `[rows, width]`; `rstd`: `[rows]`; `gradient`: `[width]`.
pub fn gain_backward<E: Element>(input: &[E], rstd: &[f32], out_gradient: &[E], gradient: &mut [f32]) {
    let width = gradient.len();
    assert!(
        input.len() == rstd.len() * width && out_gradient.len() == input.len(),
        "shapes of a gain's gradient"
    );
    gain_rows(input, rstd, out_gradient, gradient);
}

vectorised! {
    fn gain_rows<E: Element>(input: &[E], rstd: &[f32], out_gradient: &[E], gradient: &mut [f32]) {
        let width = gradient.len();
        for ((input, out_gradient), &rstd) in input.chunks_exact(width).zip(out_gradient.chunks_exact(width)).zip(rstd) {
            for ((sum, value), out_gradient) in gradient.iter_mut().zip(input).zip(out_gradient) {
                *sum += value.to_f32() * rstd * out_gradient.to_f32();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::norm::forward;

    const ROWS: usize = 5;
    const WIDTH: usize = 24;
    const EPSILON: f32 = 1e-5;

    fn numbers(length: usize, seed: u64) -> Vec<f32> {
        let draw = |index| irtune_device::mix_key(&[seed, index as u64]) as u32;
        (0..length).map(|index| draw(index) as f32 / u32::MAX as f32 - 0.5).collect()
    }

    /// `Σ c ∘ norm(input)` in f64.
    fn loss(input: &[f32], gain: &[f32], c: &[f32]) -> f64 {
        let row = |row: usize| {
            let values = &input[row * WIDTH..][..WIDTH];
            let mean = values.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / WIDTH as f64;
            let rstd = 1.0 / (mean + f64::from(EPSILON)).sqrt();
            let terms = values.iter().zip(gain).zip(&c[row * WIDTH..]);
            terms.map(|((&x, &g), &c)| f64::from(x) * rstd * f64::from(g) * f64::from(c)).sum::<f64>()
        };
        (0..ROWS).map(row).sum()
    }

    #[test]
    fn it_is_its_formula_and_its_gradients_are_those_of_finite_differences() {
        let (input, gain, c) = (numbers(ROWS * WIDTH, 1), numbers(WIDTH, 2), numbers(ROWS * WIDTH, 3));
        let (mut out, mut rstd) = (vec![0.0; ROWS * WIDTH], vec![0.0; ROWS]);
        forward(&input, &gain, EPSILON, &mut out, &mut rstd);
        let found: f64 = out.iter().zip(&c).map(|(out, c)| f64::from(*out) * f64::from(*c)).sum();
        assert!((found - loss(&input, &gain, &c)).abs() < 1e-5);
        let mut gain_gradient = vec![1.0; WIDTH];
        gain_backward(&input, &rstd, &c, &mut gain_gradient);
        let mut gradient = c.clone();
        backward(&input, &gain, &rstd, &mut gradient);
        let slope = |values: &[f32], at: usize, loss: &dyn Fn(&[f32]) -> f64| {
            let ends = [-1.0f32 / 256.0, 1.0 / 256.0].map(|step| {
                let mut values = values.to_vec();
                values[at] += step;
                (f64::from(values[at]), loss(&values))
            });
            (ends[1].1 - ends[0].1) / (ends[1].0 - ends[0].0)
        };
        for (at, &found) in gradient.iter().enumerate() {
            let expected = slope(&input, at, &|input| loss(input, &gain, &c));
            assert!((f64::from(found) - expected).abs() < 1e-3, "{at}: {found} {expected}");
        }
        for (at, &found) in gain_gradient.iter().enumerate() {
            let expected = 1.0 + slope(&gain, at, &|gain| loss(&input, gain, &c));
            assert!((f64::from(found) - expected).abs() < 1e-3, "{at}: {found} {expected}");
        }
    }
}
