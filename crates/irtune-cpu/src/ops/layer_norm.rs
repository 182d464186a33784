//! Layer norm, forward and backward.
//!
//! The forward leaves each row's reciprocal standard deviation, and where a backward follows the rows less their means.
//! The gain's gradient is that of an [RMS norm](super::norm::gain_backward) over these, the bias's the
//! [sums of columns](super::bias::add_column_sums) of the output's.
//!
//! # Source
//! Ba, Kiros & Hinton, "Layer Normalization", 2016; `torch.nn.LayerNorm`.

use super::norm::{LANES, sum_of};
use crate::{
    simd::{element::Element, vectorised},
    threads::{disjoint::DisjointSlice, parallel},
};

/// What a norm multiplies its rows by and adds to them, `[width]` each, and what is added to the variance.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// The gain.
    pub gain: &'a [f32],
    /// The bias.
    pub bias: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

/// Normalises each row; `kept` gets the rows less their means, `rstd` each row's reciprocal standard deviation.
///
/// # Shapes
/// `input`, `kept`, `out`: `[rows, width]`; `rstd`: `[rows]`.
pub fn forward<K: Element, E: Element>(
    input: &[f32],
    parameters: &Parameters,
    kept: Option<&mut [K]>,
    out: &mut [E],
    rstd: &mut [f32],
) {
    let (width, rows) = (parameters.gain.len(), rstd.len());
    assert!(input.len() == rows * width && out.len() == input.len(), "shapes of a layer norm");
    assert!(kept.as_ref().is_none_or(|kept| kept.len() == input.len()), "shapes of a layer norm");
    let chunk = parallel::rows_per_task(width);
    let (out, rstd, kept) = (DisjointSlice::new(out), DisjointSlice::new(rstd), kept.map(DisjointSlice::new));
    parallel::for_each(rows.div_ceil(chunk), |task| {
        let first = task * chunk;
        let count = chunk.min(rows - first);
        let (start, length) = (first * width, count * width);
        // SAFETY: each task writes its own rows.
        let (out, rstd) = unsafe { (out.part(start, length), rstd.part(first, count)) };
        // SAFETY: as above.
        let kept = kept.as_ref().map(|kept| unsafe { kept.part(start, length) });
        forward_rows(&input[start..][..length], parameters, kept, out, rstd);
    });
}

vectorised! {
    fn forward_rows<K: Element, E: Element>(input: &[f32], parameters: &Parameters, kept: Option<&mut [K]>, out: &mut [E], rstd: &mut [f32]) {
        let Parameters { gain, bias, epsilon } = *parameters;
        let width = gain.len();
        let mut kept = kept;
        for (index, ((input, out), rstd)) in input.chunks_exact(width).zip(out.chunks_exact_mut(width)).zip(rstd).enumerate() {
            let mean = sum_of(input, |value| value) / width as f32;
            let variance = sum_of(input, |value| (value - mean) * (value - mean)) / width as f32;
            *rstd = 1.0 / (variance + epsilon).sqrt();
            for (((out, value), gain), bias) in out.iter_mut().zip(input).zip(gain).zip(bias) {
                *out = E::from_f32((value - mean) * *rstd * gain + bias);
            }
            if let Some(kept) = &mut kept {
                for (kept, value) in kept[index * width..][..width].iter_mut().zip(input) {
                    *kept = K::from_f32(value - mean);
                }
            }
        }
    }
}

/// Recomputes the output from the kept rows and the forward's `rstd`.
///
/// # Shapes
/// As for [`forward`].
pub fn recompute<E: Element>(kept: &[E], parameters: &Parameters, rstd: &[f32], out: &mut [E]) {
    let (width, rows) = (parameters.gain.len(), rstd.len());
    assert!(kept.len() == rows * width && out.len() == kept.len(), "shapes of a layer norm");
    parallel::for_each_chunk(out, parallel::rows_per_task(width) * width, |first, out| {
        let rstd = &rstd[first / width..][..out.len() / width];
        recompute_rows(&kept[first..][..out.len()], parameters, rstd, out);
    });
}

vectorised! {
    fn recompute_rows<E: Element>(kept: &[E], parameters: &Parameters, rstd: &[f32], out: &mut [E]) {
        let Parameters { gain, bias, .. } = *parameters;
        let width = gain.len();
        for ((kept, out), rstd) in kept.chunks_exact(width).zip(out.chunks_exact_mut(width)).zip(rstd) {
            for (((out, value), gain), bias) in out.iter_mut().zip(kept).zip(gain).zip(bias) {
                *out = E::from_f32(value.to_f32() * rstd * gain + bias);
            }
        }
    }
}

/// Adds the input's gradient to `gradient`.
///
/// With x the input row less its mean, r its reciprocal standard deviation, g the gain and d the output's gradient:
/// `r·(g∘d − mean(g∘d)) − x·r³·mean(g∘d∘x)`.
///
/// # Shapes
/// `input` (as it was, or the kept rows), `out_gradient`, `gradient`: `[rows, width]`; `gain`: `[width]`; `rstd`:
/// `[rows]`, from the forward.
pub fn backward<I: Element>(
    input: &[I],
    gain: &[f32],
    rstd: &[f32],
    out_gradient: &[f32],
    gradient: &mut [f32],
) {
    let (width, rows) = (gain.len(), rstd.len());
    assert!(
        input.len() == rows * width && out_gradient.len() == input.len() && gradient.len() == input.len(),
        "shapes of a layer norm's backward"
    );
    parallel::for_each_chunk(gradient, parallel::rows_per_task(width) * width, |first, gradient| {
        let length = gradient.len();
        let rstd = &rstd[first / width..][..length / width];
        backward_rows(&input[first..][..length], gain, rstd, &out_gradient[first..][..length], gradient);
    });
}

vectorised! {
    fn backward_rows<I: Element>(input: &[I], gain: &[f32], rstd: &[f32], out_gradient: &[f32], gradient: &mut [f32]) {
        let width = gain.len();
        let rows = input.chunks_exact(width).zip(out_gradient.chunks_exact(width)).zip(gradient.chunks_exact_mut(width));
        for (((input, out_gradient), gradient), &rstd) in rows.zip(rstd) {
            let mean = sum_of(input, |value| value) / width as f32;
            let (mut plain, mut along) = ([0.0f32; LANES], [0.0f32; LANES]);
            for ((input, out_gradient), gain) in input.chunks(LANES).zip(out_gradient.chunks(LANES)).zip(gain.chunks(LANES)) {
                let sums = plain.iter_mut().zip(&mut along);
                for ((((plain, along), value), out_gradient), gain) in sums.zip(input).zip(out_gradient).zip(gain) {
                    let product = gain * out_gradient;
                    *plain += product;
                    *along += product * (value.to_f32() - mean);
                }
            }
            let shift = plain.iter().sum::<f32>() / width as f32;
            let pull = rstd * rstd * rstd * along.iter().sum::<f32>() / width as f32;
            for (((gradient, value), out_gradient), gain) in gradient.iter_mut().zip(input).zip(out_gradient).zip(gain) {
                *gradient += rstd * (gain * out_gradient - shift) - pull * (value.to_f32() - mean);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;
    use crate::{
        ops::{bias::add_column_sums, norm::gain_backward},
        simd::at_every_level,
    };

    const ROWS: usize = 5;
    const WIDTH: usize = 37;

    fn numbers(length: usize, seed: u64, shift: f32) -> Vec<f32> {
        let draw = |index| irtune_device::mix_key(&[seed, index as u64]) as u32;
        (0..length).map(|index| draw(index) as f32 / u32::MAX as f32 - 0.5 + shift).collect()
    }

    /// `Σ c ∘ norm(input)` in f64.
    fn loss(input: &[f32], gain: &[f32], bias: &[f32], c: &[f32]) -> f64 {
        let row = |(row, c): (&[f32], &[f32])| {
            let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / WIDTH as f64;
            let squares = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>();
            let rstd = 1.0 / (squares / WIDTH as f64 + 1e-5).sqrt();
            let normed = row.iter().zip(gain).zip(bias);
            let normed =
                normed.map(|((&x, &g), &b)| (f64::from(x) - mean) * rstd * f64::from(g) + f64::from(b));
            normed.zip(c).map(|(value, &c)| value * f64::from(c)).sum::<f64>()
        };
        input.chunks_exact(WIDTH).zip(c.chunks_exact(WIDTH)).map(row).sum()
    }

    #[test]
    fn it_is_its_formula_and_its_gradients_are_those_of_finite_differences() {
        at_every_level(|_| {
            let (input, c) = (numbers(ROWS * WIDTH, 1, 0.3), numbers(ROWS * WIDTH, 3, 0.0));
            let (gain, bias) = (numbers(WIDTH, 2, 1.0), numbers(WIDTH, 4, 0.0));
            let parameters = Parameters { gain: &gain, bias: &bias, epsilon: 1e-5 };
            let (mut out, mut kept) = (vec![0.0; ROWS * WIDTH], vec![0.0; ROWS * WIDTH]);
            let mut rstd = vec![0.0; ROWS];
            forward::<f32, f32>(&input, &parameters, Some(&mut kept), &mut out, &mut rstd);
            let found: f64 = out.iter().zip(&c).map(|(out, c)| f64::from(*out) * f64::from(*c)).sum();
            assert!((found - loss(&input, &gain, &bias, &c)).abs() < 1e-4, "{found}");
            let mut again = vec![0.0; ROWS * WIDTH];
            recompute(&kept, &parameters, &rstd, &mut again);
            assert!(out.iter().zip(&again).all(|(out, again)| (out - again).abs() < 1e-6));

            // What is there stays.
            let (mut from_input, mut from_kept) = (vec![1.0; ROWS * WIDTH], vec![1.0; ROWS * WIDTH]);
            backward(&input, &gain, &rstd, &c, &mut from_input);
            backward(&kept, &gain, &rstd, &c, &mut from_kept);
            let (mut gains, mut biases) = (vec![1.0; WIDTH], vec![1.0; WIDTH]);
            gain_backward(&kept, &rstd, &c, &mut gains);
            add_column_sums(&c, WIDTH, &mut biases);
            let slope = |values: &[f32], at: usize, of: &dyn Fn(&[f32]) -> f64| {
                let moved = |step: f32| {
                    let mut values = values.to_vec();
                    values[at] += step;
                    (values[at], of(&values))
                };
                let ((high, above), (low, below)) = (moved(1e-2), moved(-1e-2));
                (above - below) / f64::from(high - low)
            };
            for at in [0, WIDTH - 1, 2 * WIDTH + 17] {
                let expected = slope(&input, at, &|input| loss(input, &gain, &bias, &c));
                for found in [&from_input, &from_kept] {
                    assert!((f64::from(found[at]) - 1.0 - expected).abs() < 2e-3, "{} {expected}", found[at]);
                }
            }
            for at in [0, 20, WIDTH - 1] {
                let expected = slope(&gain, at, &|gain| loss(&input, gain, &bias, &c));
                assert!((f64::from(gains[at]) - 1.0 - expected).abs() < 1e-3, "{} {expected}", gains[at]);
                let expected = slope(&bias, at, &|bias| loss(&input, &gain, bias, &c));
                assert!((f64::from(biases[at]) - 1.0 - expected).abs() < 1e-3, "{} {expected}", biases[at]);
            }
        });
    }

    #[test]
    fn rows_far_from_zero_are_kept_in_16_bits_all_the_same() {
        let input = numbers(WIDTH, 1, 1000.0);
        let (gain, bias) = (vec![1.0; WIDTH], vec![0.0; WIDTH]);
        let parameters = Parameters { gain: &gain, bias: &bias, epsilon: 1e-5 };
        let (mut out, mut kept, mut rstd) = (vec![0.0; WIDTH], vec![bf16::ZERO; WIDTH], [0.0]);
        forward(&input, &parameters, Some(&mut kept), &mut out, &mut rstd);
        let mut again = vec![bf16::ZERO; WIDTH];
        recompute(&kept, &parameters, &rstd, &mut again);
        for (out, again) in out.iter().zip(&again) {
            assert!((out - again.to_f32()).abs() <= 0.008 * out.abs(), "{out} {again}");
        }
        // Without a backward nothing is kept, and the output is the same.
        let mut alone = vec![0.0; WIDTH];
        forward::<bf16, f32>(&input, &parameters, None, &mut alone, &mut rstd);
        assert_eq!(alone, out);
    }
}
