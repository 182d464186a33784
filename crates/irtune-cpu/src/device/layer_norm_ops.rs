use irtune_device::{LayerNorm, LayerNormOps, Norm, NormInput};

use super::{Cpu, decoder_ops::gain};
use crate::{
    ops::{bias, layer_norm, norm},
    simd::element::Element,
};

fn parameters<'a, E: Element>(of: &LayerNorm<'a, Cpu<E>>) -> layer_norm::Parameters<'a> {
    let (bias, offset) = of.bias;
    let bias = &bias[offset..][..of.norm.width];
    layer_norm::Parameters { gain: gain(&of.norm), bias, epsilon: of.norm.epsilon }
}

/// The backward over the rows in use of buffers that may be longer.
fn backward<E: Element, I: Element>(
    norm: Norm<Cpu<E>>,
    input: NormInput<Cpu<E>, Vec<I>>,
    out_gradient: &[f32],
    gradient: &mut [f32],
) {
    let NormInput { values, rstd, rows } = input;
    let length = rows * norm.width;
    let gradient = &mut gradient[..length];
    layer_norm::backward(&values[..length], gain(&norm), &rstd[..rows], &out_gradient[..length], gradient);
}

impl<E: Element> LayerNormOps for Cpu<E> {
    fn layer_norm(
        &self,
        norm: LayerNorm<Self>,
        input: &Vec<f32>,
        rows: usize,
        kept: Option<&mut Vec<E>>,
        out: &mut Vec<E>,
        rstd: &mut Vec<f32>,
    ) {
        let length = rows * norm.norm.width;
        let (kept, out) = (kept.map(|kept| &mut kept[..length]), &mut out[..length]);
        layer_norm::forward(&input[..length], &parameters(&norm), kept, out, &mut rstd[..rows]);
    }

    fn layer_norm_floats(
        &self,
        norm: LayerNorm<Self>,
        input: &Vec<f32>,
        rows: usize,
        out: &mut Vec<f32>,
        rstd: &mut Vec<f32>,
    ) {
        let length = rows * norm.norm.width;
        let (kept, out) = (None::<&mut [f32]>, &mut out[..length]);
        layer_norm::forward(&input[..length], &parameters(&norm), kept, out, &mut rstd[..rows]);
    }

    fn layer_norm_recompute(&self, norm: LayerNorm<Self>, kept: NormInput<Self, Vec<E>>, out: &mut Vec<E>) {
        let NormInput { values, rstd, rows } = kept;
        let length = rows * norm.norm.width;
        layer_norm::recompute(&values[..length], &parameters(&norm), &rstd[..rows], &mut out[..length]);
    }

    fn layer_norm_backward(
        &self,
        norm: Norm<Self>,
        kept: NormInput<Self, Vec<E>>,
        out_gradient: &Vec<f32>,
        gradient: &mut Vec<f32>,
    ) {
        backward(norm, kept, out_gradient, gradient);
    }

    fn layer_norm_floats_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Vec<f32>>,
        out_gradient: &Vec<f32>,
        gradient: &mut Vec<f32>,
    ) {
        backward(norm, input, out_gradient, gradient);
    }

    fn layer_norm_parameters_backward(
        &self,
        kept: NormInput<Self, Vec<E>>,
        width: usize,
        out_gradient: &Vec<f32>,
        gradient: &mut Vec<f32>,
        [gain, bias_at]: [usize; 2],
    ) {
        let NormInput { values, rstd, rows } = kept;
        let (values, out_gradient) = (&values[..rows * width], &out_gradient[..rows * width]);
        norm::gain_backward(values, &rstd[..rows], out_gradient, &mut gradient[gain..][..width]);
        bias::add_column_sums(out_gradient, width, &mut gradient[bias_at..][..width]);
    }
}
