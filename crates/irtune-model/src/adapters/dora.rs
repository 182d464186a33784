//! DoRA: `y = m / ‖W + s·B A‖ ∘ (W x + s·B A x)`, the norm taken of each output's row and, by the paper's recipe, held
//! constant in the backward.
//!
//! In training with dropout PEFT computes the base's part of what the adapter adds from the dropped input as well, and so
//! does this: with f = m / ‖…‖ and x' = dropout(x), `y = W x + (f − 1) ∘ W x' + f ∘ s·B A x'`. That takes a second product
//! with W, forward and backward; it is written as `W (x − x') + f ∘ (W x' + s·B A x')`.
//!
//! m starts at the norms of W, so that f is 1 exactly. A row whose norm is 0 keeps the factor 1 (PEFT divides 0 by 0).
//!
//! # Source
//! Liu et al. 2024, arXiv 2402.09353; PEFT 0.21 `tuners/lora/{dora,variants}.py`.

use arrayvec::ArrayVec;
use irtune_kernels::{direction, weight::Weight};
use serde::{Deserialize, Serialize};

use super::{
    config::AdapterConfigError,
    lora::{LoraConfig, LoraInit, LoraSite},
    site::{AdapterScratch, Call, INPUT_TERMS, SavedAdapter},
    state::{Entries, Group, Rest},
};
use crate::device::{Device, Direction, DirectionPlace, Out, Term};

/// A low-rank adapter with a magnitude for each output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoraConfig {
    /// The two matrices; their learning rate's ratio holds for the magnitudes too, as in PEFT.
    pub lora: LoraConfig,
    /// Whether the norm is a constant to the gradient, as in PEFT and the paper's recipe.
    pub detach_norm: bool,
}

impl DoraConfig {
    /// The usual DoRA over these matrices.
    pub fn of(lora: LoraConfig) -> Self {
        Self { lora, detach_norm: true }
    }

    pub(super) fn validate(&self) -> Result<(), AdapterConfigError> {
        if self.lora.init == LoraInit::Pissa {
            return Err(AdapterConfigError::DoraWithPissa);
        }
        self.lora.validate()
    }

    pub(super) fn tensors(&self, outputs: usize, inputs: usize) -> Vec<(&'static str, Vec<usize>)> {
        let mut tensors = self.lora.tensors(outputs, inputs);
        tensors.push(("lora_magnitude_vector", vec![outputs]));
        tensors
    }

    /// Adds matrices and magnitudes to a layer's entries.
    pub(super) fn site<D: Device>(
        &self,
        device: &D,
        entries: &mut Entries,
        names: &[String],
        weight: &Weight,
    ) -> DoraSite<D> {
        let outputs = weight.rows;
        let mut squares = vec![0.0; outputs];
        direction::row_squares(weight, &mut squares);
        let norms: Vec<f32> = squares.iter().map(|square| square.sqrt()).collect();
        let known = Direction::new(device, &squares, &norms);
        let lora = self.lora.site(device, entries, names, weight);
        let magnitude = entries.vector(names[2].clone(), vec![outputs], Rest::Values(norms));
        entries.last().rate = self.lora.learning_rate_ratio;
        DoraSite { lora, magnitude, detach_norm: self.detach_norm, known }
    }
}

/// Where DoRA's parameters are, and the norms that they make.
pub(crate) struct DoraSite<D: Device> {
    pub(super) lora: LoraSite<D>,
    /// Offset of the magnitudes, `[outputs]`.
    magnitude: usize,
    detach_norm: bool,
    known: Direction<D>,
}

impl<D: Device> DoraSite<D> {
    fn place(&self) -> DirectionPlace {
        let LoraSite { a, b, rank, inputs, outputs, scaling, .. } = self.lora;
        DirectionPlace { a, b, magnitude: self.magnitude, rank, inputs, outputs, scaling }
    }

    pub(super) fn refresh(
        &mut self,
        device: &D,
        weight: &D::Weight,
        group: &Group<D>,
        scratch: &mut AdapterScratch<D>,
    ) {
        let place = self.place();
        device.direction(weight, place, &group.values, &mut self.known, &mut scratch.direction);
    }

    pub(super) fn forward(
        &self,
        call: &Call<D>,
        group: &Group<D>,
        input: &D::Operands,
        saved: &mut SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        out: Out<D>,
    ) {
        let (device, rows, lora) = (call.device, call.rows, &self.lora);
        let AdapterScratch { dropped, rest, output, wide, .. } = scratch;
        let adapted_input = call.dropped(input, lora.inputs, saved, dropped);
        let SavedAdapter { inner, output: kept, .. } = saved;
        let term = Term::forward(adapted_input, lora.a(group));
        device.product(&[term], lora.scaling, rows, lora.rank, Out::Operands(inner));
        let sum = if call.training { kept } else { output };
        let terms = [call.frozen(adapted_input), Term::backward(&*inner, lora.b(group))];
        device.product(&terms, call.factor, rows, lora.outputs, Out::Operands(sum));
        let factors = Some((&self.known.factors, 0));
        let (left_out, scale) = if call.dropout.is_some() {
            device.subtract(input, adapted_input, rows * lora.inputs, rest);
            (Some(&*rest), 1.0)
        } else if call.factor != 1.0 {
            (Some(input), 1.0 - call.factor)
        } else {
            (None, 1.0)
        };
        let terms: ArrayVec<Term<D>, 1> = left_out.map(|input| call.frozen(input)).into_iter().collect();
        call.combine(&terms, scale, factors, sum, lora.outputs, wide, out);
    }

    pub(super) fn backward(
        &self,
        call: &Call<D>,
        group: &mut Group<D>,
        input: &D::Operands,
        out_gradient: &D::Operands,
        saved: &SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
    ) {
        let (device, rows, outputs) = (call.device, call.rows, self.lora.outputs);
        let AdapterScratch { dropped, turned, sums, direction, inner_gradients, out_gradients, .. } = scratch;
        let place = call.projection as usize;
        let (inner_gradient, scaled) = (&mut inner_gradients[place], &mut out_gradients[place]);
        let factors = Some((&self.known.factors, 0));
        device.scale_columns(out_gradient, factors, None, rows, outputs, Out::Operands(scaled));
        self.lora.matrices_backward(call, group, input, scaled, saved, dropped, turned, inner_gradient);
        if call.training {
            device.clear(sums, 0, outputs);
            device.add_column_products(out_gradient, &saved.output, rows, outputs, sums, 0);
            let Group { values, gradient, .. } = group;
            device.direction_backward(
                call.weight,
                self.place(),
                values,
                &self.known,
                sums,
                self.detach_norm,
                direction,
                gradient,
            );
        }
        if call.dropout.is_some() {
            let excess = Some((&self.known.excess, 0));
            device.scale_columns(out_gradient, excess, None, rows, outputs, Out::Operands(scaled));
        }
    }

    /// Under dropout that of W, of W on the dropped input, of A; else of W and A.
    pub(super) fn input_gradient<'a>(
        &'a self,
        call: &Call<'a, D>,
        group: &'a Group<D>,
        out_gradient: &'a D::Operands,
        saved: &'a SavedAdapter<D>,
        scratch: &'a AdapterScratch<D>,
    ) -> ArrayVec<Term<'a, D>, INPUT_TERMS> {
        let mut terms = ArrayVec::new();
        let place = call.projection as usize;
        if call.dropout.is_some() {
            terms.push(call.frozen_backward(out_gradient));
        }
        let scaled = call.frozen_backward(&scratch.out_gradients[place]);
        terms.push(Term { mask: call.mask(saved), ..scaled });
        let inner = Term::backward(&scratch.inner_gradients[place], self.lora.a(group));
        terms.push(Term { mask: call.mask(saved), ..inner });
        terms
    }
}
