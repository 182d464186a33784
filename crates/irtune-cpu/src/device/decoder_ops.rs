use irtune_device::{
    Attention, AttentionGradients, AttentionInputs, AttentionOutputs, AttentionShape, BatchLayout,
    DecoderOps, FrozenMatrix, Gate, Norm, NormInput, RotaryTable, RowSet, Side, Slot,
};

use super::Cpu;
use crate::{
    attention,
    matrix::{Matrix, MatrixMut},
    ops::{cosine, gated, head_norm, norm, rotary, rows},
    simd::element::Element,
    threads::scratch,
};

fn views<'a, E: Element>(
    shape: &AttentionShape,
    inputs: &AttentionInputs<'a, Cpu<E>>,
) -> attention::Inputs<'a, E> {
    let (query_rows, key_rows, key_columns) = (shape.query_rows(), shape.key_rows(), shape.key_columns());
    attention::Inputs {
        queries: Matrix::new(inputs.queries, query_rows, shape.query_columns()),
        keys: Matrix::new(inputs.keys, key_rows, key_columns),
        values: Matrix::new(inputs.values, key_rows, key_columns),
    }
}

/// Sizes and segments for the kernels.
fn shape<'a, E: Element>(attention: &Attention<'a, Cpu<E>>) -> AttentionShape<'a> {
    let &Attention { heads, key_value_heads, head_size, scores, layout, queries } = attention;
    AttentionShape { heads, key_value_heads, head_size, scores, segments: layout.segments(queries) }
}

/// The gain of a norm, as it is stored.
pub(super) fn gain<'a, E: Element>(norm: &Norm<'a, Cpu<E>>) -> &'a [f32] {
    &norm.gain[norm.offset..][..norm.width]
}

/// Works with the gain of a norm, and what is added to it.
fn with_gain<E: Element>(norm: &Norm<Cpu<E>>, work: impl FnOnce(&[f32])) {
    let gain = gain(norm);
    if norm.plus == 0.0 {
        return work(gain);
    }
    scratch::with_shared(scratch::bytes::<f32>(norm.width), |mut arena| {
        let sums = arena.take::<f32>(norm.width);
        sums.iter_mut().zip(gain).for_each(|(sum, gain)| *sum = gain + norm.plus);
        work(sums);
    });
}

/// A norm's forward over the rows in use of buffers that may be longer.
fn norm_forward<E: Element, I: Element, O: Element>(
    norm: Norm<Cpu<E>>,
    input: &[I],
    rows: usize,
    out: &mut [O],
    rstd: &mut [f32],
) {
    let length = rows * norm.width;
    with_gain(&norm, |gain| {
        norm::forward(&input[..length], gain, norm.epsilon, &mut out[..length], &mut rstd[..rows]);
    });
}

/// A norm's backward over the rows in use of buffers that may be longer.
fn norm_backward<E: Element, I: Element>(
    norm: Norm<Cpu<E>>,
    input: NormInput<Cpu<E>, Vec<I>>,
    out_gradient: &[f32],
    gradient: &mut [f32],
) {
    let NormInput { values, rstd, rows } = input;
    let length = rows * norm.width;
    let gradient = &mut gradient[..length];
    with_gain(&norm, |gain| {
        norm::backward(&values[..length], gain, &rstd[..rows], &out_gradient[..length], gradient);
    });
}

impl<E: Element> DecoderOps for Cpu<E> {
    fn embed(&self, table: &FrozenMatrix, layout: &BatchLayout, factor: f32, out: &mut Vec<f32>) {
        rows::embed(&table.view(), &layout.tokens, factor, out);
    }

    fn add_positions(&self, table: &FrozenMatrix, layout: &BatchLayout, out: &mut Vec<f32>) {
        rows::add_embedded(&table.view(), &layout.positions, out);
    }

    fn gather(&self, input: &Vec<E>, width: usize, layout: &BatchLayout, out: &mut Vec<E>) {
        rows::gather(input, width, &layout.read, out);
    }

    fn scatter(&self, input: &Vec<E>, width: usize, layout: &BatchLayout, out: &mut Vec<E>) {
        let (read, rows) = (&layout.read, layout.positions.len());
        rows::scatter(&input[..read.len() * width], width, read, &mut out[..rows * width]);
    }

    fn gather_floats(&self, input: &Vec<f32>, width: usize, layout: &BatchLayout, out: &mut Vec<f32>) {
        rows::gather(input, width, &layout.read, out);
    }

    fn scatter_floats(&self, input: &Vec<f32>, width: usize, layout: &BatchLayout, out: &mut Vec<f32>) {
        let (read, rows) = (&layout.read, layout.positions.len());
        rows::scatter(&input[..read.len() * width], width, read, &mut out[..rows * width]);
    }

    fn add_rows(&self, input: &Vec<f32>, width: usize, layout: &BatchLayout, out: &mut Vec<f32>) {
        rows::add(&input[..layout.read.len() * width], width, &layout.read, out);
    }

    fn add_mean_cosine(
        &self,
        input: &Vec<f32>,
        output: &Vec<f32>,
        width: usize,
        layout: &BatchLayout,
        rows: RowSet,
        out: Slot<Self>,
    ) {
        out.scalars[out.at] += cosine::mean(input, output, width, layout, rows);
    }

    fn rms_norm(
        &self,
        norm: Norm<Self>,
        input: &Vec<f32>,
        rows: usize,
        out: &mut Vec<E>,
        rstd: &mut Vec<f32>,
    ) {
        norm_forward(norm, input, rows, out, rstd);
    }

    fn rms_norm_floats(
        &self,
        norm: Norm<Self>,
        input: &Vec<f32>,
        rows: usize,
        out: &mut Vec<f32>,
        rstd: &mut Vec<f32>,
    ) {
        norm_forward(norm, input, rows, out, rstd);
    }

    fn rms_norm_recompute(&self, norm: Norm<Self>, input: NormInput<Self, Vec<E>>, out: &mut Vec<E>) {
        let NormInput { values, rstd, rows } = input;
        let length = rows * norm.width;
        with_gain(&norm, |gain| {
            norm::recompute(&values[..length], gain, &rstd[..rows], &mut out[..length]);
        });
    }

    fn rms_norm_add(
        &self,
        norm: Norm<Self>,
        input: &Vec<f32>,
        rows: usize,
        out: &mut Vec<f32>,
        rstd: &mut Vec<f32>,
    ) {
        let length = rows * norm.width;
        with_gain(&norm, |gain| {
            norm::add(&input[..length], gain, norm.epsilon, &mut out[..length], &mut rstd[..rows]);
        });
    }

    fn add_scaled(&self, input: &Vec<f32>, factor: f32, length: usize, out: &mut Vec<f32>) {
        rows::add_scaled(&input[..length], factor, &mut out[..length]);
    }

    fn copy_operands(&self, input: &Vec<E>, length: usize, out: &mut Vec<E>) {
        out[..length].copy_from_slice(&input[..length]);
    }

    fn rms_norm_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Vec<E>>,
        out_gradient: &Vec<f32>,
        gradient: &mut Vec<f32>,
    ) {
        norm_backward(norm, input, out_gradient, gradient);
    }

    fn rms_norm_floats_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Vec<f32>>,
        out_gradient: &Vec<f32>,
        gradient: &mut Vec<f32>,
    ) {
        norm_backward(norm, input, out_gradient, gradient);
    }

    fn rms_norm_gain_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Vec<E>>,
        out_gradient: &Vec<f32>,
        gradient: &mut Vec<f32>,
        offset: usize,
    ) {
        let NormInput { values, rstd, rows } = input;
        let (length, gradient) = (rows * norm.width, &mut gradient[offset..][..norm.width]);
        norm::gain_backward(&values[..length], &rstd[..rows], &out_gradient[..length], gradient);
    }

    fn rms_norm_operands(
        &self,
        norm: Norm<Self>,
        input: &Vec<E>,
        rows: usize,
        out: &mut Vec<E>,
        rstd: &mut Vec<f32>,
    ) {
        norm_forward(norm, input, rows, out, rstd);
    }

    fn rms_norm_operands_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Vec<E>>,
        gradient: &mut Vec<E>,
    ) {
        let NormInput { values, rstd, rows } = input;
        let length = rows * norm.width;
        with_gain(&norm, |gain| {
            head_norm::backward(&values[..length], gain, &rstd[..rows], &mut gradient[..length]);
        });
    }

    fn rms_norm_operands_gain_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Vec<E>>,
        out_gradient: &Vec<E>,
        gradient: &mut Vec<f32>,
        offset: usize,
    ) {
        let NormInput { values, rstd, rows } = input;
        let (length, gradient) = (rows * norm.width, &mut gradient[offset..][..norm.width]);
        head_norm::gain_backward(&values[..length], &rstd[..rows], &out_gradient[..length], gradient);
    }

    fn rotary(
        &self,
        values: &mut Vec<E>,
        columns: usize,
        table: &RotaryTable,
        layout: &BatchLayout,
        rows: RowSet,
        side: Side,
    ) {
        let positions = layout.positions(rows);
        let values = MatrixMut::new(values, positions.len(), columns);
        match side {
            Side::Forward => rotary::forward(values, table, positions),
            Side::Backward => rotary::backward(values, table, positions),
        }
    }

    fn attention(
        &self,
        attention: Attention<Self>,
        inputs: &AttentionInputs<Self>,
        out: &mut Vec<E>,
        logsumexp: &mut Vec<f32>,
    ) {
        let shape = shape(&attention);
        let rows = shape.query_rows();
        let (out, logsumexp) =
            (&mut out[..rows * shape.query_columns()], &mut logsumexp[..rows * shape.heads]);
        attention::forward(&shape, &views(&shape, inputs), out, logsumexp);
    }

    fn attention_backward(
        &self,
        attention: Attention<Self>,
        inputs: &AttentionInputs<Self>,
        outputs: AttentionOutputs<Self>,
        out_gradient: &Vec<E>,
        gradients: AttentionGradients<Self>,
    ) {
        let shape = shape(&attention);
        let query_length = shape.query_rows() * shape.query_columns();
        let key_length = shape.key_rows() * shape.key_columns();
        let gradients = attention::Gradients {
            queries: &mut gradients.queries[..query_length],
            keys: &mut gradients.keys[..key_length],
            values: &mut gradients.values[..key_length],
            partial: gradients.partial,
        };
        let (out, out_gradient) = (&outputs.out[..query_length], &out_gradient[..query_length]);
        let logsumexp = &outputs.logsumexp[..shape.query_rows() * shape.heads];
        attention::backward(&shape, &views(&shape, inputs), out, logsumexp, out_gradient, gradients);
    }

    fn gated(&self, kind: Gate, gate: &Vec<E>, up: &Vec<E>, length: usize, out: &mut Vec<E>) {
        gated::forward(kind, &gate[..length], &up[..length], &mut out[..length]);
    }

    fn gated_backward(
        &self,
        kind: Gate,
        out_gradient: &Vec<E>,
        length: usize,
        gate: &mut Vec<E>,
        up: &mut Vec<E>,
    ) {
        gated::backward(kind, &out_gradient[..length], &mut gate[..length], &mut up[..length]);
    }
}
