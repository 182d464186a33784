use irtune_device::{HeadShape, LossOptions, Losses, WeightView};

use super::Cpu;
use crate::{
    gemm,
    matrix::{Matrix, MatrixMut},
    ops::{loss, token_loss},
    simd::element::Element,
};

impl<E: Element> Losses for Cpu<E> {
    fn head(&self, pooled: &Vec<f32>, head: &Vec<f32>, shape: HeadShape, logits: &mut Vec<f32>) {
        let HeadShape { examples, width, labels } = shape;
        let term = gemm::Term::forward(
            Matrix::new(pooled, examples, width),
            WeightView::of(head.as_slice(), labels, width),
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
        let term = gemm::Term::backward(left, WeightView::of(head.as_slice(), labels, width));
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

    fn logsumexp(&self, logits: &Vec<f32>, columns: usize, out: &mut [f64]) {
        token_loss::logsumexp(&logits[..out.len() * columns], columns, out);
    }

    fn token_gradient(
        &self,
        logits: &mut Vec<f32>,
        columns: usize,
        logsumexp: &[f64],
        targets: &[u32],
        factors: &[f64],
    ) {
        let logits = &mut logits[..targets.len() * columns];
        token_loss::gradient(logits, columns, logsumexp, targets, factors);
    }
}
