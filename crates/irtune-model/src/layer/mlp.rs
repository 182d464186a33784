//! The gated MLP of a layer: norm, gate and up projections, activation, down projection, added to the residual stream.
//!
//! # Source
//! Shazeer, "GLU Variants Improve Transformer", 2020; `LlamaMLP` of transformers.

use arrayvec::ArrayVec;
use irtune_device::{Device, DeviceError, Epilogue, Gate, Output, Term};

use super::{
    Mode, Pass,
    branch::{BranchEnd, BranchSaved},
    linear::{Linear, LinearInput, LinearSaved, LinearScratch},
    norm::{Gain, NormSaved, StreamNorm},
    scratch::{Scratch, StreamScratch, site_gradients},
};
use crate::{
    adapters::{
        Trained,
        site::{AdapterScratch, Flow, INPUT_TERMS, Site, SiteGradients},
    },
    base::{Base, config::ModelConfig},
    error::ModelError,
    families::{Projection, Role},
    parameters::group::Group,
};

/// The MLP of a layer.
pub(crate) struct Mlp<D: Device> {
    activation: Gate,
    norm: StreamNorm<D>,
    gate: Linear<D>,
    up: Linear<D>,
    down: Linear<D>,
    end: BranchEnd<D>,
}

/// What the forward leaves for the backward.
pub(crate) struct MlpSaved<D: Device> {
    norm: NormSaved<D>,
    /// `[tokens, intermediate]`
    gate: D::Operands,
    /// `[tokens, intermediate]`
    up: D::Operands,
    gate_projection: LinearSaved<D>,
    up_projection: LinearSaved<D>,
    down_projection: LinearSaved<D>,
    end: BranchSaved<D>,
}

/// Memory that every layer's MLP uses in turn.
pub(crate) struct MlpScratch<D: Device> {
    /// `[tokens, intermediate]`
    activated: D::Operands,
    /// `[tokens, intermediate]`
    activated_gradient: D::Operands,
    gate: SiteGradients<D>,
    up: SiteGradients<D>,
    down: SiteGradients<D>,
}

impl<D: Device> MlpSaved<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let wide = config.intermediate_size;
        let linear = |projection| LinearSaved::new(device, config, trained.adapter(), projection, tokens);
        Ok(Self {
            norm: NormSaved::new(device, tokens, config.hidden_size)?,
            gate: device.operands(tokens, wide)?,
            up: device.operands(tokens, wide)?,
            gate_projection: linear(Projection::GateProj)?,
            up_projection: linear(Projection::UpProj)?,
            down_projection: linear(Projection::DownProj)?,
            end: BranchSaved::new(device, config, Role::MlpOutputNorm, tokens)?,
        })
    }
}

impl<D: Device> MlpScratch<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let gradients = |projection| site_gradients(device, config, trained, projection, tokens);
        Ok(Self {
            activated: device.operands(tokens, config.intermediate_size)?,
            activated_gradient: device.operands(tokens, config.intermediate_size)?,
            gate: gradients(Projection::GateProj)?,
            up: gradients(Projection::UpProj)?,
            down: gradients(Projection::DownProj)?,
        })
    }
}

impl<D: Device> Mlp<D> {
    /// The MLP of a layer, with the adapters of its projections.
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
        Ok(Self {
            activation: base.config.layer(layer).gate,
            gate: linear(Projection::GateProj)?,
            up: linear(Projection::UpProj)?,
            down: linear(Projection::DownProj)?,
            norm: StreamNorm::new(device, base, layer, Role::MlpNorm)?,
            end: BranchEnd::new(device, base, layer, Role::MlpOutputNorm)?,
        })
    }

    /// The gains of its norms.
    pub(crate) fn gains(&self) -> impl Iterator<Item = &Gain<D>> {
        self.norm.gain().into_iter().chain(self.end.gain())
    }

    /// Its projections.
    pub(crate) fn linears(&self) -> [&Linear<D>; 3] {
        [&self.gate, &self.up, &self.down]
    }

    /// Its projections, to be changed.
    pub(crate) fn linears_mut(&mut self) -> [&mut Linear<D>; 3] {
        [&mut self.gate, &mut self.up, &mut self.down]
    }

    /// Adds the MLP's output to the stream, `[queries, hidden]`.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        stream: &mut D::Floats,
        saved: &mut MlpSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let (rows, set) = (pass.rows.queries, pass.rows.set);
        let StreamScratch { normed, beside, .. } = &mut scratch.stream;
        let (activated, adapters) = (&mut scratch.mlp.activated, &mut scratch.adapters);
        let MlpSaved { norm, gate, up, gate_projection, up_projection, down_projection, end } = saved;
        self.norm.forward(pass, group, stream, rows, norm, normed);
        let input = || LinearInput { values: &*normed, rows: set };
        let out = Output::Operands(&mut *gate);
        self.gate.forward(pass, group, input(), gate_projection, adapters, out);
        let out = Output::Operands(&mut *up);
        self.up.forward(pass, group, input(), up_projection, adapters, out);
        pass.device.gated(self.activation, gate, up, rows * pass.config.intermediate_size, activated);
        let (input, out) = (LinearInput { values: activated, rows: set }, self.end.output(stream, beside));
        self.down.forward(pass, group, input, down_projection, adapters, out);
        self.end.forward(pass, group, rows, beside, end, stream);
    }

    /// Turns the gradient of the stream after the MLP into that before it, and adds those of its parameters.
    ///
    /// Overwrites gate and up in `saved`.
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        stream: &mut D::Floats,
        saved: &mut MlpSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let (device, rows, training) = (pass.device, pass.rows.queries, pass.mode == Mode::Training);
        let (hidden, wide) = (pass.config.hidden_size, pass.config.intermediate_size);
        let StreamScratch { beside, rounded_gradient, .. } = &mut scratch.stream;
        let to = (beside, rounded_gradient);
        self.end.backward(pass, group.as_deref_mut(), rows, stream, &saved.end, to);
        self.down_backward(pass, group.as_deref_mut(), saved, scratch);
        let MlpSaved { norm, gate, up, gate_projection, up_projection, .. } = saved;
        let StreamScratch { normed, normed_gradient, .. } = &mut scratch.stream;
        let (adapters, mlp) = (&mut scratch.adapters, &mut scratch.mlp);
        device.gated_backward(self.activation, &mlp.activated_gradient, rows * wide, gate, up);
        if training {
            self.norm.recompute(pass, group.as_deref(), rows, norm, normed);
        }
        let flow = Flow { input: &*normed, out_gradient: gate };
        let work = LinearScratch { adapters, gradients: &mut mlp.gate };
        self.gate.backward(pass, group.as_deref_mut(), flow, pass.rows.set, gate_projection, work);
        let flow = Flow { input: &*normed, out_gradient: up };
        let work = LinearScratch { adapters, gradients: &mut mlp.up };
        self.up.backward(pass, group.as_deref_mut(), flow, pass.rows.set, up_projection, work);
        let shared = group.as_deref();
        let mut terms = ArrayVec::<Term<D>, { 2 * INPUT_TERMS }>::new();
        self.gate.input_gradient(pass, shared, gate, gate_projection, &mlp.gate, &mut terms);
        self.up.input_gradient(pass, shared, up, up_projection, &mlp.up, &mut terms);
        device.gemm(&terms, Epilogue::PLAIN, rows, hidden, Output::Store(normed_gradient));
        drop(terms);
        self.norm.backward(pass, shared, rows, norm, normed_gradient, stream);
        self.norm.gain_backward(pass, group, rows, norm, normed_gradient);
    }

    /// From the gradient of the MLP's output to that of the gated values.
    fn down_backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        saved: &MlpSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let (device, rows, wide) = (pass.device, pass.rows.queries, pass.config.intermediate_size);
        let (out, kept) = (&scratch.stream.rounded_gradient, &saved.down_projection);
        let adapters: &mut AdapterScratch<D> = &mut scratch.adapters;
        let MlpScratch { activated, activated_gradient, down, .. } = &mut scratch.mlp;
        if pass.mode == Mode::Training {
            device.gated(self.activation, &saved.gate, &saved.up, rows * wide, activated);
        }
        let flow = Flow { input: &*activated, out_gradient: out };
        let work = LinearScratch { adapters, gradients: down };
        self.down.backward(pass, group.as_deref_mut(), flow, pass.rows.set, kept, work);
        let mut terms = ArrayVec::<Term<D>, INPUT_TERMS>::new();
        self.down.input_gradient(pass, group.as_deref(), out, kept, down, &mut terms);
        device.gemm(&terms, Epilogue::PLAIN, rows, wide, Output::Operands(activated_gradient));
        drop(terms);
        let input = LinearInput { values: &*activated, rows: pass.rows.set };
        self.down.finish_input_gradient(pass, group, input, adapters, activated_gradient);
    }
}
