//! The row norms that DoRA divides by: `‖w_j + s·b_j A‖` of a frozen matrix with a low-rank one added.
//!
//! The sum of both matrices is never made. Its norms follow from the frozen rows' norms and two small products,
//! `A Wᵀ` and `A Aᵀ`. All is f32.
//!
//! # Source
//! Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation", 2024, arXiv 2402.09353; PEFT `tuners/lora/dora.py`.

use irtune_device::WeightView;

use crate::{
    gemm::{Output, Term, gemm},
    matrix::{Matrix, MatrixMut},
    simd::vectorised,
};

/// A low-rank matrix `s · B A` beside a frozen one, with what is known of both.
#[derive(Debug)]
pub struct Direction<'a> {
    /// `W`, `[outputs, inputs]`.
    pub weight: WeightView<'a>,
    /// Squares of its rows' norms, `[outputs]`.
    pub squares: &'a [f32],
    /// `A`, `[rank, inputs]`.
    pub a: &'a [f32],
    /// `Bᵀ`, `[rank, outputs]`.
    pub b: &'a [f32],
    /// `s`
    pub scaling: f32,
}

/// Memory that the norms leave for their backward.
#[derive(Debug)]
pub struct Cross<'a> {
    /// `A Wᵀ`, `[rank, outputs]`.
    pub weight: &'a mut [f32],
    /// `A Aᵀ`, `[rank, rank]`.
    pub own: &'a mut [f32],
}

impl Direction<'_> {
    fn rank(&self) -> usize {
        self.a.len() / self.weight.columns
    }

    /// Computes [`Cross`].
    pub fn cross(&self, cross: &mut Cross) {
        let (rank, outputs, inputs) = (self.rank(), self.weight.rows, self.weight.columns);
        let a = || Matrix::new(self.a, rank, inputs);
        let out = MatrixMut::new(&mut *cross.weight, rank, outputs);
        gemm::<f32>(&[Term::forward(a(), self.weight)], 1.0, Output::Store(out));
        let out = MatrixMut::new(&mut *cross.own, rank, rank);
        gemm::<f32>(&[Term::forward(a(), WeightView::of(self.a, rank, inputs))], 1.0, Output::Store(out));
    }

    /// The norms of all rows: `‖w‖² + 2 s b·(A w) + s² b (A Aᵀ) bᵀ`, and the root; overwrites `cross`.
    ///
    /// # Shapes
    /// `norms`: `[outputs]`.
    pub fn norms(&self, cross: &mut Cross, norms: &mut [f32]) {
        let (rank, outputs) = (self.rank(), self.weight.rows);
        self.cross(cross);
        norms.copy_from_slice(self.squares);
        for row in 0..rank {
            let own = &cross.own[row * rank..][..rank];
            add_row(self.b, &cross.weight[row * outputs..][..outputs], own, row, self.scaling, norms);
        }
        norms.iter_mut().for_each(|norm| *norm = norm.max(0.0).sqrt());
    }

    /// Adds the gradient of `Bᵀ` through the norms: `s · q ∘ (W Aᵀ + s B A Aᵀ)`.
    ///
    /// The q are those of [`quotients`]: the gradient of `V = W + s B A` is `q ∘ V`.
    ///
    /// # Shapes
    /// `quotients`: `[outputs]`; `gradient`: `[rank, outputs]`.
    pub fn b_backward(&self, cross: &Cross, quotients: &[f32], gradient: &mut [f32]) {
        let (rank, outputs) = (self.rank(), self.weight.rows);
        for row in 0..rank {
            let range = row * outputs..(row + 1) * outputs;
            let (known, own) = (&cross.weight[range.clone()], &cross.own[row * rank..][..rank]);
            b_row(self.b, known, own, quotients, self.scaling, &mut gradient[range]);
        }
    }

    /// Adds the gradient of `A` through the norms: `s · (q ∘ B)ᵀ W + s² · (q ∘ B)ᵀ B A`.
    ///
    /// # Shapes
    /// `quotients`: `[outputs]`; `scaled`: memory of `[rank, outputs]`; `square`: of `[rank, rank]`; `gradient`:
    /// `[rank, inputs]`.
    pub fn a_backward(
        &self,
        quotients: &[f32],
        scaled: &mut [f32],
        square: &mut [f32],
        gradient: &mut [f32],
    ) {
        let (rank, outputs, inputs) = (self.rank(), self.weight.rows, self.weight.columns);
        for (row, scaled) in self.b.chunks_exact(outputs).zip(scaled.chunks_exact_mut(outputs)) {
            scale_row(row, quotients, scaled);
        }
        // (q ∘ B)ᵀ B with one s; the GEMM below brings the other.
        let scaled_b = || Matrix::new(&*scaled, rank, outputs);
        let out = MatrixMut::new(&mut *square, rank, rank);
        let b = WeightView::of(self.b, rank, outputs);
        gemm::<f32>(&[Term::forward(scaled_b(), b)], self.scaling, Output::Store(out));
        let terms = [
            Term::backward(scaled_b(), self.weight),
            Term::backward(Matrix::new(&*square, rank, rank), WeightView::of(self.a, rank, inputs)),
        ];
        let out = MatrixMut::new(gradient, rank, inputs);
        gemm::<f32>(&terms, self.scaling, Output::Add(out));
    }
}

/// `factors = magnitudes / norms`, 1 where a norm is 0, and `excess = factors − 1`; all `[outputs]`.
pub fn factors(norms: &[f32], magnitudes: &[f32], factors: &mut [f32], excess: &mut [f32]) {
    let pairs = norms.iter().zip(magnitudes).zip(factors.iter_mut().zip(excess));
    for ((&norm, &magnitude), (factor, excess)) in pairs {
        *factor = if norm == 0.0 { 1.0 } else { magnitude / norm };
        *excess = *factor - 1.0;
    }
}

/// Adds the magnitudes' gradient, given that of the factors; all `[outputs]`.
pub fn magnitudes_backward(norms: &[f32], factor_gradient: &[f32], gradient: &mut [f32]) {
    for ((&norm, &factor_gradient), gradient) in norms.iter().zip(factor_gradient).zip(gradient) {
        *gradient += if norm == 0.0 { 0.0 } else { factor_gradient / norm };
    }
}

/// The gradient of each norm through its factor, over the norm; all `[outputs]`.
pub fn quotients(norms: &[f32], factors: &[f32], factor_gradient: &[f32], out: &mut [f32]) {
    for (((&norm, &factor), &factor_gradient), out) in norms.iter().zip(factors).zip(factor_gradient).zip(out)
    {
        *out = if norm == 0.0 { 0.0 } else { -factor_gradient * factor / (norm * norm) };
    }
}

vectorised! {
    /// Adds one row's share of the squares: `b_r · (2 s · cross_r + s² Σ_l own_rl b_l)`.
    fn add_row(b: &[f32], cross: &[f32], own: &[f32], row: usize, scaling: f32, squares: &mut [f32]) {
        let outputs = squares.len();
        let this = &b[row * outputs..][..outputs];
        for ((square, &b), &cross) in squares.iter_mut().zip(this).zip(cross) {
            *square += 2.0 * scaling * b * cross;
        }
        for (other, &own) in b.chunks_exact(outputs).zip(own) {
            let factor = scaling * scaling * own;
            for ((square, &b), &other) in squares.iter_mut().zip(this).zip(other) {
                *square += factor * b * other;
            }
        }
    }
}

vectorised! {
    /// Adds `s · q ∘ (cross + s Σ_l own_l b_l)`.
    fn b_row(b: &[f32], cross: &[f32], own: &[f32], quotients: &[f32], scaling: f32, gradient: &mut [f32]) {
        let outputs = gradient.len();
        for ((gradient, &cross), &quotient) in gradient.iter_mut().zip(cross).zip(quotients) {
            *gradient += scaling * quotient * cross;
        }
        for (other, &own) in b.chunks_exact(outputs).zip(own) {
            let factor = scaling * scaling * own;
            for ((gradient, &other), &quotient) in gradient.iter_mut().zip(other).zip(quotients) {
                *gradient += factor * quotient * other;
            }
        }
    }
}

vectorised! {
    fn scale_row(row: &[f32], factors: &[f32], out: &mut [f32]) {
        for ((out, value), factor) in out.iter_mut().zip(row).zip(factors) {
            *out = value * factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANK: usize = 3;
    const OUTPUTS: usize = 37;
    const INPUTS: usize = 21;
    const SCALING: f32 = 1.5;

    fn numbers(length: usize, seed: u64) -> Vec<f32> {
        let draw = |index| irtune_device::mix_key(&[seed, index as u64]) as u32;
        (0..length).map(|index| draw(index) as f32 / u32::MAX as f32 - 0.5).collect()
    }

    /// Every row's norm, from the sum itself in f64.
    fn slow(weight: &[f32], a: &[f32], b: &[f32]) -> Vec<f64> {
        let value = |row: usize, column: usize| {
            let products =
                (0..RANK).map(|k| f64::from(b[k * OUTPUTS + row]) * f64::from(a[k * INPUTS + column]));
            f64::from(weight[row * INPUTS + column]) + f64::from(SCALING) * products.sum::<f64>()
        };
        let norm = |row| (0..INPUTS).map(|column| value(row, column).powi(2)).sum::<f64>().sqrt();
        (0..OUTPUTS).map(norm).collect()
    }

    #[test]
    fn norms_and_their_gradients_are_those_of_the_sum() {
        crate::simd::at_every_level(|_| {
            let (weight, a, b) =
                (numbers(OUTPUTS * INPUTS, 1), numbers(RANK * INPUTS, 2), numbers(RANK * OUTPUTS, 3));
            let mut squares = vec![0.0; OUTPUTS];
            WeightView::of(&weight, OUTPUTS, INPUTS).row_squares(&mut squares);
            let direction = Direction {
                weight: WeightView::of(&weight, OUTPUTS, INPUTS),
                squares: &squares,
                a: &a,
                b: &b,
                scaling: SCALING,
            };
            let (mut known, mut own) = (vec![0.0; RANK * OUTPUTS], vec![0.0; RANK * RANK]);
            let mut cross = Cross { weight: &mut known, own: &mut own };
            let mut norms = vec![0.0; OUTPUTS];
            direction.norms(&mut cross, &mut norms);
            for (found, exact) in norms.iter().zip(slow(&weight, &a, &b)) {
                assert!((f64::from(*found) / exact - 1.0).abs() < 1e-6, "{found} {exact}");
            }

            // The loss is Σ c_j · norm_j; gradients by central differences of the slow norms, which are smooth.
            let c = numbers(OUTPUTS, 4);
            let quotients: Vec<f32> = c.iter().zip(&norms).map(|(c, norm)| c / norm).collect();
            let (mut da, mut db) = (vec![1.0; a.len()], vec![2.0; b.len()]);
            let (mut scaled, mut square) = (vec![0.0; RANK * OUTPUTS], vec![0.0; RANK * RANK]);
            direction.b_backward(&cross, &quotients, &mut db);
            direction.a_backward(&quotients, &mut scaled, &mut square, &mut da);
            let loss = |a: &[f32], b: &[f32]| -> f64 {
                slow(&weight, a, b).iter().zip(&c).map(|(norm, &c)| norm * f64::from(c)).sum()
            };
            let slope = |at: usize, of_a: bool| {
                let ends = [-1.0f32 / 128.0, 1.0 / 128.0].map(|step| {
                    let (mut a, mut b) = (a.clone(), b.clone());
                    let place = if of_a { &mut a[at] } else { &mut b[at] };
                    *place += step;
                    (f64::from(*place), loss(&a, &b))
                });
                (ends[1].1 - ends[0].1) / (ends[1].0 - ends[0].0)
            };
            for (at, &found) in da.iter().enumerate() {
                assert!((f64::from(found) - 1.0 - slope(at, true)).abs() < 1e-3, "A[{at}]: {found}");
            }
            for (at, &found) in db.iter().enumerate() {
                assert!((f64::from(found) - 2.0 - slope(at, false)).abs() < 1e-3, "B[{at}]: {found}");
            }
        });
    }

    #[test]
    fn factors_and_their_gradients_mind_a_norm_of_zero() {
        let (mut out, mut excess, mut gradient, mut quotient) = ([9.0; 2], [9.0; 2], [1.0; 2], [9.0; 2]);
        factors(&[2.0, 0.0], &[3.0, 4.0], &mut out, &mut excess);
        assert_eq!((out, excess), ([1.5, 1.0], [0.5, 0.0]));
        magnitudes_backward(&[2.0, 0.0], &[8.0, 8.0], &mut gradient);
        assert_eq!(gradient, [5.0, 1.0]);
        quotients(&[2.0, 0.0], &out, &[8.0, 8.0], &mut quotient);
        assert_eq!(quotient, [-3.0, 0.0]);
    }

    #[test]
    fn a_zero_b_leaves_the_norms_of_the_matrix_bit_for_bit() {
        crate::simd::at_every_level(|_| {
            let (weight, a) = (numbers(OUTPUTS * INPUTS, 1), numbers(RANK * INPUTS, 2));
            let b = vec![0.0; RANK * OUTPUTS];
            let mut squares = vec![0.0; OUTPUTS];
            WeightView::of(&weight, OUTPUTS, INPUTS).row_squares(&mut squares);
            let view = WeightView::of(&weight, OUTPUTS, INPUTS);
            let direction = Direction { weight: view, squares: &squares, a: &a, b: &b, scaling: SCALING };
            let (mut known, mut own) = (vec![0.0; RANK * OUTPUTS], vec![0.0; RANK * RANK]);
            let mut norms = vec![0.0; OUTPUTS];
            direction.norms(&mut Cross { weight: &mut known, own: &mut own }, &mut norms);
            let expected: Vec<f32> = squares.iter().map(|square| square.sqrt()).collect();
            assert_eq!(norms, expected);
        });
    }
}
