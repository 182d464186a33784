use irtune_device::{
    Activation, AdapterOps, BatchLayout, DoraMatrix, DoraNorms, DoraPlace, DoraScratch, MaskRef, Output,
    RowSet,
};

use super::{Cpu, gemm::mask_view};
use crate::{
    matrix::Matrix,
    ops::{activation, columns, direction, dropout, rows},
    simd::element::Element,
};

/// The parameters as a low-rank matrix beside a frozen one.
fn low_rank<'a, E: Element>(matrix: &DoraMatrix<'a, Cpu<E>>, squares: &'a [f32]) -> direction::Direction<'a> {
    let DoraPlace { a, b, rank, inputs, outputs, scaling, .. } = matrix.place;
    let (a, b) = (&matrix.values[a..][..rank * inputs], &matrix.values[b..][..rank * outputs]);
    direction::Direction { weight: matrix.frozen.view(), squares, a, b, scaling }
}

impl<E: Element> AdapterOps for Cpu<E> {
    fn draw_mask(
        &self,
        site: u64,
        layout: &BatchLayout,
        rows: RowSet,
        columns: usize,
        dropout: f32,
        out: &mut Vec<u32>,
    ) {
        let keys = layout.keys(rows);
        dropout::draw(site, keys, columns, dropout, &mut out[..keys.len() * columns.div_ceil(32)]);
    }

    fn apply_mask(&self, input: &Vec<E>, rows: usize, columns: usize, mask: MaskRef<Self>, out: &mut Vec<E>) {
        let length = rows * columns;
        dropout::apply(Matrix::new(input, rows, columns), mask_view(&mask, columns), &mut out[..length]);
    }

    fn subtract(&self, left: &Vec<E>, right: &Vec<E>, length: usize, out: &mut Vec<E>) {
        rows::subtract(&left[..length], &right[..length], &mut out[..length]);
    }

    fn scale_columns(
        &self,
        input: &Vec<E>,
        factors: Option<(&Vec<f32>, usize)>,
        addend: Option<&Vec<f32>>,
        rows: usize,
        columns: usize,
        out: Output<Self>,
    ) {
        let length = rows * columns;
        let factors = factors.map(|(values, offset)| &values[offset..][..columns]);
        match (out, addend) {
            (Output::Operands(out), addend) => {
                let addend = addend.map(|addend| &addend[..length]);
                columns::scale(&input[..length], factors, addend, columns, &mut out[..length]);
            }
            (Output::Add(out, offset), None) => {
                columns::add(&input[..length], factors, columns, &mut out[offset..][..length]);
            }
            (Output::Add(..) | Output::Store(_), _) => {
                panic!("scaled columns go to operands, or are added alone")
            }
        }
    }

    fn add_column_products(
        &self,
        left: &Vec<E>,
        right: &Vec<E>,
        rows: usize,
        columns: usize,
        out: &mut Vec<f32>,
        offset: usize,
    ) {
        let length = rows * columns;
        let out = &mut out[offset..][..columns];
        columns::add_products(&left[..length], &right[..length], columns, out);
    }

    fn activate(&self, activation: Activation, input: &Vec<E>, factor: f32, length: usize, out: &mut Vec<E>) {
        activation::forward(activation, &input[..length], factor, &mut out[..length]);
    }

    fn activate_backward(
        &self,
        activation: Activation,
        input: &Vec<E>,
        factor: f32,
        length: usize,
        gradient: &mut Vec<E>,
    ) {
        activation::backward(activation, &input[..length], factor, &mut gradient[..length]);
    }

    fn dora_norms(
        &self,
        matrix: DoraMatrix<Self>,
        norms: &mut DoraNorms<Self>,
        scratch: &mut DoraScratch<Self>,
    ) {
        let DoraPlace { magnitude, rank, outputs, .. } = matrix.place;
        let DoraNorms { squares, norms, factors, excess } = norms;
        let mut cross = direction::Cross {
            weight: &mut scratch.cross[..rank * outputs],
            own: &mut scratch.own[..rank * rank],
        };
        low_rank(&matrix, squares).norms(&mut cross, norms);
        direction::factors(norms, &matrix.values[magnitude..][..outputs], factors, excess);
    }

    fn dora_norms_backward(
        &self,
        matrix: DoraMatrix<Self>,
        norms: &DoraNorms<Self>,
        factor_gradient: &Vec<f32>,
        detached: bool,
        scratch: &mut DoraScratch<Self>,
        gradient: &mut Vec<f32>,
    ) {
        let DoraPlace { a, b, magnitude, rank, inputs, outputs, .. } = matrix.place;
        let DoraNorms { squares, norms, factors, .. } = norms;
        let factor_gradient = &factor_gradient[..outputs];
        let magnitudes = &mut gradient[magnitude..][..outputs];
        direction::magnitudes_backward(norms, factor_gradient, magnitudes);
        if detached {
            return;
        }
        let DoraScratch { cross, own, scaled, square, quotients } = scratch;
        let quotients = &mut quotients[..outputs];
        direction::quotients(norms, factors, factor_gradient, quotients);
        let mut cross =
            direction::Cross { weight: &mut cross[..rank * outputs], own: &mut own[..rank * rank] };
        let low_rank = low_rank(&matrix, squares);
        low_rank.cross(&mut cross);
        let (scaled, square) = (&mut scaled[..rank * outputs], &mut square[..rank * rank]);
        low_rank.b_backward(&cross, quotients, &mut gradient[b..][..rank * outputs]);
        low_rank.a_backward(quotients, scaled, square, &mut gradient[a..][..rank * inputs]);
    }
}
