//! The MLP of a layer: norm, the way in, the way down, added to the residual stream.
//!
//! # Source
//! `LlamaMLP`, `GPT2MLP` and `PhiMLP` of transformers.

use arrayvec::ArrayVec;
use irtune_device::{Device, DeviceError, Epilogue, Output, Term};

use super::{
    Mode, Pass,
    branch::{BranchEnd, BranchSaved},
    linear::{Linear, LinearInput, LinearSaved, LinearScratch},
    mlp_input::{MlpInput, MlpInputSaved, MlpInputScratch},
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
    /// None where it reads what attention reads, beside it.
    norm: Option<StreamNorm<D>>,
    input: MlpInput<D>,
    down: Linear<D>,
    end: BranchEnd<D>,
}

/// What the forward leaves for the backward.
pub(crate) struct MlpSaved<D: Device> {
    /// Empty where there is no norm.
    norm: NormSaved<D>,
    input: MlpInputSaved<D>,
    down: LinearSaved<D>,
    end: BranchSaved<D>,
}

/// Memory that every layer's MLP uses in turn.
pub(crate) struct MlpScratch<D: Device> {
    /// `[tokens, intermediate]`
    activated: D::Operands,
    /// `[tokens, intermediate]`
    activated_gradient: D::Operands,
    input: MlpInputScratch<D>,
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
        let normed = if config.layer(0).parallel { 0 } else { tokens };
        Ok(Self {
            norm: NormSaved::new(device, normed, config.hidden_size)?,
            input: MlpInputSaved::new(device, config, trained, tokens)?,
            down: LinearSaved::new(device, config, trained.adapter(), Projection::DownProj, tokens)?,
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
        Ok(Self {
            activated: device.operands(tokens, config.intermediate_size)?,
            activated_gradient: device.operands(tokens, config.intermediate_size)?,
            input: MlpInputScratch::new(device, config, trained, tokens)?,
            down: site_gradients(device, config, trained, Projection::DownProj, tokens)?,
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
        let norm = match base.config.layer(layer).parallel {
            false => Some(StreamNorm::new(device, base, layer, Role::MlpNorm)?),
            true => None,
        };
        let input = MlpInput::new(device, base, layer, adapters)?;
        let down = Linear::new(device, base, layer, Projection::DownProj, adapters)?;
        let end = BranchEnd::new(device, base, layer, Role::MlpOutputNorm)?;
        Ok(Self { norm, input, down, end })
    }

    /// Whether it reads what attention reads, beside it.
    pub(crate) fn is_parallel(&self) -> bool {
        self.norm.is_none()
    }

    /// The gains of its norms.
    pub(crate) fn gains(&self) -> impl Iterator<Item = &Gain<D>> {
        self.norm.iter().filter_map(StreamNorm::gain).chain(self.end.gain())
    }

    /// Its projections.
    pub(crate) fn linears(&self) -> impl Iterator<Item = &Linear<D>> {
        self.input.linears().iter().chain([&self.down])
    }

    /// Its projections, to be changed.
    pub(crate) fn linears_mut(&mut self) -> impl Iterator<Item = &mut Linear<D>> {
        self.input.linears_mut().iter_mut().chain([&mut self.down])
    }

    /// Adds the MLP's output to the stream, `[queries, hidden]`. Without a norm of its own it reads the output of
    /// attention's, which is in the scratch.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        stream: &mut D::Floats,
        saved: &mut MlpSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let StreamScratch { normed, picked, beside, .. } = &mut scratch.stream;
        let MlpSaved { norm: kept, input: saved_input, down, end } = saved;
        if let Some(norm) = &self.norm {
            norm.forward(pass, group, stream, pass.rows.queries, kept, normed);
        }
        let values = self.read(pass, normed, picked);
        let MlpScratch { activated, input, .. } = &mut scratch.mlp;
        self.input.forward(pass, group, values, saved_input, input, &mut scratch.adapters);
        self.input.activate(pass, saved_input, activated);
        let input = LinearInput { values: activated, rows: pass.rows.set };
        let out = self.end.output(stream, beside);
        self.down.forward(pass, group, input, down, &mut scratch.adapters, out);
        self.end.forward(pass, group, pass.rows.queries, beside, end, stream);
    }

    /// The rows that it reads: those of its own norm, or the same rows of attention's.
    fn read<'a>(&self, pass: &Pass<D>, normed: &'a D::Operands, picked: &'a D::Operands) -> &'a D::Operands {
        if self.is_parallel() && pass.rows.are_picked() { picked } else { normed }
    }

    /// Turns the gradient of the stream after the MLP into that before it, and adds those of its parameters.
    ///
    /// Overwrites what the way in kept in `saved`.
    ///
    /// # Panics
    /// Without a norm of its own: then it is [`Mlp::parallel_backward`].
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        stream: &mut D::Floats,
        saved: &mut MlpSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let norm = self.norm.as_ref().expect("a norm of its own");
        let rows = pass.rows.queries;
        let StreamScratch { beside, rounded_gradient, .. } = &mut scratch.stream;
        let to = (beside, rounded_gradient);
        self.end.backward(pass, group.as_deref_mut(), rows, stream, &saved.end, to);
        self.down_backward(pass, group.as_deref_mut(), saved, scratch);
        let kept = &saved.norm;
        if pass.mode == Mode::Training {
            norm.recompute(pass, group.as_deref(), rows, kept, &mut scratch.stream.normed);
        }
        self.input_backward(pass, group.as_deref_mut(), saved, scratch);
        let (kept, normed_gradient) = (&saved.norm, &mut scratch.stream.normed_gradient);
        let (shared, out) = (group.as_deref(), Output::Store(&mut *normed_gradient));
        self.input.input_gradient(pass, shared, &saved.input, &scratch.mlp.input, out);
        norm.backward(pass, shared, rows, kept, normed_gradient, stream);
        norm.gain_backward(pass, group, rows, kept, normed_gradient);
    }

    /// Where it stands beside attention: adds its share to the gradient of the norm's output in the scratch if that is
    /// `wanted`, and adds the gradients of its parameters. The gradient of the stream as an operand, and where the layer
    /// trains the norm's output, are in the scratch.
    ///
    /// Overwrites what the way in kept in `saved`.
    pub(crate) fn parallel_backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        wanted: bool,
        saved: &mut MlpSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        self.down_backward(pass, group.as_deref_mut(), saved, scratch);
        self.input_backward(pass, group.as_deref_mut(), saved, scratch);
        if !wanted {
            return;
        }
        let Pass { device, config, rows, .. } = pass;
        let StreamScratch { normed_gradient, picked_gradient, .. } = &mut scratch.stream;
        let (group, kept, work) = (group.as_deref(), &saved.input, &scratch.mlp.input);
        if rows.are_picked() {
            let out = Output::Store(&mut *picked_gradient);
            self.input.input_gradient(pass, group, kept, work, out);
            device.add_rows(picked_gradient, config.hidden_size, rows.layout, normed_gradient);
        } else {
            self.input.input_gradient(pass, group, kept, work, Output::Add(normed_gradient, 0));
        }
    }

    /// From the gradient of the gated values to those of the way in.
    fn input_backward(
        &self,
        pass: &Pass<D>,
        group: Option<&mut Group<D>>,
        saved: &mut MlpSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let StreamScratch { normed, picked, .. } = &scratch.stream;
        let read = self.read(pass, normed, picked);
        let MlpScratch { activated_gradient, input, .. } = &mut scratch.mlp;
        let work = (input, &mut scratch.adapters);
        self.input.backward(pass, group, read, &mut saved.input, activated_gradient, work);
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
        let (out, kept) = (&scratch.stream.rounded_gradient, &saved.down);
        let adapters: &mut AdapterScratch<D> = &mut scratch.adapters;
        let MlpScratch { activated, activated_gradient, down, .. } = &mut scratch.mlp;
        if pass.mode == Mode::Training {
            self.input.activate(pass, &saved.input, activated);
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
