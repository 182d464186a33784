use irtune_device::{BatchLayout, CrossEntropy, HeadShape, Losses, Pick, PickRows, Slot, WeightView};

use super::Cpu;
use crate::{
    gemm,
    matrix::{Matrix, MatrixMut},
    ops::{loss, pool, token_loss},
    simd::element::Element,
};

impl<E: Element> Losses for Cpu<E> {
    fn pool(&self, rows: &Vec<f32>, width: usize, layout: &BatchLayout, out: &mut Vec<f32>) {
        let pooling = &layout.pooling;
        let length = pooling.examples() * pooling.columns(width);
        pool::forward(&rows[..layout.read.len() * width], width, pooling, &mut out[..length]);
    }

    fn pool_backward(
        &self,
        out_gradient: &Vec<f32>,
        width: usize,
        layout: &BatchLayout,
        rows_gradient: &mut Vec<f32>,
    ) {
        let pooling = &layout.pooling;
        let length = pooling.examples() * pooling.columns(width);
        let rows_gradient = &mut rows_gradient[..layout.read.len() * width];
        pool::backward(&out_gradient[..length], width, pooling, rows_gradient);
    }

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
        loss: CrossEntropy<Self>,
        gradient: &mut Vec<f32>,
        out: Slot<Self>,
    ) {
        let CrossEntropy { layout, labels, options, factor } = loss;
        let targets = layout.targets();
        let length = targets.examples(labels) * labels;
        let (logits, gradient) = (&logits[..length], &mut gradient[..length]);
        out.scalars[out.at] = loss::cross_entropy(logits, targets, labels, options, factor, gradient);
    }

    fn cap(&self, logits: &mut Vec<f32>, length: usize, cap: f32) {
        token_loss::cap(&mut logits[..length], cap);
    }

    fn logsumexp(&self, logits: &Vec<f32>, rows: usize, columns: usize, out: &mut Vec<f64>) {
        token_loss::logsumexp(&logits[..rows * columns], columns, &mut out[..rows]);
    }

    fn pick(&self, logits: &Vec<f32>, logsumexp: &Vec<f64>, picks: PickRows<Self>, out: Slot<Self>) {
        let values = log_likelihoods(logits, logsumexp, &picks);
        let out = &mut out.scalars[out.at..][..picks.picks.len()];
        out.iter_mut().zip(values).for_each(|(out, (_, value))| *out = value);
    }

    fn token_loss(&self, logits: &Vec<f32>, logsumexp: &Vec<f64>, picks: PickRows<Self>, out: Slot<Self>) {
        for (pick, value) in log_likelihoods(logits, logsumexp, &picks) {
            out.scalars[out.at] -= pick.share * value;
        }
    }

    fn token_gradient(
        &self,
        logits: &mut Vec<f32>,
        logsumexp: &Vec<f64>,
        picks: PickRows<Self>,
        factor: f64,
    ) {
        let PickRows { layout, picks, first_row, columns, cap } = picks;
        let picks = &layout.picks[picks];
        let one_each = picks.iter().enumerate().all(|(row, pick)| pick.row as usize == first_row + row);
        assert!(one_each, "one token for each row");
        let (rows, logits) = (picks.len(), &mut logits[..picks.len() * columns]);
        token_loss::gradient(logits, columns, &logsumexp[..rows], picks, factor, cap);
    }
}

/// The picks with the log-likelihoods of their tokens.
fn log_likelihoods<'a, E: Element>(
    logits: &'a [f32],
    logsumexp: &'a [f64],
    picks: &PickRows<'a, Cpu<E>>,
) -> impl Iterator<Item = (&'a Pick, f64)> {
    let &PickRows { layout, ref picks, first_row, columns, .. } = picks;
    layout.picks[picks.clone()].iter().map(move |pick| {
        let row = pick.row as usize - first_row;
        (pick, f64::from(logits[row * columns + pick.token as usize]) - logsumexp[row])
    })
}
