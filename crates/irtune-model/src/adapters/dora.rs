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
use irtune_device::{
    Device, DeviceError, DoraMatrix, DoraNorms, DoraPlace, Epilogue, Output, Term, WeightView,
};
use serde::{Deserialize, Serialize};

use super::{
    config::AdapterConfigError,
    lora::{LoraConfig, LoraInit, LoraSite},
    site::{AdapterScratch, Call, Flow, INPUT_TERMS, SavedAdapter, ScaledPart, SiteGradients},
};
use crate::parameters::{
    entries::{Entries, Initial},
    group::Group,
};

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

    /// `W = m / ‖W + s · B A‖ ∘ (W + s · B A)`
    ///
    /// # Shapes
    /// As [`LoraConfig::merge`]; `magnitudes`: `[outputs]`.
    pub(super) fn merge(&self, weight: &mut [f32], inputs: usize, a: &[f32], b: &[f32], magnitudes: &[f32]) {
        self.lora.merge(weight, inputs, a, b);
        for (row, &magnitude) in weight.chunks_exact_mut(inputs).zip(magnitudes) {
            let squares = row.iter().map(|&value| f64::from(value) * f64::from(value));
            let norm = squares.sum::<f64>().sqrt();
            let factor = if norm == 0.0 { 1.0 } else { f64::from(magnitude) / norm };
            row.iter_mut().for_each(|value| *value = (f64::from(*value) * factor) as f32);
        }
    }

    /// Adds matrices and magnitudes to a layer's entries.
    pub(super) fn site<D: Device>(
        &self,
        device: &D,
        entries: &mut Entries,
        names: &[String],
        weight: &WeightView,
    ) -> Result<DoraSite<D>, DeviceError> {
        let outputs = weight.rows;
        let mut squares = vec![0.0; outputs];
        weight.row_squares(&mut squares);
        let norms: Vec<f32> = squares.iter().map(|square| square.sqrt()).collect();
        let known = DoraNorms::new(device, &squares, &norms)?;
        let lora = self.lora.site(device, entries, names, weight)?;
        let magnitude = entries.vector(names[2].clone(), vec![outputs], Initial::Values(norms));
        entries.last().rate = self.lora.learning_rate_ratio;
        Ok(DoraSite { lora, magnitude, detach_norm: self.detach_norm, known })
    }
}

/// Where DoRA's parameters are, and the norms that they make.
pub(crate) struct DoraSite<D: Device> {
    pub(super) lora: LoraSite<D>,
    /// Offset of the magnitudes, `[outputs]`.
    magnitude: usize,
    detach_norm: bool,
    known: DoraNorms<D>,
}

impl<D: Device> DoraSite<D> {
    fn place(&self) -> DoraPlace {
        let LoraSite { a, b, rank, inputs, outputs, scaling, .. } = self.lora;
        DoraPlace { a, b, magnitude: self.magnitude, rank, inputs, outputs, scaling }
    }

    pub(super) fn refresh(
        &mut self,
        device: &D,
        weight: &D::Weight,
        group: &Group<D>,
        scratch: &mut AdapterScratch<D>,
    ) {
        let matrix = DoraMatrix { frozen: weight, values: &group.values, place: self.place() };
        device.dora_norms(matrix, &mut self.known, &mut scratch.dora);
    }

    pub(super) fn forward(
        &self,
        call: &Call<D>,
        group: &Group<D>,
        input: &D::Operands,
        saved: &mut SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        out: Output<D>,
    ) {
        let (device, rows, lora) = (call.device, call.rows, &self.lora);
        let AdapterScratch { dropped, difference, output, wide, .. } = scratch;
        let adapted_input = call.dropped(input, lora.inputs, saved, dropped);
        let SavedAdapter { inner, output: kept, .. } = saved;
        let term = Term::forward(adapted_input, lora.a(group));
        device.gemm(&[term], Epilogue::scaled(lora.scaling), rows, lora.rank, Output::Operands(inner));
        let sum = if call.training { kept } else { output };
        let terms = [call.frozen(adapted_input), Term::backward(&*inner, lora.b(group))];
        let epilogue = Epilogue::scaled(call.factor);
        device.gemm(&terms, epilogue, rows, lora.outputs, Output::Operands(sum));
        let (left_out, scale) = if call.dropout.is_some() {
            device.subtract(input, adapted_input, rows * lora.inputs, difference);
            (Some(&*difference), 1.0)
        } else if call.factor != 1.0 {
            (Some(input), 1.0 - call.factor)
        } else {
            (None, 1.0)
        };
        let terms: ArrayVec<Term<D>, 1> = left_out.map(|input| call.frozen(input)).into_iter().collect();
        let factors = Some((&self.known.factors, 0));
        let scaled = ScaledPart { factors, part: sum, columns: lora.outputs, bias: call.bias };
        call.combine(&terms, Epilogue::scaled(scale), scaled, wide, out);
    }

    pub(super) fn backward(
        &self,
        call: &Call<D>,
        group: &mut Group<D>,
        Flow { input, out_gradient }: Flow<D>,
        saved: &SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        gradients: &mut SiteGradients<D>,
    ) {
        let (device, rows, outputs) = (call.device, call.rows, self.lora.outputs);
        let SiteGradients { inner, out: scaled, .. } = gradients;
        let factors = Some((&self.known.factors, 0));
        device.scale_columns(out_gradient, factors, None, rows, outputs, Output::Operands(scaled));
        let flow = Flow { input, out_gradient: scaled };
        self.lora.matrices_backward(call, group, flow, saved, scratch, inner);
        if call.training {
            let AdapterScratch { sums, dora, .. } = scratch;
            device.clear(sums, 0, outputs);
            device.add_column_products(out_gradient, &saved.output, rows, outputs, sums, 0);
            let Group { values, gradient, .. } = group;
            let matrix = DoraMatrix { frozen: call.weight, values, place: self.place() };
            device.dora_norms_backward(matrix, &self.known, sums, self.detach_norm, dora, gradient);
        }
        if call.dropout.is_some() {
            let excess = Some((&self.known.excess, 0));
            device.scale_columns(out_gradient, excess, None, rows, outputs, Output::Operands(scaled));
        }
    }

    /// Under dropout that of W, of W on the dropped input, of A; else of W and A.
    pub(super) fn input_gradient<'a>(
        &'a self,
        call: &Call<'a, D>,
        group: &'a Group<D>,
        out_gradient: &'a D::Operands,
        saved: &'a SavedAdapter<D>,
        gradients: &'a SiteGradients<D>,
    ) -> ArrayVec<Term<'a, D>, INPUT_TERMS> {
        let mut terms = ArrayVec::new();
        if call.dropout.is_some() {
            terms.push(call.frozen_backward(out_gradient));
        }
        terms.push(call.masked(call.frozen_backward(&gradients.out), saved));
        let inner = Term::backward(&gradients.inner, self.lora.a(group));
        terms.push(call.masked(inner, saved));
        terms
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use irtune_cpu::Cpu;
    use irtune_device::{BatchLayout, Memory as _, RowSet};

    use super::*;
    use crate::{
        adapters::{
            Trained,
            site::{Dropout, Site, layer_sites},
        },
        base::Base,
        families::Projection,
    };

    const ROWS: usize = 5;

    fn numbers(length: usize, seed: u64) -> Vec<f32> {
        let draw = |index| irtune_device::mix_key(&[seed, index as u64]) as u32;
        (0..length).map(|index| draw(index) as f32 / u32::MAX as f32 - 0.5).collect()
    }

    #[test]
    fn under_dropout_it_is_the_formula_of_peft() {
        let folder = irtune_testing::golden::tiny_llama("six_layers");
        let base = Arc::new(Base::open(&folder).unwrap());
        let device = Cpu::<f32>::new(1).unwrap();
        let projection = Projection::UpProj;
        let lora = LoraConfig { rank: 3, alpha: 6.0, dropout: 0.3, ..LoraConfig::over(vec![projection]) };
        let config = DoraConfig::of(lora).into();
        let (entries, mut sites) = layer_sites(&device, &base, &config, 2).unwrap();
        let mut group = Group::<Cpu<f32>>::new(&device, entries).unwrap();
        group.values = numbers(group.values.len(), 1);
        let matrix = base.weights.matrix(&base.config.family.weight_name(2, projection)).unwrap();
        let weight = device.weight(matrix).unwrap();
        let mut scratch =
            AdapterScratch::new(&device, &base.config, &Trained::Adapter(config.clone()), ROWS).unwrap();
        let site = &mut sites[0].1;
        site.refresh(&device, &weight, &group, &mut scratch);

        let (outputs, inputs) = base.config.projection_shape(projection);
        let input = numbers(ROWS * inputs, 2);
        let widths = config.widths(&base.config, projection);
        let mut saved = SavedAdapter::new(&device, widths, ROWS, 0.3).unwrap();
        let layout = BatchLayout {
            positions: (0..ROWS as u32).collect(),
            keys: vec![5, 6, 7, 8, 9],
            ..BatchLayout::default()
        };
        let call = Call {
            device: &device,
            weight: &weight,
            bias: None,
            rows: ROWS,
            set: RowSet::All,
            layout: &layout,
            dropout: Some(Dropout { key: 3, probability: 0.3 }),
            factor: 1.0,
            training: true,
        };
        let mut found = vec![0.0; ROWS * outputs];
        site.forward(&call, &group, &input, &mut saved, &mut scratch, Output::Operands(&mut found));

        let Site::Dora(dora) = &*site else { panic!("a DoRA") };
        let matrix = base.weights.get(&base.config.family.weight_name(2, projection)).unwrap();
        let mut row = vec![0.0; inputs];
        let value = |at: usize| f64::from(group.values[at]);
        let mut dropped_values = 0;
        for output in 0..outputs {
            matrix.decode_row(output, &mut row);
            let row: Vec<f64> = row.iter().map(|&value| f64::from(value)).collect();
            let added: Vec<f64> = (0..inputs)
                .map(|column| {
                    let products = (0..3).map(|k| {
                        value(dora.lora.b + k * outputs + output) * value(dora.lora.a + k * inputs + column)
                    });
                    2.0 * products.sum::<f64>()
                })
                .collect();
            let norm = row.iter().zip(&added).map(|(w, b)| (w + b).powi(2)).sum::<f64>().sqrt();
            let factor = value(dora.magnitude + output) / norm;
            for token in 0..ROWS {
                let mut expected = 0.0;
                for column in 0..inputs {
                    let word = saved.mask[token * inputs.div_ceil(32) + column / 32];
                    let kept = f64::from(word >> (column % 32) & 1) / 0.7;
                    dropped_values += usize::from(kept == 0.0);
                    let plain = f64::from(input[token * inputs + column]);
                    let dropped = plain * kept;
                    expected += row[column] * plain + (factor - 1.0) * row[column] * dropped;
                    expected += factor * added[column] * dropped;
                }
                let found = f64::from(found[token * outputs + output]);
                assert!((found - expected).abs() < 1e-5, "{output}, {token}: {found}, expected {expected}");
            }
        }
        assert!(dropped_values > 0);
    }
}
