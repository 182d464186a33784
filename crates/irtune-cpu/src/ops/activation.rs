//! Activations of plain MLPs and of bottleneck adapters, forward and backward.
//!
//! # Source
//! `tanh`, `relu` and `gelu` (with the error function, and its approximation by tanh) of PyTorch. Tanh and the error function are those of
//! Cephes' `tanhf` and `erff`.

use irtune_device::Activation;

use crate::{
    simd::{element::Element, exponential::exp, vectorised},
    threads::parallel,
};

/// Values of a task.
const CHUNK: usize = 16 * 1024;

/// `out = factor · f(input)`
pub fn forward<E: Element>(activation: Activation, input: &[E], factor: f32, out: &mut [E]) {
    assert_eq!(input.len(), out.len(), "lengths of an activation");
    parallel::for_each_chunk(out, CHUNK, |first, out| {
        let input = &input[first..][..out.len()];
        match activation {
            Activation::Tanh => tanh_forward(input, factor, out),
            Activation::Relu => relu_forward(input, factor, out),
            Activation::Gelu => gelu_forward(input, factor, out),
            Activation::GeluTanh => gelu_tanh_forward(input, factor, out),
        }
    });
}

/// Replaces the gradient of the output by that of the input.
pub fn backward<E: Element>(activation: Activation, input: &[E], factor: f32, gradient: &mut [E]) {
    assert_eq!(input.len(), gradient.len(), "lengths of an activation's backward");
    parallel::for_each_chunk(gradient, CHUNK, |first, gradient| {
        let input = &input[first..][..gradient.len()];
        match activation {
            Activation::Tanh => tanh_backward(input, factor, gradient),
            Activation::Relu => relu_backward(input, factor, gradient),
            Activation::Gelu => gelu_backward(input, factor, gradient),
            Activation::GeluTanh => gelu_tanh_backward(input, factor, gradient),
        }
    });
}

vectorised! {
    fn tanh_forward<E: Element>(input: &[E], factor: f32, out: &mut [E]) {
        for (value, out) in input.iter().zip(out) {
            *out = E::from_f32(factor * tanh(value.to_f32()));
        }
    }
}

vectorised! {
    fn tanh_backward<E: Element>(input: &[E], factor: f32, gradient: &mut [E]) {
        for (value, gradient) in input.iter().zip(gradient) {
            let value = tanh(value.to_f32());
            *gradient = E::from_f32(gradient.to_f32() * factor * (1.0 - value * value));
        }
    }
}

vectorised! {
    fn relu_forward<E: Element>(input: &[E], factor: f32, out: &mut [E]) {
        for (value, out) in input.iter().zip(out) {
            let value = value.to_f32();
            *out = E::from_f32(factor * if value < 0.0 { 0.0 } else { value });
        }
    }
}

vectorised! {
    fn relu_backward<E: Element>(input: &[E], factor: f32, gradient: &mut [E]) {
        for (value, gradient) in input.iter().zip(gradient) {
            let slope = if value.to_f32() > 0.0 { factor } else { 0.0 };
            *gradient = E::from_f32(gradient.to_f32() * slope);
        }
    }
}

vectorised! {
    fn gelu_forward<E: Element>(input: &[E], factor: f32, out: &mut [E]) {
        for (value, out) in input.iter().zip(out) {
            let value = value.to_f32();
            *out = E::from_f32(factor * value * normal(value));
        }
    }
}

vectorised! {
    fn gelu_backward<E: Element>(input: &[E], factor: f32, gradient: &mut [E]) {
        const DENSITY: f32 = 0.398_942_3; // 1 / √(2π)
        for (value, gradient) in input.iter().zip(gradient) {
            let value = value.to_f32();
            let slope = normal(value) + value * DENSITY * exp::<false>(-0.5 * value * value);
            *gradient = E::from_f32(gradient.to_f32() * factor * slope);
        }
    }
}

vectorised! {
    fn gelu_tanh_forward<E: Element>(input: &[E], factor: f32, out: &mut [E]) {
        for (value, out) in input.iter().zip(out) {
            let value = value.to_f32();
            *out = E::from_f32(factor * value * gelu_gate(value).0);
        }
    }
}

vectorised! {
    fn gelu_tanh_backward<E: Element>(input: &[E], factor: f32, gradient: &mut [E]) {
        for (value, gradient) in input.iter().zip(gradient) {
            let value = value.to_f32();
            let (gate, slope) = gelu_gate(value);
            *gradient = E::from_f32(gradient.to_f32() * factor * (gate + value.clamp(-FLAT, FLAT) * slope));
        }
    }
}

/// Beyond it the gate of [`gelu_gate`] is 0 or 1 in f32, and its slope 0.
const FLAT: f32 = 10.0;

/// `(1 + tanh u) / 2` with `u = √(2/π) (x + 0.044715 x³)`, and its slope.
#[inline(always)]
fn gelu_gate(x: f32) -> (f32, f32) {
    const SCALE: f32 = 0.797_884_6; // √(2/π)
    const CUBE: f32 = 0.044_715;
    let x = x.clamp(-FLAT, FLAT);
    let turned = tanh(SCALE * (x + CUBE * x * x * x));
    let slope = 0.5 * (1.0 - turned * turned) * SCALE * (1.0 + 3.0 * CUBE * x * x);
    (0.5 * (1.0 + turned), slope)
}

/// `tanh x`, within 2 units in the last place.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let size = x.abs();
    let outer = (1.0 - 2.0 / (exp::<false>(2.0 * size) + 1.0)).copysign(x);
    let square = x * x;
    let mut inner = -5.704_988_7e-3;
    inner = inner * square + 2.063_909e-2;
    inner = inner * square - 5.373_971_6e-2;
    inner = inner * square + 0.133_314_42;
    inner = inner * square - 0.333_332_8;
    let inner = inner * square * x + x;
    if size < 0.625 { inner } else { outer }
}

/// `Φ(x) = (1 + erf(x / √2)) / 2`. The lower tail is computed by the complement, so that it loses no digits.
#[inline(always)]
fn normal(x: f32) -> f32 {
    let scaled = x * std::f32::consts::FRAC_1_SQRT_2;
    let size = scaled.abs();
    let tail = 0.5 * complement(size);
    let inner = 0.5 + 0.5 * small_error_function(scaled);
    let outer = if x < 0.0 { tail } else { 1.0 - tail };
    if size < 1.0 { inner } else { outer }
}

/// `erf x` for `|x| < 1`.
#[inline(always)]
fn small_error_function(x: f32) -> f32 {
    let square = x * x;
    let mut sum = 7.853_861e-5;
    sum = sum * square - 8.010_193_6e-4;
    sum = sum * square + 5.188_327_6e-3;
    sum = sum * square - 2.685_381_2e-2;
    sum = sum * square + 0.112_835_85;
    sum = sum * square - 0.376_126_26;
    sum = sum * square + std::f32::consts::FRAC_2_SQRT_PI;
    sum * x
}

/// `1 − erf x` for `x ≥ 1`.
#[inline(always)]
fn complement(x: f32) -> f32 {
    let inverse = 1.0 / x.max(1.0);
    let square = inverse * inverse;
    let mut near = 2.326_82e-2;
    near = near * square - 0.138_703_9;
    near = near * square + 0.368_742_47;
    near = near * square - 0.582_473_3;
    near = near * square + 0.621_000_5;
    near = near * square - 0.494_451_53;
    near = near * square + 0.340_488;
    near = near * square - 0.274_112_7;
    near = near * square + 0.563_825_96;
    let mut far = -10.477_664;
    far = far * square + 12.977_2;
    far = far * square - 7.495_519;
    far = far * square + 2.921_019;
    far = far * square - 1.015_265_2;
    far = far * square + 0.421_846_34;
    far = far * square - 0.282_076_78;
    far = far * square + 0.564_189_5;
    exp::<false>(-x * x) * inverse * if x < 2.0 { near } else { far }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error function by its series and, far out, its continued fraction, in f64.
    fn exact_normal(x: f64) -> f64 {
        let z = x.abs() / std::f64::consts::SQRT_2;
        let complement = if z < 3.0 {
            let (mut term, mut sum) = (z, z);
            for n in 1..200 {
                term *= -z * z / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            1.0 - sum * 2.0 / std::f64::consts::PI.sqrt()
        } else {
            let fraction = (1..100).rev().fold(0.0, |rest, k| f64::from(k) / 2.0 / (z + rest));
            (-z * z).exp() / (z + fraction) / std::f64::consts::PI.sqrt()
        };
        if x < 0.0 { complement / 2.0 } else { 1.0 - complement / 2.0 }
    }

    #[test]
    #[expect(clippy::disallowed_macros, reason = "tests print what they measure")]
    fn tanh_and_the_normal_distribution_are_close_to_the_exact_ones() {
        let (mut tanh_error, mut normal_error, mut tail_error) = (0.0f64, 0.0f64, 0.0f64);
        for step in -120_000..=120_000 {
            let x = step as f32 / 10_000.0;
            let exact = f64::from(x).tanh();
            if x != 0.0 {
                tanh_error = tanh_error.max(((f64::from(tanh(x)) - exact) / exact).abs());
            }
            let exact = exact_normal(f64::from(x));
            normal_error = normal_error.max((f64::from(normal(x)) - exact).abs());
            if x < -1.5 && x > -8.0 {
                tail_error = tail_error.max((f64::from(normal(x)) / exact - 1.0).abs());
            }
        }
        println!("tanh {tanh_error:.2e}, normal {normal_error:.2e}, its tail {tail_error:.2e}");
        assert!(tanh_error < 2.5e-7, "{tanh_error}");
        assert!(normal_error < 1.5e-7, "{normal_error}");
        assert!(tail_error < 1e-5, "{tail_error}");
    }

    #[test]
    fn extremes() {
        crate::simd::at_every_level(|_| {
            for activation in [Activation::Tanh, Activation::Relu, Activation::Gelu, Activation::GeluTanh] {
                let input = [0.0f32, 1e9, -1e9, f32::MAX, f32::MIN, f32::NAN];
                let (mut out, mut slopes) = ([0.0; 6], [1.0; 6]);
                forward(activation, &input, 1.0, &mut out);
                backward(activation, &input, 1.0, &mut slopes);
                let linear = activation != Activation::Tanh;
                let high = |x: f32| if linear { x } else { 1.0 };
                let low = if linear { 0.0 } else { -1.0 };
                assert_eq!(out[..5], [0.0, high(1e9), low, high(f32::MAX), low], "{activation:?}");
                assert!(out[5].is_nan() || activation == Activation::Relu, "{activation:?}");
                let high = if linear { 1.0 } else { 0.0 };
                let at_zero = match activation {
                    Activation::Tanh => 1.0,
                    Activation::Relu => 0.0,
                    Activation::Gelu | Activation::GeluTanh => 0.5,
                };
                assert_eq!(slopes[..5], [at_zero, high, 0.0, high, 0.0], "{activation:?}");
            }
        });
    }
}
