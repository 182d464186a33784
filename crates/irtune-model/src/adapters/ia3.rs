//! (IA)³: `y = l ∘ W x`, and for the MLP's way down `y = W (l ∘ x)`; every vector starts at ones.
//!
//! # Source
//! Liu et al. 2022, arXiv 2205.05638; PEFT `tuners/ia3/layer.py`, where the down projection is the "feedforward" one.

use arrayvec::ArrayVec;
use irtune_device::{Device, Epilogue, Output, Term};
use serde::{Deserialize, Serialize};

use super::{
    projection::Projection,
    site::{AdapterScratch, Call, Flow, INPUT_TERMS, SavedAdapter, ScaledPart, SiteGradients},
};
use crate::parameters::{
    entries::{Entries, Initial},
    group::Group,
};

/// A vector at every target module of every layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ia3Config {
    /// Adapted projections; order is kept.
    pub target_modules: Vec<Projection>,
}

impl Ia3Config {
    /// PEFT's choice for Llama: keys, values, and the input of the MLP's way down.
    pub const TARGETS: [Projection; 3] = [Projection::KProj, Projection::VProj, Projection::DownProj];

    /// Whether a projection's vector lies over its input instead of its output.
    pub fn scales_input(projection: Projection) -> bool {
        projection == Projection::DownProj
    }

    /// `W = l ∘ W` by rows, or by columns where the vector lies over the input.
    ///
    /// # Shapes
    /// `weight`: `[outputs, inputs]`; `vector`: `[outputs]` or `[inputs]`.
    pub(super) fn merge(&self, weight: &mut [f32], inputs: usize, projection: Projection, vector: &[f32]) {
        for (output, row) in weight.chunks_exact_mut(inputs).enumerate() {
            if Self::scales_input(projection) {
                row.iter_mut().zip(vector).for_each(|(value, factor)| *value *= factor);
            } else {
                row.iter_mut().for_each(|value| *value *= vector[output]);
            }
        }
    }

    pub(super) fn tensors(
        projection: Projection,
        outputs: usize,
        inputs: usize,
    ) -> Vec<(&'static str, Vec<usize>)> {
        vec![("ia3_l", if Self::scales_input(projection) { vec![1, inputs] } else { vec![outputs, 1] })]
    }
}

/// Where a vector is.
pub(crate) struct Ia3Site {
    vector: usize,
    outputs: usize,
    inputs: usize,
    scales_input: bool,
}

impl Ia3Site {
    /// Adds the vector to a layer's entries.
    pub(super) fn new(
        entries: &mut Entries,
        names: &[String],
        projection: Projection,
        (outputs, inputs): (usize, usize),
    ) -> Self {
        let scales_input = Ia3Config::scales_input(projection);
        let shape = Ia3Config::tensors(projection, outputs, inputs).swap_remove(0).1;
        let vector = entries.vector(names[0].clone(), shape, Initial::Constant(1.0));
        Self { vector, outputs, inputs, scales_input }
    }

    pub(super) fn forward<D: Device>(
        &self,
        call: &Call<D>,
        group: &Group<D>,
        input: &D::Operands,
        saved: &mut SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        out: Output<D>,
    ) {
        let (device, rows, outputs, bias) = (call.device, call.rows, self.outputs, call.bias);
        let vector = Some((&group.values, self.vector));
        let AdapterScratch { dropped, output, wide, .. } = scratch;
        // What a weakened vector leaves as it was.
        let plain: ArrayVec<Term<D>, 1> =
            (call.factor != 1.0).then(|| call.frozen(input)).into_iter().collect();
        let left = 1.0 - call.factor;
        if self.scales_input {
            device.scale_columns(input, vector, None, rows, self.inputs, Output::Operands(dropped));
            let terms = [call.frozen(&*dropped)];
            if plain.is_empty() {
                device.gemm(&terms, call.biased(), rows, outputs, out);
            } else {
                let epilogue = Epilogue::scaled(call.factor);
                device.gemm(&terms, epilogue, rows, outputs, Output::Operands(output));
                let part = ScaledPart { factors: None, part: output, columns: outputs, bias };
                call.combine(&plain, Epilogue::scaled(left), part, wide, out);
            }
        } else {
            // The vector scales the bias too.
            let output = if call.training { &mut saved.output } else { output };
            let epilogue = Epilogue { scale: call.factor, bias };
            device.gemm(&[call.frozen(input)], epilogue, rows, outputs, Output::Operands(output));
            let part = ScaledPart { factors: vector, part: output, columns: outputs, bias: None };
            call.combine(&plain, Epilogue { scale: left, bias }, part, wide, out);
        }
    }

    pub(super) fn backward<D: Device>(
        &self,
        call: &Call<D>,
        group: &mut Group<D>,
        flow: Flow<D>,
        saved: &SavedAdapter<D>,
        gradients: &mut SiteGradients<D>,
    ) {
        if self.scales_input {
            return;
        }
        let (device, rows, outputs, out_gradient) = (call.device, call.rows, self.outputs, flow.out_gradient);
        if call.training {
            let gradient = &mut group.gradient;
            device.add_column_products(out_gradient, &saved.output, rows, outputs, gradient, self.vector);
        }
        let vector = Some((&group.values, self.vector));
        let out = Output::Operands(&mut gradients.out);
        device.scale_columns(out_gradient, vector, None, rows, outputs, out);
    }

    pub(super) fn input_gradient<'a, D: Device>(
        &'a self,
        call: &Call<'a, D>,
        out_gradient: &'a D::Operands,
        gradients: &'a SiteGradients<D>,
    ) -> ArrayVec<Term<'a, D>, INPUT_TERMS> {
        let a = if self.scales_input { out_gradient } else { &gradients.out };
        [call.frozen_backward(a)].into_iter().collect()
    }

    /// The vector's gradient from that of the scaled input, which then becomes that of the input.
    pub(super) fn finish_input_gradient<D: Device>(
        &self,
        call: &Call<D>,
        group: &mut Group<D>,
        input: &D::Operands,
        scratch: &mut AdapterScratch<D>,
        gradient: &mut D::Operands,
    ) {
        if !self.scales_input {
            return;
        }
        let (device, rows, inputs) = (call.device, call.rows, self.inputs);
        if call.training {
            let vector_gradient = &mut group.gradient;
            device.add_column_products(gradient, input, rows, inputs, vector_gradient, self.vector);
        }
        let vector = Some((&group.values, self.vector));
        device.scale_columns(gradient, vector, None, rows, inputs, Output::Operands(&mut scratch.dropped));
        std::mem::swap(gradient, &mut scratch.dropped);
    }
}
