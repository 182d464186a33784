//! Root-mean-square norm (RMS norm), forward and backward.
//!
//! The forward keeps `rstd`, the reciprocal root mean square of each row, so that the backward reads a row once.
//!
//! # Source
//! Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019; `LlamaRMSNorm` of transformers.

use crate::{
    simd::{element::Element, vectorised},
    threads::{disjoint::DisjointSlice, parallel},
};

/// Partial sums of a sum.
pub(super) const LANES: usize = 16;

/// Sum of `f` over values, in interleaved partial sums.
#[inline(always)]
pub(super) fn sum_of<I: Element>(values: &[I], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for values in whole {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += f(value.to_f32());
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += f(value.to_f32());
    }
    sums.iter().sum()
}

/// Sum of the products of three rows of one length, in 16 interleaved partial sums.
#[inline(always)]
fn dot16<E: Element>(first: &[E], second: &[f32], third: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let ((firsts, first), (seconds, second), (thirds, third)) =
        (first.as_chunks::<16>(), second.as_chunks::<16>(), third.as_chunks::<16>());
    for ((first, second), third) in firsts.iter().zip(seconds).zip(thirds) {
        for lane in 0..16 {
            sums[lane] += first[lane].to_f32() * second[lane] * third[lane];
        }
    }
    for (((sum, first), second), third) in sums.iter_mut().zip(first).zip(second).zip(third) {
        *sum += first.to_f32() * second * third;
    }
    sums.iter().sum()
}

/// Divides each row by its root mean square and multiplies it by `gain`; `rstd` gets each row's reciprocal.
///
/// # Shapes
/// `input`, `out`: `[rows, width]`; `gain`: `[width]`; `rstd`: `[rows]`.
pub fn forward<I: Element, E: Element>(
    input: &[I],
    gain: &[f32],
    epsilon: f32,
    out: &mut [E],
    rstd: &mut [f32],
) {
    let width = gain.len();
    let rows = rstd.len();
    assert!(input.len() == rows * width && out.len() == input.len(), "shapes of a norm");
    let chunk = parallel::rows_per_task(width);
    let (out, rstd) = (DisjointSlice::new(out), DisjointSlice::new(rstd));
    parallel::for_each(rows.div_ceil(chunk), |task| {
        let first = task * chunk;
        let count = chunk.min(rows - first);
        // SAFETY: each task writes its own rows.
        let (out, rstd) = unsafe { (out.part(first * width, count * width), rstd.part(first, count)) };
        forward_rows(&input[first * width..][..count * width], gain, epsilon, out, rstd);
    });
}

vectorised! {
    fn forward_rows<I: Element, E: Element>(input: &[I], gain: &[f32], epsilon: f32, out: &mut [E], rstd: &mut [f32]) {
        let width = gain.len();
        for ((input, out), rstd) in input.chunks_exact(width).zip(out.chunks_exact_mut(width)).zip(rstd) {
            let mean = sum_of(input, |value| value * value) / width as f32;
            *rstd = 1.0 / (mean + epsilon).sqrt();
            for ((out, value), gain) in out.iter_mut().zip(input).zip(gain) {
                *out = E::from_f32(value.to_f32() * *rstd * gain);
            }
        }
    }
}

/// [`forward`] added to f32 values.
///
/// # Shapes
/// As for [`forward`].
pub fn add(input: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32], rstd: &mut [f32]) {
    let width = gain.len();
    let rows = rstd.len();
    assert!(input.len() == rows * width && out.len() == input.len(), "shapes of a norm");
    let chunk = parallel::rows_per_task(width);
    let (out, rstd) = (DisjointSlice::new(out), DisjointSlice::new(rstd));
    parallel::for_each(rows.div_ceil(chunk), |task| {
        let first = task * chunk;
        let count = chunk.min(rows - first);
        // SAFETY: each task writes its own rows.
        let (out, rstd) = unsafe { (out.part(first * width, count * width), rstd.part(first, count)) };
        add_rows(&input[first * width..][..count * width], gain, epsilon, out, rstd);
    });
}

vectorised! {
    fn add_rows(input: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32], rstd: &mut [f32]) {
        let width = gain.len();
        for ((input, out), rstd) in input.chunks_exact(width).zip(out.chunks_exact_mut(width)).zip(rstd) {
            let mean = sum_of(input, |value| value * value) / width as f32;
            *rstd = 1.0 / (mean + epsilon).sqrt();
            for ((out, value), gain) in out.iter_mut().zip(input).zip(gain) {
                *out += value * *rstd * gain;
            }
        }
    }
}

/// Recomputes the norm's output from a kept input and the forward's `rstd`.
///
/// # Shapes
/// `input`, `out`: `[rows, width]`; `gain`: `[width]`; `rstd`: `[rows]`, from the forward.
pub fn recompute<E: Element>(input: &[E], gain: &[f32], rstd: &[f32], out: &mut [E]) {
    let width = gain.len();
    let rows = rstd.len();
    assert!(input.len() == rows * width && out.len() == input.len(), "shapes of a norm");
    let chunk = parallel::rows_per_task(width);
    parallel::for_each_chunk(out, chunk * width, |first, out| {
        let rstd = &rstd[first / width..][..out.len() / width];
        recompute_rows(&input[first..][..out.len()], gain, rstd, out);
    });
}

vectorised! {
    fn recompute_rows<E: Element>(input: &[E], gain: &[f32], rstd: &[f32], out: &mut [E]) {
        let width = gain.len();
        for ((input, out), rstd) in input.chunks_exact(width).zip(out.chunks_exact_mut(width)).zip(rstd) {
            for ((out, value), gain) in out.iter_mut().zip(input).zip(gain) {
                *out = E::from_f32(value.to_f32() * *rstd * gain);
            }
        }
    }
}

/// Adds the norm's input gradient to `gradient`.
///
/// With x the input row, r its reciprocal root mean square, g the gain and d the output's gradient:
/// `r·g∘d − x·r³·mean(g∘d∘x)`.
///
/// # Shapes
/// `input` (as it was, or kept in another precision), `out_gradient`, `gradient`: `[rows, width]`; `gain`: `[width]`;
/// `rstd`: `[rows]`, from the forward.
pub fn backward<E: Element>(
    input: &[E],
    gain: &[f32],
    rstd: &[f32],
    out_gradient: &[f32],
    gradient: &mut [f32],
) {
    let width = gain.len();
    let rows = rstd.len();
    assert!(
        input.len() == rows * width && out_gradient.len() == input.len() && gradient.len() == input.len(),
        "shapes of a norm's backward"
    );
    let chunk = parallel::rows_per_task(width);
    parallel::for_each_chunk(gradient, chunk * width, |first, gradient| {
        let length = gradient.len();
        let rstd = &rstd[first / width..][..length / width];
        backward_rows(&input[first..][..length], gain, rstd, &out_gradient[first..][..length], gradient);
    });
}

vectorised! {
    fn backward_rows<E: Element>(input: &[E], gain: &[f32], rstd: &[f32], out_gradient: &[f32], gradient: &mut [f32]) {
        let width = gain.len();
        let rows = input.chunks_exact(width).zip(out_gradient.chunks_exact(width)).zip(gradient.chunks_exact_mut(width));
        for (((input, out_gradient), gradient), &rstd) in rows.zip(rstd) {
            let dot = dot16(input, gain, out_gradient);
            let pull = rstd * rstd * rstd * dot / width as f32;
            for (((gradient, value), out_gradient), gain) in gradient.iter_mut().zip(input).zip(out_gradient).zip(gain) {
                *gradient += rstd * gain * out_gradient - pull * value.to_f32();
            }
        }
    }
}

/// Adds the gain's gradient to `gradient`: `Σ rows d∘x·r`, in the names of [`backward`].
///
/// # Shapes
/// `input` (as it was, or kept in another precision), `out_gradient`: `[rows, width]`; `rstd`: `[rows]`, from the
/// forward; `gradient`: `[width]`.
pub fn gain_backward<E: Element>(input: &[E], rstd: &[f32], out_gradient: &[f32], gradient: &mut [f32]) {
    let (width, rows) = (gradient.len(), rstd.len());
    assert!(input.len() == rows * width && out_gradient.len() == input.len(), "shapes of a gain's gradient");
    parallel::for_each_chunk(gradient, COLUMNS, |first, gradient| {
        gain_columns(input, rstd, out_gradient, width, first, gradient);
    });
}

/// Columns that one task of [`gain_backward`] sums.
const COLUMNS: usize = 64;

vectorised! {
    fn gain_columns<E: Element>(input: &[E], rstd: &[f32], out_gradient: &[f32], width: usize, first: usize, gradient: &mut [f32]) {
        let mut sums = [0.0f32; COLUMNS];
        for (row, rstd) in rstd.iter().enumerate() {
            let start = row * width + first;
            let (input, out_gradient) = (&input[start..][..gradient.len()], &out_gradient[start..][..gradient.len()]);
            for ((sum, value), out_gradient) in sums.iter_mut().zip(input).zip(out_gradient) {
                *sum += out_gradient * (value.to_f32() * rstd);
            }
        }
        for (gradient, sum) in gradient.iter_mut().zip(sums) {
            *gradient += sum;
        }
    }
}
