//! LoRA: `y = W x + s · B A dropout(x)`, with s = alpha / rank, or alpha / √rank (rsLoRA).
//!
//! With PiSSA's start the two matrices begin as the principal part of W, and that part is taken away from W. Here W stays
//! as it is in its file, and the adapter takes its own start away: `y = W x + s · (B A − B₀ A₀) dropout(x)`. Unlike in
//! PEFT, which drops nothing of the part that was taken away, a pass with dropout then starts from W exactly.
//!
//! # Source
//! Hu et al. 2021, arXiv 2106.09685; Kalajdzievski 2023 (rsLoRA), arXiv 2312.03732; Hayou et al. 2024 (LoRA+), arXiv
//! 2402.12354; Meng et al. 2024 (PiSSA), arXiv 2404.02948; PEFT `tuners/lora/layer.py`.

use arrayvec::ArrayVec;
use irtune_device::{BMatrix, Device, DeviceError, Epilogue, FloatMatrix, LowRank, Output, Term, WeightView};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    config::{AdapterConfigError, MOST_WIDTH},
    patterns::Patterns,
    pissa,
    site::{AdapterScratch, Call, Flow, INPUT_TERMS, SavedAdapter, SiteGradients},
};
use crate::{
    families::{Family, Projection},
    host_tensor::HostTensor,
    parameters::{
        entries::{Entries, Initial},
        group::Group,
    },
};

/// What LoRA's matrices start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoraInit {
    /// A uniform within 1/√inputs (PyTorch's `kaiming_uniform_` with a = √5), B zero, as in PEFT.
    #[default]
    Default,
    /// The principal singular vectors of the frozen matrix.
    Pissa,
}

/// A low-rank adapter on every target module of every layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraConfig {
    /// Rows of A and columns of B.
    pub rank: usize,
    /// The product is scaled by `alpha / rank`.
    pub alpha: f32,
    /// Whether it is scaled by `alpha / √rank` instead.
    #[serde(default)]
    pub rank_stabilised: bool,
    /// What the matrices start from.
    #[serde(default)]
    pub init: LoraInit,
    /// Learning rate of B (and of DoRA's magnitudes) over that of A; 1 is plain LoRA.
    #[serde(default = "one")]
    pub learning_rate_ratio: f32,
    /// Probability that an input of A is dropped in training.
    pub dropout: f32,
    /// Adapted projections; order is kept.
    pub target_modules: Vec<Projection>,
    /// Other ranks of some modules.
    #[serde(default, skip_serializing_if = "Patterns::is_empty")]
    pub rank_pattern: Patterns<usize>,
    /// Other alphas of some modules.
    #[serde(default, skip_serializing_if = "Patterns::is_empty")]
    pub alpha_pattern: Patterns<f32>,
}

fn one() -> f32 {
    1.0
}

impl LoraConfig {
    /// The published recipe of IR-Tuning (rank 32, alpha 64, dropout 0.05) on these projections.
    pub fn over(target_modules: Vec<Projection>) -> Self {
        Self {
            rank: 32,
            alpha: 64.0,
            rank_stabilised: false,
            init: LoraInit::Default,
            learning_rate_ratio: 1.0,
            dropout: 0.05,
            target_modules,
            rank_pattern: Patterns::default(),
            alpha_pattern: Patterns::default(),
        }
    }

    /// The settings of the module with this path: the rank and alpha that patterns give it, and no patterns.
    pub(crate) fn of_module(&self, path: &str) -> Self {
        let mut lora =
            Self { rank_pattern: Patterns::default(), alpha_pattern: Patterns::default(), ..self.clone() };
        lora.rank = self.rank_pattern.of(path).copied().unwrap_or(self.rank);
        lora.alpha = self.alpha_pattern.of(path).copied().unwrap_or(self.alpha);
        lora
    }

    /// Whether some modules have other ranks or alphas.
    pub(crate) fn has_patterns(&self) -> bool {
        !(self.rank_pattern.is_empty() && self.alpha_pattern.is_empty())
    }

    /// The largest rank that a module can have.
    pub(crate) fn largest_rank(&self) -> usize {
        self.rank_pattern.values().copied().fold(self.rank, usize::max)
    }

    /// Factor of the adapter's product.
    pub fn scaling(&self) -> f32 {
        let rank = self.rank as f64;
        (f64::from(self.alpha) / if self.rank_stabilised { rank.sqrt() } else { rank }) as f32
    }

    /// What the adapter is in a folder: with PiSSA's start a LoRA of twice the rank that scales alike, as PEFT converts it.
    pub fn exported(&self) -> Self {
        match self.init {
            LoraInit::Default => self.clone(),
            LoraInit::Pissa => {
                let factor = if self.rank_stabilised { std::f32::consts::SQRT_2 } else { 2.0 };
                let (rank, alpha) = (2 * self.rank, factor * self.alpha);
                let rank_pattern = self.rank_pattern.map(|rank| 2 * rank);
                let alpha_pattern = self.alpha_pattern.map(|alpha| factor * alpha);
                Self { rank, alpha, rank_pattern, alpha_pattern, init: LoraInit::Default, ..self.clone() }
            }
        }
    }

    pub(super) fn validate(&self) -> Result<(), AdapterConfigError> {
        if self.rank == 0 || self.rank_pattern.values().any(|&rank| rank == 0) {
            return Err(AdapterConfigError::ZeroRank);
        }
        let mut ranks = self.rank_pattern.values().copied().chain([self.rank]);
        if let Some(value) = ranks.find(|&rank| rank > MOST_WIDTH) {
            return Err(AdapterConfigError::TooWide { field: "rank", value });
        }
        let mut alphas = self.alpha_pattern.values().copied().chain([self.alpha]);
        if let Some(alpha) = alphas.find(|&alpha| !(alpha.is_finite() && alpha > 0.0)) {
            return Err(AdapterConfigError::Alpha { alpha });
        }
        let ratio = self.learning_rate_ratio;
        if !(ratio.is_finite() && ratio > 0.0) {
            return Err(AdapterConfigError::Ratio { ratio });
        }
        Ok(())
    }

    pub(super) fn tensors(&self, outputs: usize, inputs: usize) -> Vec<(&'static str, Vec<usize>)> {
        vec![("lora_A.weight", vec![self.rank, inputs]), ("lora_B.weight", vec![outputs, self.rank])]
    }

    /// `W += s · B A`
    ///
    /// # Shapes
    /// `weight`: `[outputs, inputs]`; `a`: `[rank, inputs]`; `b`: `[outputs, rank]`.
    pub(super) fn merge(&self, weight: &mut [f32], inputs: usize, a: &[f32], b: &[f32]) {
        let scaling = f64::from(self.scaling());
        let rows = weight.par_chunks_exact_mut(inputs).zip(b.par_chunks_exact(self.rank));
        rows.for_each_init(
            || vec![0.0f64; inputs],
            |added, (row, b)| {
                added.fill(0.0);
                for (&b, a) in b.iter().zip(a.chunks_exact(inputs)) {
                    let factor = scaling * f64::from(b);
                    added.iter_mut().zip(a).for_each(|(sum, &a)| *sum += factor * f64::from(a));
                }
                row.iter_mut().zip(added).for_each(|(value, sum)| *value = (f64::from(*value) + *sum) as f32);
            },
        );
    }

    /// Adds the matrices to a layer's entries.
    pub(super) fn site<D: Device>(
        &self,
        device: &D,
        entries: &mut Entries,
        names: &[String],
        weight: &WeightView,
    ) -> Result<LoraSite<D>, DeviceError> {
        let (outputs, inputs, rank) = (weight.rows, weight.columns, self.rank);
        let (mut initial, mut fixed) = ((Initial::Drawn, Initial::Constant(0.0)), None);
        if self.init == LoraInit::Pissa {
            let (a, b) = pissa::principal(weight, rank, self.scaling());
            let taken: Vec<f32> = b.iter().map(|value| -value).collect();
            fixed = Some(Fixed { a: device.filled(&a)?, b: device.filled(&taken)? });
            initial = (Initial::Values(a), Initial::Values(b));
        }
        let a = entries.matrix(names[0].clone(), rank, inputs, initial.0);
        let b = entries.transposed(names[1].clone(), rank, outputs, initial.1);
        entries.last().rate = self.learning_rate_ratio;
        Ok(LoraSite { a, b, rank, inputs, outputs, scaling: self.scaling(), fixed })
    }
}

/// PiSSA's start: A₀ `[rank, inputs]`, and −B₀ transposed, `[rank, outputs]`.
pub(crate) struct Fixed<D: Device> {
    a: D::Floats,
    b: D::Floats,
}

/// Where LoRA's matrices are.
pub(crate) struct LoraSite<D: Device> {
    /// Offset of A, `[rank, inputs]`.
    pub(super) a: usize,
    /// Offset of B transposed, `[rank, outputs]`.
    pub(super) b: usize,
    pub(super) rank: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) scaling: f32,
    fixed: Option<Fixed<D>>,
}

impl<D: Device> LoraSite<D> {
    pub(super) fn a<'a>(&self, group: &'a Group<D>) -> BMatrix<'a, D> {
        let (rows, columns) = (self.rank, self.inputs);
        BMatrix::Trained(FloatMatrix { values: &group.values, offset: self.a, rows, columns })
    }

    pub(super) fn b<'a>(&self, group: &'a Group<D>) -> BMatrix<'a, D> {
        let (rows, columns) = (self.rank, self.outputs);
        BMatrix::Trained(FloatMatrix { values: &group.values, offset: self.b, rows, columns })
    }

    /// What it adds to its matrix; `None` when that is more than one product.
    pub(super) fn low_rank<'a>(&self, group: &'a Group<D>) -> Option<LowRank<'a, D>> {
        let &Self { a, b, rank, scaling, .. } = self;
        self.fixed.is_none().then_some(LowRank { values: &group.values, a, b, rank, scaling })
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
        let (device, rows) = (call.device, call.rows);
        let inner_input = call.dropped(input, self.inputs, saved, &mut scratch.dropped);
        let scale = self.scaling * call.factor;
        let inner = |a, out: &mut D::Operands| {
            let term = Term::forward(inner_input, a);
            device.gemm(&[term], Epilogue::scaled(scale), rows, self.rank, Output::Operands(out));
        };
        inner(self.a(group), &mut saved.inner);
        let mut terms = ArrayVec::<Term<D>, 3>::new();
        terms.push(call.frozen(input));
        terms.push(Term::backward(&saved.inner, self.b(group)));
        if let Some(Fixed { a, b }) = &self.fixed {
            inner(start(a, self.rank, self.inputs), &mut saved.fixed_inner);
            terms.push(Term::backward(&saved.fixed_inner, start(b, self.rank, self.outputs)));
        }
        device.gemm(&terms, call.biased(), rows, self.outputs, out);
    }

    pub(super) fn backward(
        &self,
        call: &Call<D>,
        group: &mut Group<D>,
        flow: Flow<D>,
        saved: &SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        gradients: &mut SiteGradients<D>,
    ) {
        if let Some(Fixed { b, .. }) = &self.fixed {
            let term = Term::forward(flow.out_gradient, start(b, self.rank, self.outputs));
            let out = Output::Operands(&mut gradients.fixed_inner);
            call.device.gemm(&[term], Epilogue::scaled(self.scaling), call.rows, self.rank, out);
        }
        self.matrices_backward(call, group, flow, saved, scratch, &mut gradients.inner);
    }

    /// Gradients of A and B, and of their inner product, given that of `s · B A x`.
    pub(super) fn matrices_backward(
        &self,
        call: &Call<D>,
        group: &mut Group<D>,
        Flow { input, out_gradient }: Flow<D>,
        saved: &SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        inner_gradient: &mut D::Operands,
    ) {
        let (device, rows, rank) = (call.device, call.rows, self.rank);
        let AdapterScratch { dropped, transposed, .. } = scratch;
        let term = Term::forward(out_gradient, self.b(group));
        let epilogue = Epilogue::scaled(self.scaling);
        device.gemm(&[term], epilogue, rows, rank, Output::Operands(inner_gradient));
        if !call.training {
            return;
        }
        let output = (out_gradient, self.outputs);
        group.add_outer(device, self.b, rows, (&saved.inner, rank), output, transposed);
        let inner_input = (call.dropped(input, self.inputs, saved, dropped), self.inputs);
        group.add_outer(device, self.a, rows, (inner_gradient, rank), inner_input, transposed);
    }

    pub(super) fn input_gradient<'a>(
        &'a self,
        call: &Call<'a, D>,
        group: &'a Group<D>,
        out_gradient: &'a D::Operands,
        saved: &'a SavedAdapter<D>,
        gradients: &'a SiteGradients<D>,
    ) -> ArrayVec<Term<'a, D>, INPUT_TERMS> {
        let mut terms = ArrayVec::new();
        terms.push(call.frozen_backward(out_gradient));
        terms.push(call.masked(Term::backward(&gradients.inner, self.a(group)), saved));
        if let Some(Fixed { a, .. }) = &self.fixed {
            let inner = Term::backward(&gradients.fixed_inner, start(a, self.rank, self.inputs));
            terms.push(call.masked(inner, saved));
        }
        terms
    }
}

impl<D: Device> LoraSite<D> {
    /// With PiSSA: `[A; A₀]` and `[B, −B₀]` instead of A and B.
    pub(super) fn export(
        &self,
        device: &D,
        family: &Family,
        layer: usize,
        projection: Projection,
        parameters: &mut [HostTensor],
    ) {
        let Some(fixed) = &self.fixed else { return };
        let (rank, inputs, outputs) = (self.rank, self.inputs, self.outputs);
        let (mut a, mut b) = (vec![0.0; rank * inputs], vec![0.0; rank * outputs]);
        device.download(&fixed.a, 0, &mut a);
        device.download(&fixed.b, 0, &mut b);
        let [name_a, name_b] =
            ["lora_A.weight", "lora_B.weight"].map(|part| family.adapter_name(layer, projection, part));
        for tensor in parameters {
            if tensor.name == name_a {
                tensor.data.extend_from_slice(&a);
                tensor.shape = vec![2 * rank, inputs];
            } else if tensor.name == name_b {
                let rows = tensor.data.chunks_exact(rank).enumerate();
                let twice = rows.flat_map(|(output, row)| {
                    let taken = (0..rank).map(|k| b[k * outputs + output]);
                    row.iter().copied().chain(taken).collect::<Vec<f32>>()
                });
                tensor.data = twice.collect();
                tensor.shape = vec![outputs, 2 * rank];
            }
        }
    }
}

/// A matrix of PiSSA's start.
fn start<D: Device>(values: &D::Floats, rows: usize, columns: usize) -> BMatrix<'_, D> {
    BMatrix::Trained(FloatMatrix { values, offset: 0, rows, columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_scales_by_alpha_over_rank_or_over_its_root() {
        let lora = LoraConfig { rank: 16, alpha: 8.0, ..LoraConfig::over(vec![]) };
        assert_eq!(lora.scaling(), 0.5);
        assert_eq!(LoraConfig { rank_stabilised: true, ..lora }.scaling(), 2.0);
    }
}
