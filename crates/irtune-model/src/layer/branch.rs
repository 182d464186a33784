//! The ends of a layer's branches: what the residual stream becomes before a branch, and how a branch's output is added.
//!
//! # Source
//! `Gemma2DecoderLayer` (norms on both ends), `Olmo2DecoderLayer` (on the output) and `GraniteDecoderLayer` (a factor) of
//! transformers.

use irtune_device::{Device, DeviceError, Output};

use super::{
    Mode, Pass,
    norm::{Gain, NormSaved, weights_train},
};
use crate::{
    base::Base, base::config::ModelConfig, error::ModelError, families::Role, parameters::group::Group,
};

/// How a branch's output is added to the residual stream.
pub(crate) struct BranchEnd<D: Device> {
    norm: Option<Gain<D>>,
    /// What the output is multiplied by.
    scale: f32,
}

/// What its forward leaves for its backward.
pub(crate) struct BranchSaved<D: Device> {
    norm: Option<NormSaved<D>>,
}

impl<D: Device> BranchSaved<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        role: Role,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let has_norm = (0..config.layers).any(|layer| config.layer(layer).has(role));
        let norm = has_norm.then(|| NormSaved::new(device, tokens, config.hidden_size));
        Ok(Self { norm: norm.transpose()? })
    }
}

impl<D: Device> BranchEnd<D> {
    /// That of a layer, with the norm of a role where the layer has it.
    ///
    /// # Errors
    /// When the base lacks the norm.
    pub(crate) fn new(device: &D, base: &Base, layer: usize, role: Role) -> Result<Self, ModelError> {
        let spec = base.config.layer(layer);
        let norm = spec.has(role).then(|| Gain::new(device, base, layer, role));
        Ok(Self { norm: norm.transpose()?, scale: spec.residual_scale })
    }

    /// Its norm's gain.
    pub(crate) fn gain(&self) -> Option<&Gain<D>> {
        self.norm.as_ref()
    }

    /// Whether outputs are added as they are.
    fn is_plain(&self) -> bool {
        self.norm.is_none() && self.scale == 1.0
    }

    /// Where the branch's last projection writes: on top of the stream, or beside it if something is left to do.
    pub(crate) fn output<'a>(&self, stream: &'a mut D::Floats, beside: &'a mut D::Floats) -> Output<'a, D> {
        if self.is_plain() { Output::Add(stream, 0) } else { Output::Store(beside) }
    }

    /// Adds to the stream what was written beside it, `[rows, hidden]`.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        rows: usize,
        beside: &D::Floats,
        saved: &mut BranchSaved<D>,
        stream: &mut D::Floats,
    ) {
        let (device, length) = (pass.device, rows * pass.config.hidden_size);
        match (&self.norm, &mut saved.norm) {
            (Some(norm), Some(saved)) => {
                if pass.mode != Mode::NoGrad {
                    device.round(beside, 0, length, &mut saved.input);
                }
                device.rms_norm_add(norm.norm(group), beside, rows, stream, &mut saved.rstd);
            }
            _ if !self.is_plain() => device.add_scaled(beside, self.scale, length, stream),
            _ => {}
        }
    }

    /// From the gradient of the stream to that of the branch's output, as operands; adds the gain's where the layer's own
    /// weights train.
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        group: Option<&mut Group<D>>,
        rows: usize,
        gradient: &D::Floats,
        saved: &BranchSaved<D>,
        (beside, out): (&mut D::Floats, &mut D::Operands),
    ) {
        let (device, length) = (pass.device, rows * pass.config.hidden_size);
        if self.is_plain() {
            return device.round(gradient, 0, length, out);
        }
        device.clear(beside, 0, length);
        match (&self.norm, &saved.norm) {
            (Some(norm), Some(saved)) => {
                let input = saved.input(rows);
                device.rms_norm_backward(norm.norm(group.as_deref()), input, gradient, beside);
                if let Some(group) = group.filter(|group| weights_train(pass, Some(group))) {
                    let (gains, offset) = group.master_gradient(norm.entry);
                    device.rms_norm_gain_backward(norm.norm(None), input, gradient, gains, offset);
                }
            }
            _ => device.add_scaled(gradient, self.scale, length, beside),
        }
        device.round(beside, 0, length, out);
    }
}
