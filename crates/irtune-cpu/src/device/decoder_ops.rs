use irtune_device::{
    AttentionGradients, AttentionInputs, AttentionShape, DecoderOps, FrozenMatrix, Norm, NormInput,
    RotaryTable, Side,
};

use super::Cpu;
use crate::{
    attention,
    matrix::{Matrix, MatrixMut},
    ops::{head_norm, norm, rotary, rows, swiglu},
    simd::element::Element,
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

/// The gain of a norm.
fn gain<'a, E: Element>(norm: &Norm<'a, Cpu<E>>) -> &'a [f32] {
    &norm.gain[norm.offset..][..norm.width]
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
    norm::backward(&values[..length], gain(&norm), &rstd[..rows], &out_gradient[..length], gradient);
}

impl<E: Element> DecoderOps for Cpu<E> {
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
        norm: Norm<Self>,
        input: &Vec<f32>,
        rows: usize,
        out: &mut Vec<E>,
        rstd: &mut Vec<f32>,
    ) {
        let length = rows * norm.width;
        norm::forward(&input[..length], gain(&norm), norm.epsilon, &mut out[..length], &mut rstd[..rows]);
    }

    fn rms_norm_floats(
        &self,
        norm: Norm<Self>,
        input: &Vec<f32>,
        rows: usize,
        out: &mut Vec<f32>,
        rstd: &mut Vec<f32>,
    ) {
        let length = rows * norm.width;
        norm::forward(&input[..length], gain(&norm), norm.epsilon, &mut out[..length], &mut rstd[..rows]);
    }

    fn rms_norm_recompute(&self, norm: Norm<Self>, input: NormInput<Self, Vec<E>>, out: &mut Vec<E>) {
        let NormInput { values, rstd, rows } = input;
        let length = rows * norm.width;
        norm::recompute(&values[..length], gain(&norm), &rstd[..rows], &mut out[..length]);
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
        let length = rows * norm.width;
        let rstd = &mut rstd[..rows];
        norm::forward(&input[..length], gain(&norm), norm.epsilon, &mut out[..length], rstd);
    }

    fn rms_norm_operands_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Vec<E>>,
        gradient: &mut Vec<E>,
    ) {
        let NormInput { values, rstd, rows } = input;
        let length = rows * norm.width;
        head_norm::backward(&values[..length], gain(&norm), &rstd[..rows], &mut gradient[..length]);
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
        logsumexp: &mut Vec<f32>,
    ) {
        let rows = shape.query_rows();
        let out = &mut out[..rows * shape.heads * shape.head_size];
        attention::forward(shape, &views(shape, inputs), out, &mut logsumexp[..rows * shape.heads]);
    }

    fn attention_backward(
        &self,
        shape: &AttentionShape,
        inputs: &AttentionInputs<Self>,
        out: &Vec<E>,
        logsumexp: &Vec<f32>,
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
        let logsumexp = &logsumexp[..shape.query_rows() * shape.heads];
        attention::backward(shape, &views(shape, inputs), out, logsumexp, out_gradient, gradients);
    }

    fn swiglu(&self, gate: &Vec<E>, up: &Vec<E>, length: usize, out: &mut Vec<E>) {
        swiglu::forward(&gate[..length], &up[..length], &mut out[..length]);
    }

    fn swiglu_backward(&self, out_gradient: &Vec<E>, length: usize, gate: &mut Vec<E>, up: &mut Vec<E>) {
        swiglu::backward(&out_gradient[..length], &mut gate[..length], &mut up[..length]);
    }
}
