use irtune_device::{AdamW, Optimizer, OptimizerSlices};

use super::Cpu;
use crate::{ops::adamw, simd::element::Element};

impl<E: Element> Optimizer for Cpu<E> {
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
