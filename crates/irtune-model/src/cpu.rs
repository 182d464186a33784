//! The first device: the processor, with bf16 or f32 operands.

use std::sync::Arc;

use arrayvec::ArrayVec;
use irtune_cpu::{
    Element, Matrix, MatrixMut, attention,
    gemm::{self, Integers},
    ops::{activation, adamw, columns, direction, dropout, loss, norm, rotary, rows, swiglu, token_loss},
    quant::weight,
};

use rayon::prelude::*;

use crate::{
    base::Base,
    device::{
        Activation, AdamW, AttentionGradients, AttentionInputs, AttentionShape, Device, Direction,
        DirectionMemory, DirectionPlace, HeadShape, LossOptions, LowRank, MaskRef, OptimizerSlices, Out,
        Right, RotaryTable, Side, Term,
    },
    weights::WeightError,
};

/// The processor as a [`Device`]; `E` is the precision of operands.
pub struct Cpu<E> {
    base: Arc<Base>,
    /// The integers that products with frozen matrices are made in.
    integers: Option<Integers>,
    element: std::marker::PhantomData<E>,
}

/// A frozen matrix: where the mapped file holds it.
pub struct FrozenMatrix {
    base: Arc<Base>,
    name: String,
}

impl FrozenMatrix {
    fn view(&self) -> weight::Weight<'_> {
        self.base.weights.get(&self.name).expect("looked up when the matrix was made")
    }
}

impl<E: Element> Cpu<E> {
    /// A device over the base's mapped weights; work runs on the current rayon pool.
    pub fn new(base: Arc<Base>) -> Self {
        Self { base, integers: None, element: std::marker::PhantomData }
    }

    /// The same, with products with frozen matrices in integers.
    pub fn with_integers(base: Arc<Base>, integers: Integers) -> Self {
        Self { integers: Some(integers), ..Self::new(base) }
    }

    fn view<'a>(right: &'a Right<Self>) -> weight::Weight<'a> {
        match right {
            Right::Frozen(matrix) | Right::Merged(matrix, _) => matrix.view(),
            Right::Trained { values, offset, rows, columns }
            | Right::Master { values, offset, rows, columns } => {
                weight::Weight::of(&values[*offset..], *rows, *columns)
            }
            Right::Operands(values, rows, columns) => weight::Weight::of(values, *rows, *columns),
        }
    }

    fn mask<'a>(mask: &MaskRef<'a, Self>, columns: usize) -> dropout::Mask<'a> {
        dropout::Mask { words: mask.words, words_a_row: columns.div_ceil(32), scale: mask.scale }
    }

    fn inputs<'a>(shape: &AttentionShape, inputs: &AttentionInputs<'a, Self>) -> attention::Inputs<'a, E> {
        let (query_rows, key_rows) = (shape.query_rows(), shape.key_rows());
        let key_columns = shape.key_value_heads * shape.head_size;
        attention::Inputs {
            queries: Matrix::new(inputs.queries, query_rows, shape.heads * shape.head_size),
            keys: Matrix::new(inputs.keys, key_rows, key_columns),
            values: Matrix::new(inputs.values, key_rows, key_columns),
        }
    }
}

/// A norm's backward over the rows in use of buffers that may be longer.
fn norm_backward<I: Element>(
    input: &[I],
    rows: usize,
    gain: &[f32],
    scales: &[f32],
    out_gradient: &[f32],
    gradient: &mut [f32],
) {
    let length = rows * gain.len();
    norm::backward(&input[..length], gain, &scales[..rows], &out_gradient[..length], &mut gradient[..length]);
}

/// Most summands a product has: three projections, each with as many as its adapter can bring.
const MOST_TERMS: usize = 9;

/// The parameters of `values` as a low-rank matrix beside a frozen one.
fn low_rank<'a>(
    frozen: &'a FrozenMatrix,
    place: DirectionPlace,
    values: &'a [f32],
    squares: &'a [f32],
) -> direction::Direction<'a> {
    let DirectionPlace { a, b, rank, inputs, outputs, scaling, .. } = place;
    let (a, b) = (&values[a..][..rank * inputs], &values[b..][..rank * outputs]);
    direction::Direction { weight: frozen.view(), squares, a, b, scaling }
}

impl<E: Element> Device for Cpu<E> {
    type Operands = Vec<E>;
    type Floats = Vec<f32>;
    type Words = Vec<u32>;
    type Weight = FrozenMatrix;
    type Merged = gemm::Prepacked;

    fn precision(&self) -> &'static str {
        self.integers.map_or(E::NAME, Integers::name)
    }

    fn operand_bytes(&self) -> usize {
        size_of::<E>()
    }

    fn weight(&self, name: &str) -> Result<FrozenMatrix, WeightError> {
        self.base.weights.get(name)?;
        Ok(FrozenMatrix { base: self.base.clone(), name: name.to_owned() })
    }

    fn merged_bytes(&self, outputs: usize, inputs: usize) -> Option<usize> {
        match self.integers {
            Some(Integers::Int8) => Some(gemm::Prepacked::int8_bytes(outputs, inputs)),
            None if gemm::Prepacked::has_bf16::<E>() => Some(gemm::Prepacked::bf16_bytes(outputs, inputs)),
            _ => None,
        }
    }

    fn merge(&self, weight: &FrozenMatrix, low_rank: Option<LowRank<Self>>) -> Option<gemm::Prepacked> {
        let view = weight.view();
        let low_rank = low_rank.map(|LowRank { values, a, b, rank, scaling }| gemm::LowRank {
            a: &values[a..][..rank * view.columns],
            b: &values[b..][..rank * view.rows],
            scale: scaling,
        });
        match self.integers {
            Some(_) => Some(gemm::Prepacked::int8(&view, low_rank)),
            // Packing to bf16 is little work.
            None => low_rank.map(|low_rank| gemm::Prepacked::bf16(&view, low_rank)),
        }
    }

    fn operands(&self, length: usize) -> Vec<E> {
        bytemuck::allocation::zeroed_vec(length)
    }

    fn floats(&self, length: usize) -> Vec<f32> {
        vec![0.0; length]
    }

    fn words(&self, length: usize) -> Vec<u32> {
        vec![0; length]
    }

    fn upload(&self, from: &[f32], to: &mut Vec<f32>, offset: usize) {
        to[offset..][..from.len()].copy_from_slice(from);
    }

    fn download(&self, from: &Vec<f32>, offset: usize, to: &mut [f32]) {
        to.copy_from_slice(&from[offset..][..to.len()]);
    }

    fn copy(&self, from: &Vec<f32>, to: &mut Vec<f32>, length: usize) {
        to[..length].copy_from_slice(&from[..length]);
    }

    fn copy_part(&self, from: &Vec<f32>, offset: usize, to: &mut Vec<f32>, length: usize) {
        to[..length].copy_from_slice(&from[offset..][..length]);
    }

    fn decode(&self, weight: &FrozenMatrix, to: &mut Vec<f32>, offset: usize) {
        let view = weight.view();
        let rows = to[offset..][..view.rows * view.columns].par_chunks_exact_mut(view.columns);
        rows.enumerate().for_each(|(row, out)| view.decode_row(row, out));
    }

    fn clear(&self, values: &mut Vec<f32>, offset: usize, length: usize) {
        values[offset..][..length].fill(0.0);
    }

    fn product(&self, terms: &[Term<Self>], scale: f32, rows: usize, columns: usize, out: Out<Self>) {
        let views: ArrayVec<gemm::Term<E>, MOST_TERMS> = terms
            .iter()
            .map(|term| {
                let b = Self::view(&term.right);
                let summed = if term.side == Side::Forward { b.columns } else { b.rows };
                let mask = term.mask.as_ref().map(|mask| Self::mask(mask, columns));
                let merged = if let Right::Merged(_, merged) = term.right { Some(merged) } else { None };
                let frozen =
                    matches!(term.right, Right::Frozen(_) | Right::Master { .. } | Right::Merged(..));
                let integers = self.integers.filter(|_| frozen);
                let a = Matrix::new(term.left, rows, summed);
                gemm::Term { a, b, side: term.side, mask, integers, prepacked: merged }
            })
            .collect();
        let length = rows * columns;
        let output = match out {
            Out::Operands(values) => gemm::Output::Operand(MatrixMut::new(values, rows, columns)),
            Out::Store(values) => gemm::Output::Store(MatrixMut::new(values, rows, columns)),
            Out::Add(values, offset) => {
                gemm::Output::Add(MatrixMut::new(&mut values[offset..][..length], rows, columns))
            }
        };
        gemm::gemm(&views, scale, output);
    }

    fn transpose(&self, input: &Vec<E>, row_count: usize, columns: usize, out: &mut Vec<E>) {
        let length = row_count * columns;
        rows::transpose(&input[..length], row_count, columns, &mut out[..length]);
    }

    fn round(&self, input: &Vec<f32>, length: usize, out: &mut Vec<E>) {
        rows::round(&input[..length], &mut out[..length]);
    }

    fn embed(&self, table: &FrozenMatrix, tokens: &[u32], out: &mut Vec<f32>) {
        rows::embed(&table.view(), tokens, out);
    }

    fn gather(&self, input: &Vec<E>, width: usize, indices: &[u32], out: &mut Vec<E>) {
        rows::gather(input, width, indices, out);
    }

    fn gather_floats(&self, input: &Vec<f32>, width: usize, indices: &[u32], out: &mut Vec<f32>) {
        rows::gather(input, width, indices, out);
    }

    fn scatter_floats(
        &self,
        input: &Vec<f32>,
        width: usize,
        indices: &[u32],
        count: usize,
        out: &mut Vec<f32>,
    ) {
        rows::scatter(&input[..indices.len() * width], width, indices, &mut out[..count * width]);
    }

    fn add_rows(&self, input: &Vec<f32>, width: usize, indices: &[u32], out: &mut Vec<f32>) {
        rows::add(&input[..indices.len() * width], width, indices, out);
    }

    fn rms_norm(
        &self,
        input: &Vec<f32>,
        rows: usize,
        gain: &Vec<f32>,
        epsilon: f32,
        out: &mut Vec<E>,
        scales: &mut Vec<f32>,
    ) {
        let length = rows * gain.len();
        norm::forward(&input[..length], gain, epsilon, &mut out[..length], &mut scales[..rows]);
    }

    fn rms_norm_floats(
        &self,
        input: &Vec<f32>,
        rows: usize,
        gain: &Vec<f32>,
        epsilon: f32,
        out: &mut Vec<f32>,
        scales: &mut Vec<f32>,
    ) {
        let length = rows * gain.len();
        norm::forward(&input[..length], gain, epsilon, &mut out[..length], &mut scales[..rows]);
    }

    fn rms_norm_again(
        &self,
        input: &Vec<E>,
        rows: usize,
        gain: &Vec<f32>,
        scales: &Vec<f32>,
        out: &mut Vec<E>,
    ) {
        let length = rows * gain.len();
        norm::again(&input[..length], gain, &scales[..rows], &mut out[..length]);
    }

    fn rms_norm_backward(
        &self,
        input: &Vec<E>,
        rows: usize,
        gain: &Vec<f32>,
        scales: &Vec<f32>,
        out_gradient: &Vec<f32>,
        gradient: &mut Vec<f32>,
    ) {
        norm_backward(input, rows, gain, scales, out_gradient, gradient);
    }

    fn rms_norm_floats_backward(
        &self,
        input: &Vec<f32>,
        rows: usize,
        gain: &Vec<f32>,
        scales: &Vec<f32>,
        out_gradient: &Vec<f32>,
        gradient: &mut Vec<f32>,
    ) {
        norm_backward(input, rows, gain, scales, out_gradient, gradient);
    }

    fn rms_norm_gain_backward(
        &self,
        input: &Vec<E>,
        rows: usize,
        width: usize,
        scales: &Vec<f32>,
        out_gradient: &Vec<f32>,
        gradient: &mut Vec<f32>,
        offset: usize,
    ) {
        let (input, out_gradient) = (&input[..rows * width], &out_gradient[..rows * width]);
        norm::gain_backward(input, &scales[..rows], out_gradient, &mut gradient[offset..][..width]);
    }

    fn rotary(&self, rows: &mut Vec<E>, columns: usize, table: &RotaryTable, positions: &[u32], side: Side) {
        let rows = MatrixMut::new(rows, positions.len(), columns);
        match side {
            Side::Forward => rotary::forward(rows, table, positions),
            Side::Backward => rotary::backward(rows, table, positions),
        }
    }

    fn attention(
        &self,
        shape: &AttentionShape,
        inputs: &AttentionInputs<Self>,
        out: &mut Vec<E>,
        log_sums: &mut Vec<f32>,
    ) {
        let rows = shape.query_rows();
        let out = &mut out[..rows * shape.heads * shape.head_size];
        attention::forward(shape, &Self::inputs(shape, inputs), out, &mut log_sums[..rows * shape.heads]);
    }

    fn attention_backward(
        &self,
        shape: &AttentionShape,
        inputs: &AttentionInputs<Self>,
        out: &Vec<E>,
        log_sums: &Vec<f32>,
        out_gradient: &Vec<E>,
        gradients: AttentionGradients<Self>,
    ) {
        let query_length = shape.query_rows() * shape.heads * shape.head_size;
        let key_length = shape.key_rows() * shape.key_value_heads * shape.head_size;
        let gradients = attention::Gradients {
            queries: &mut gradients.queries[..query_length],
            keys: &mut gradients.keys[..key_length],
            values: &mut gradients.values[..key_length],
            partial: gradients.partial,
        };
        let (out, out_gradient) = (&out[..query_length], &out_gradient[..query_length]);
        let log_sums = &log_sums[..shape.query_rows() * shape.heads];
        attention::backward(shape, &Self::inputs(shape, inputs), out, log_sums, out_gradient, gradients);
    }

    fn swiglu(&self, gate: &Vec<E>, up: &Vec<E>, length: usize, out: &mut Vec<E>) {
        swiglu::forward(&gate[..length], &up[..length], &mut out[..length]);
    }

    fn swiglu_backward(&self, out_gradient: &Vec<E>, length: usize, gate: &mut Vec<E>, up: &mut Vec<E>) {
        swiglu::backward(&out_gradient[..length], &mut gate[..length], &mut up[..length]);
    }

    fn draw_mask(&self, site: u64, row_keys: &[u64], columns: usize, dropout: f32, out: &mut Vec<u32>) {
        dropout::draw(site, row_keys, columns, dropout, &mut out[..row_keys.len() * columns.div_ceil(32)]);
    }

    fn apply_mask(&self, input: &Vec<E>, rows: usize, columns: usize, mask: MaskRef<Self>, out: &mut Vec<E>) {
        let length = rows * columns;
        dropout::apply(Matrix::new(input, rows, columns), Self::mask(&mask, columns), &mut out[..length]);
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
        out: Out<Self>,
    ) {
        let length = rows * columns;
        let factors = factors.map(|(values, offset)| &values[offset..][..columns]);
        match (out, addend) {
            (Out::Operands(out), addend) => {
                let addend = addend.map(|addend| &addend[..length]);
                columns::scale(&input[..length], factors, addend, columns, &mut out[..length]);
            }
            (Out::Add(out, offset), None) => {
                columns::add(&input[..length], factors, columns, &mut out[offset..][..length]);
            }
            (Out::Add(..) | Out::Store(_), _) => {
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

    fn direction(
        &self,
        frozen: &FrozenMatrix,
        place: DirectionPlace,
        values: &Vec<f32>,
        known: &mut Direction<Self>,
        memory: &mut DirectionMemory<Self>,
    ) {
        let DirectionPlace { magnitude, rank, outputs, .. } = place;
        let Direction { squares, norms, factors, excess } = known;
        let mut cross = direction::Cross {
            weight: &mut memory.cross[..rank * outputs],
            own: &mut memory.own[..rank * rank],
        };
        low_rank(frozen, place, values, squares).norms(&mut cross, norms);
        direction::factors(norms, &values[magnitude..][..outputs], factors, excess);
    }

    fn direction_backward(
        &self,
        frozen: &FrozenMatrix,
        place: DirectionPlace,
        values: &Vec<f32>,
        known: &Direction<Self>,
        factor_gradient: &Vec<f32>,
        detached: bool,
        memory: &mut DirectionMemory<Self>,
        gradient: &mut Vec<f32>,
    ) {
        let DirectionPlace { a, b, magnitude, rank, inputs, outputs, .. } = place;
        let Direction { squares, norms, factors, .. } = known;
        let factor_gradient = &factor_gradient[..outputs];
        let magnitudes = &mut gradient[magnitude..][..outputs];
        direction::magnitudes_backward(norms, factor_gradient, magnitudes);
        if detached {
            return;
        }
        let DirectionMemory { cross, own, scaled, square, quotients } = memory;
        let quotients = &mut quotients[..outputs];
        direction::quotients(norms, factors, factor_gradient, quotients);
        let mut cross =
            direction::Cross { weight: &mut cross[..rank * outputs], own: &mut own[..rank * rank] };
        let low_rank = low_rank(frozen, place, values, squares);
        low_rank.cross(&mut cross);
        let (scaled, square) = (&mut scaled[..rank * outputs], &mut square[..rank * rank]);
        low_rank.b_backward(&cross, quotients, &mut gradient[b..][..rank * outputs]);
        low_rank.a_backward(quotients, scaled, square, &mut gradient[a..][..rank * inputs]);
    }

    fn head(&self, pooled: &Vec<f32>, head: &Vec<f32>, shape: HeadShape, logits: &mut Vec<f32>) {
        let HeadShape { examples, width, labels } = shape;
        let term = gemm::Term::forward(
            Matrix::new(pooled, examples, width),
            weight::Weight::of(head.as_slice(), labels, width),
        );
        gemm::gemm(&[term], 1.0, gemm::Output::<f32>::Store(MatrixMut::new(logits, examples, labels)));
    }

    fn head_backward(
        &self,
        pooled: &Vec<f32>,
        head: &Vec<f32>,
        shape: HeadShape,
        logits_gradient: &Vec<f32>,
        pooled_gradient: &mut Vec<f32>,
        head_gradient: Option<&mut Vec<f32>>,
    ) {
        let HeadShape { examples, width, labels } = shape;
        let left = Matrix::new(logits_gradient.as_slice(), examples, labels);
        let term = gemm::Term::backward(left, weight::Weight::of(head.as_slice(), labels, width));
        let out = MatrixMut::new(pooled_gradient, examples, width);
        gemm::gemm(&[term], 1.0, gemm::Output::<f32>::Store(out));
        if let Some(head_gradient) = head_gradient {
            loss::add_outer(
                &logits_gradient[..examples * labels],
                &pooled[..examples * width],
                labels,
                width,
                head_gradient,
            );
        }
    }

    fn cross_entropy(
        &self,
        logits: &Vec<f32>,
        targets: &[u32],
        labels: usize,
        options: &LossOptions,
        factor: f64,
        gradient: &mut Vec<f32>,
    ) -> f64 {
        let length = targets.len() * labels;
        loss::cross_entropy(&logits[..length], targets, labels, options, factor, &mut gradient[..length])
    }

    fn log_sums(&self, logits: &Vec<f32>, columns: usize, out: &mut [f64]) {
        token_loss::log_sums(&logits[..out.len() * columns], columns, out);
    }

    fn token_gradient(
        &self,
        logits: &mut Vec<f32>,
        columns: usize,
        log_sums: &[f64],
        targets: &[u32],
        factors: &[f64],
    ) {
        let logits = &mut logits[..targets.len() * columns];
        token_loss::gradient(logits, columns, log_sums, targets, factors);
    }

    fn adamw(&self, settings: &AdamW, count: u64, state: OptimizerSlices<Self>) {
        let OptimizerSlices { values, gradient, first, second, from, length } = state;
        let range = from..from + length;
        let (values, gradient) = (&mut values[range.clone()], &gradient[range.clone()]);
        adamw::step(settings, count, values, gradient, &mut first[range.clone()], &mut second[range]);
    }

    fn sum_of_squares(&self, values: &Vec<f32>, offset: usize, length: usize) -> f64 {
        adamw::sum_of_squares(&values[offset..][..length])
    }

    fn scale(&self, values: &mut Vec<f32>, factor: f32) {
        adamw::scale(values, factor);
    }
}
