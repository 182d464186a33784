use arrayvec::ArrayVec;
use irtune_device::{
    BMatrix, Epilogue, FloatMatrix, FrozenMatrix, Gemm, LowRank, MaskRef, Output, Side, Term, WeightView,
};

use super::Cpu;
use crate::{
    gemm::{self, Integers, Prepacked},
    matrix::{Matrix, MatrixMut},
    ops::{bias, rows},
    simd::element::Element,
};

/// Most terms that a GEMM has: three projections, each with as many as its adapter can bring, and a bias.
const MOST_TERMS: usize = 10;

fn view<'a, E: Element>(matrix: &'a BMatrix<Cpu<E>>) -> WeightView<'a> {
    match matrix {
        BMatrix::Frozen(matrix) | BMatrix::Prepacked(matrix, _) => matrix.view(),
        BMatrix::Trained(matrix) | BMatrix::Master(matrix) => {
            let FloatMatrix { values, offset, rows, columns } = matrix;
            WeightView::of(&values[*offset..], *rows, *columns)
        }
        BMatrix::Operands(values, rows, columns) => WeightView::of(values, *rows, *columns),
    }
}

/// A mask's words with their layout.
pub(super) fn mask_view<'a, E: Element>(mask: &MaskRef<'a, Cpu<E>>, columns: usize) -> gemm::Mask<'a> {
    gemm::Mask { words: mask.words, words_a_row: columns.div_ceil(32), scale: mask.scale }
}

impl<E: Element> Gemm for Cpu<E> {
    fn gemm(
        &self,
        terms: &[Term<Self>],
        epilogue: Epilogue<Self>,
        rows: usize,
        columns: usize,
        out: Output<Self>,
    ) {
        // A bias is one more term: a column of ones times the bias as a row, summed in f32 with all others.
        let ones = epilogue.bias.map(|_| self.ones(rows));
        let mut views: ArrayVec<gemm::Term<E>, MOST_TERMS> = terms
            .iter()
            .map(|term| {
                let b = view(&term.b);
                let k = if term.side == Side::Forward { b.columns } else { b.rows };
                let mask = term.mask.as_ref().map(|mask| mask_view(mask, columns));
                let prepacked =
                    if let BMatrix::Prepacked(_, prepacked) = term.b { Some(prepacked) } else { None };
                let frozen =
                    matches!(term.b, BMatrix::Frozen(_) | BMatrix::Master(_) | BMatrix::Prepacked(..));
                let integers = self.integers.filter(|_| frozen);
                let a = Matrix::new(term.a, rows, k);
                gemm::Term { a, b, side: term.side, mask, integers, prepacked }
            })
            .collect();
        if let (Some((values, offset)), Some(ones)) = (epilogue.bias, &ones) {
            let bias = WeightView::of(&values[offset..], 1, columns);
            views.push(gemm::Term::backward(Matrix::new(ones, rows, 1), bias));
        }
        let length = rows * columns;
        let output = match out {
            Output::Operands(values) => gemm::Output::Operand(MatrixMut::new(values, rows, columns)),
            Output::Store(values) => gemm::Output::Store(MatrixMut::new(values, rows, columns)),
            Output::Add(values, offset) => {
                gemm::Output::Add(MatrixMut::new(&mut values[offset..][..length], rows, columns))
            }
        };
        gemm::gemm(&views, epilogue.scale, output);
    }

    fn prepacked_bytes(&self, outputs: usize, inputs: usize) -> Option<usize> {
        match self.integers {
            Some(Integers::Int8) => Some(Prepacked::int8_bytes(outputs, inputs)),
            None if Prepacked::has_bf16::<E>() => Some(Prepacked::bf16_bytes(outputs, inputs)),
            _ => None,
        }
    }

    fn prepack(&self, weight: &FrozenMatrix, low_rank: Option<LowRank<Self>>) -> Option<Prepacked> {
        let view = weight.view();
        let low_rank = low_rank.map(|LowRank { values, a, b, rank, scaling }| gemm::LowRank {
            a: &values[a..][..rank * view.columns],
            b: &values[b..][..rank * view.rows],
            scale: scaling,
        });
        match self.integers {
            Some(_) => Some(Prepacked::int8(&view, low_rank)),
            // Packing to bf16 is little work.
            None => low_rank.map(|low_rank| Prepacked::bf16(&view, low_rank)),
        }
    }

    fn transpose(&self, input: &Vec<E>, row_count: usize, columns: usize, out: &mut Vec<E>) {
        let length = row_count * columns;
        rows::transpose(&input[..length], row_count, columns, &mut out[..length]);
    }

    fn add_column_sums(
        &self,
        input: &Vec<E>,
        rows: usize,
        columns: usize,
        out: &mut Vec<f32>,
        offset: usize,
    ) {
        bias::add_column_sums(&input[..rows * columns], columns, &mut out[offset..][..columns]);
    }

    fn round(&self, input: &Vec<f32>, offset: usize, length: usize, out: &mut Vec<E>) {
        rows::round(&input[offset..][..length], &mut out[..length]);
    }
}
