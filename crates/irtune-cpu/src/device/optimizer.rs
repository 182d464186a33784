use std::ops::Range;

use irtune_device::{AdamW, Optimizer, OptimizerState, Slot, Stretch};

use super::Cpu;
use crate::{ops::adamw, simd::element::Element};

impl<E: Element> Optimizer for Cpu<E> {
    fn adamw(&self, settings: &AdamW, count: u64, state: OptimizerState<Self>) {
        let OptimizerState { values, gradient, first, second, stretches } = state;
        for Stretch { range, rate } in stretches {
            let settings = AdamW { learning_rate: settings.learning_rate * f64::from(*rate), ..*settings };
            let (values, gradient) = (&mut values[range.clone()], &gradient[range.clone()]);
            let (first, second) = (&mut first[range.clone()], &mut second[range.clone()]);
            adamw::step(&settings, count, values, gradient, first, second);
        }
    }

    fn sums_of_squares(&self, values: &Vec<f32>, ranges: &[Range<usize>], out: Slot<Self>) {
        let out = out.scalars[out.at..].iter_mut();
        out.zip(ranges).for_each(|(out, range)| *out = adamw::sum_of_squares(&values[range.clone()]));
    }

    fn scale(&self, values: &mut Vec<f32>, factor: f32) {
        adamw::scale(values, factor);
    }
}
