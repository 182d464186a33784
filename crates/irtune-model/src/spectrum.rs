//! Sizes of frozen matrices: norms, and how far their singular values stand out from noise.
//!
//! The values of a random matrix have singular values up to an edge that the Marchenko–Pastur law gives. With the
//! noise's deviation estimated from the quartiles of a matrix's own singular values, those above the edge
//! `(q₇₅ − q₂₅) / 1.349 · (1 + √β)`, β the shorter side over the longer, count as signal, the others as noise; the
//! ratio of their sums is divided by the largest, so that it does not depend on the matrix's scale alone.
//!
//! # Source
//! Hartford et al., "Spectrum", 2024, arXiv 2406.06623; `spectrum.py` of cognitivecomputations/spectrum, commit
//! 0ed1756.

use irtune_device::WeightView;
use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::{base::Base, error::ModelError};

/// L2 norm over all values of a matrix.
pub fn norm(weight: &WeightView) -> f64 {
    let mut row = vec![0.0; weight.columns];
    let squares = (0..weight.rows).map(|index| {
        weight.decode_row(index, &mut row);
        row.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>()
    });
    squares.sum::<f64>().sqrt()
}

/// The singular values of a matrix, ascending: roots of the eigenvalues of the product with its transpose, in f64.
pub fn singular_values(weight: &WeightView) -> Vec<f64> {
    let mut values = vec![0.0; weight.rows * weight.columns];
    values.chunks_mut(weight.columns).enumerate().for_each(|(row, out)| weight.decode_row(row, out));
    // What lies row by row is the transposed matrix in nalgebra's order; its singular values are the same.
    let matrix =
        DMatrix::from_iterator(weight.columns, weight.rows, values.iter().map(|&value| f64::from(value)));
    let product =
        if weight.columns < weight.rows { &matrix * matrix.transpose() } else { matrix.tr_mul(&matrix) };
    let mut singular: Vec<f64> =
        product.symmetric_eigenvalues().iter().map(|value| value.max(0.0).sqrt()).collect();
    singular.sort_unstable_by(f64::total_cmp);
    singular
}

/// The ratio of signal to noise of a matrix's singular values; as published, no noise counts as a noise of 1.
///
/// # Shapes
/// `ascending`: `[min(rows, columns)]`, from [`singular_values`].
pub fn signal_to_noise(ascending: &[f64], rows: usize, columns: usize) -> f64 {
    let Some(&largest) = ascending.last().filter(|largest| **largest > 0.0) else { return 0.0 };
    let deviation = (quantile(ascending, 0.75) - quantile(ascending, 0.25)) / 1.349;
    let (short, long) = (rows.min(columns) as f64, rows.max(columns) as f64);
    let edge = deviation * (1.0 + (short / long).sqrt());
    let (noise, signal) = ascending.split_at(ascending.partition_point(|&value| value <= edge));
    let noise = Some(noise.iter().sum::<f64>()).filter(|noise| *noise > 0.0).unwrap_or(1.0);
    signal.iter().sum::<f64>() / noise / largest
}

/// A quantile of ascending numbers, interpolated as torch does.
fn quantile(ascending: &[f64], share: f64) -> f64 {
    let place = share * (ascending.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(ascending.len() - 1);
    ascending[below] + (ascending[above] - ascending[below]) * place.fract()
}

/// Mean of the ratios of a layer's matrices.
///
/// # Errors
/// When the base lacks one.
pub(crate) fn layer_signal_to_noise(base: &Base, layer: usize) -> Result<f64, ModelError> {
    let projections = base.config.projections();
    let matrices =
        projections.map(|projection| base.weights.get(&base.config.family.weight_name(layer, projection)));
    let ratio = |weight: &WeightView| signal_to_noise(&singular_values(weight), weight.rows, weight.columns);
    let matrices: Vec<WeightView> = matrices.collect::<Result<_, _>>()?;
    let ratios: Vec<f64> = matrices.par_iter().map(ratio).collect();
    Ok(ratios.iter().sum::<f64>() / ratios.len() as f64)
}
