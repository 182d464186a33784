//! The way into an MLP: from the norm's output to what the way down reads.
//!
//! Gate and up are two matrices, or one whose outputs lie side by side; or there is no gate, and an activation stands in
//! its place. A fused matrix is one module to adapters, as it is to PEFT.
//!
//! # Source
//! Shazeer, "GLU Variants Improve Transformer", 2020; `LlamaMLP`, `Phi3MLP` and `GPT2MLP` of transformers.

use arrayvec::ArrayVec;
use irtune_device::{Activation, Columns, Device, DeviceError, Epilogue, Gate, Output, Term};

use super::{
    Pass,
    linear::{Linear, LinearInput, LinearSaved, LinearScratch},
    scratch::site_gradients,
};
use crate::{
    adapters::{
        Trained,
        site::{AdapterScratch, Flow, INPUT_TERMS, Site, SiteGradients},
    },
    base::{Base, config::ModelConfig},
    error::ModelError,
    families::{MlpKind, Projection},
    parameters::group::Group,
};

/// The projections of an MLP's input.
pub(crate) enum MlpInput<D: Device> {
    Gated([Linear<D>; 2], Gate),
    FusedGated(Linear<D>, Gate),
    Plain(Linear<D>, Activation),
}

/// What the forward leaves for the backward.
pub(crate) struct MlpInputSaved<D: Device> {
    /// `[tokens, intermediate]`, or empty without a gate.
    gate: D::Operands,
    /// `[tokens, intermediate]`
    up: D::Operands,
    projections: Vec<LinearSaved<D>>,
}

/// Memory that every layer's MLP uses in turn.
pub(crate) struct MlpInputScratch<D: Device> {
    gradients: Vec<SiteGradients<D>>,
    /// `[tokens, gate + up]` of a fused projection: its output, later its gradient.
    wide: D::Operands,
}

/// The projections of an MLP's input, in the order of the forward pass.
fn projections(kind: MlpKind) -> &'static [Projection] {
    match kind {
        MlpKind::Gated => &[Projection::GateProj, Projection::UpProj],
        MlpKind::FusedGated => &[Projection::GateUpProj],
        MlpKind::Plain(_) => &[Projection::UpProj],
    }
}

/// Where gate and up lie in a fused output.
fn columns(config: &ModelConfig) -> [Columns; 2] {
    let count = config.intermediate_size;
    [0, count].map(|first| Columns { of: 2 * count, first, count })
}

impl<D: Device> MlpInputSaved<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let (kind, wide) = (config.layer(0).mlp, config.intermediate_size);
        let linear = |&one: &Projection| LinearSaved::new(device, config, trained.adapter(), one, tokens);
        Ok(Self {
            gate: device.operands(tokens, if matches!(kind, MlpKind::Plain(_)) { 0 } else { wide })?,
            up: device.operands(tokens, wide)?,
            projections: projections(kind).iter().map(linear).collect::<Result<_, _>>()?,
        })
    }
}

impl<D: Device> MlpInputScratch<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let kind = config.layer(0).mlp;
        let gradients = projections(kind).iter();
        let gradients = gradients.map(|&one| site_gradients(device, config, trained, one, tokens));
        let wide = if kind == MlpKind::FusedGated { 2 * config.intermediate_size } else { 0 };
        Ok(Self { gradients: gradients.collect::<Result<_, _>>()?, wide: device.operands(tokens, wide)? })
    }
}

impl<D: Device> MlpInput<D> {
    /// Those of a layer, with their adapters.
    ///
    /// # Errors
    /// When the base lacks a tensor.
    pub(crate) fn new(
        device: &D,
        base: &Base,
        layer: usize,
        adapters: &mut Vec<(Projection, Site<D>)>,
    ) -> Result<Self, ModelError> {
        let mut linear = |projection| Linear::new(device, base, layer, projection, adapters);
        let spec = base.config.layer(layer);
        Ok(match spec.mlp {
            MlpKind::Gated => {
                Self::Gated([linear(Projection::GateProj)?, linear(Projection::UpProj)?], spec.gate)
            }
            MlpKind::FusedGated => Self::FusedGated(linear(Projection::GateUpProj)?, spec.gate),
            MlpKind::Plain(activation) => Self::Plain(linear(Projection::UpProj)?, activation),
        })
    }

    /// The projections themselves.
    pub(crate) fn linears(&self) -> &[Linear<D>] {
        match self {
            Self::Gated(linears, _) => linears,
            Self::FusedGated(linear, _) | Self::Plain(linear, _) => std::slice::from_ref(linear),
        }
    }

    /// The projections themselves, to be changed.
    pub(crate) fn linears_mut(&mut self) -> &mut [Linear<D>] {
        match self {
            Self::Gated(linears, _) => linears,
            Self::FusedGated(linear, _) | Self::Plain(linear, _) => std::slice::from_mut(linear),
        }
    }

    /// From the norm's output to gate and up.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        values: &D::Operands,
        saved: &mut MlpInputSaved<D>,
        scratch: &mut MlpInputScratch<D>,
        adapters: &mut AdapterScratch<D>,
    ) {
        let MlpInputSaved { gate, up, projections } = saved;
        let (count, rows) = (pass.rows.queries, pass.rows.set);
        let input = || LinearInput { values, rows };
        match self {
            Self::Gated(linears, _) => {
                for ((linear, kept), out) in linears.iter().zip(projections).zip([gate, up]) {
                    linear.forward(pass, group, input(), kept, adapters, Output::Operands(out));
                }
            }
            Self::FusedGated(linear, _) => {
                let out = Output::Operands(&mut scratch.wide);
                linear.forward(pass, group, input(), &mut projections[0], adapters, out);
                let [of_gate, of_up] = columns(pass.config);
                pass.device.split_columns(&scratch.wide, count, of_gate, gate);
                pass.device.split_columns(&scratch.wide, count, of_up, up);
            }
            Self::Plain(linear, _) => {
                let out = Output::Operands(up);
                linear.forward(pass, group, input(), &mut projections[0], adapters, out);
            }
        }
    }

    /// From gate and up to what the way down reads.
    pub(crate) fn activate(&self, pass: &Pass<D>, saved: &MlpInputSaved<D>, out: &mut D::Operands) {
        let length = pass.rows.queries * pass.config.intermediate_size;
        match self {
            Self::Gated(_, gate) | Self::FusedGated(_, gate) => {
                pass.device.gated(*gate, &saved.gate, &saved.up, length, out);
            }
            Self::Plain(_, activation) => pass.device.activate(*activation, &saved.up, 1.0, length, out),
        }
    }

    /// From the gradient of what the way down read, which may be overwritten, to those of gate and up, and adds those of
    /// the projections' parameters.
    ///
    /// Overwrites gate and up in `saved`.
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        input: &D::Operands,
        saved: &mut MlpInputSaved<D>,
        activated_gradient: &mut D::Operands,
        (scratch, adapters): (&mut MlpInputScratch<D>, &mut AdapterScratch<D>),
    ) {
        let (device, set, count) = (pass.device, pass.rows.set, pass.rows.queries);
        let length = count * pass.config.intermediate_size;
        let MlpInputSaved { gate, up, projections } = saved;
        let MlpInputScratch { gradients, wide } = scratch;
        match self {
            Self::Gated(linears, kind) => {
                device.gated_backward(*kind, activated_gradient, length, gate, up);
                let out_gradients = [&*gate, &*up].into_iter().zip(gradients);
                for ((linear, kept), (out_gradient, gradients)) in
                    linears.iter().zip(&*projections).zip(out_gradients)
                {
                    let flow = Flow { input, out_gradient };
                    let work = LinearScratch { adapters: &mut *adapters, gradients };
                    linear.backward(pass, group.as_deref_mut(), flow, set, kept, work);
                }
            }
            Self::FusedGated(linear, kind) => {
                device.gated_backward(*kind, activated_gradient, length, gate, up);
                let [of_gate, of_up] = columns(pass.config);
                device.join_columns(gate, count, of_gate, wide);
                device.join_columns(up, count, of_up, wide);
                let flow = Flow { input, out_gradient: wide };
                let work = LinearScratch { adapters, gradients: &mut gradients[0] };
                linear.backward(pass, group, flow, set, &projections[0], work);
            }
            Self::Plain(linear, activation) => {
                device.activate_backward(*activation, up, 1.0, length, activated_gradient);
                std::mem::swap(up, activated_gradient);
                let flow = Flow { input, out_gradient: up };
                let work = LinearScratch { adapters, gradients: &mut gradients[0] };
                linear.backward(pass, group, flow, set, &projections[0], work);
            }
        }
    }

    /// The gradient of the norm's output, `[queries, hidden]`, after [`MlpInput::backward`].
    pub(crate) fn input_gradient(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        saved: &MlpInputSaved<D>,
        scratch: &MlpInputScratch<D>,
        out: Output<D>,
    ) {
        let MlpInputSaved { gate, up, projections } = saved;
        let mut terms = ArrayVec::<Term<D>, { 2 * INPUT_TERMS }>::new();
        let out_gradients = match self {
            Self::Gated(..) => [Some(gate), Some(up)],
            Self::FusedGated(..) => [Some(&scratch.wide), None],
            Self::Plain(..) => [Some(up), None],
        };
        let parts = self.linears().iter().zip(projections).zip(&scratch.gradients);
        for (((linear, kept), gradients), out_gradient) in parts.zip(out_gradients.into_iter().flatten()) {
            linear.input_gradient(pass, group, out_gradient, kept, gradients, &mut terms);
        }
        let (rows, hidden) = (pass.rows.queries, pass.config.hidden_size);
        pass.device.gemm(&terms, Epilogue::PLAIN, rows, hidden, out);
    }
}
