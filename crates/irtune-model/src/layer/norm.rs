//! Norms of a layer: of the residual stream (root-mean-square norms or layer norms), and of each head of queries or keys.

use irtune_device::{Device, DeviceError, LayerNorm, Norm, NormInput};

use super::{Mode, Pass};
use crate::{
    base::Base,
    error::ModelError,
    families::{Kind, Role},
    parameters::{entries::Entry, group::Group, masters},
};

/// A norm's gain, frozen or trained; of a layer norm with its bias.
pub(crate) struct Gain<D: Device> {
    values: D::Floats,
    width: usize,
    epsilon: f32,
    /// Where the trained copy is among the entries of the layer's group, when its own weights train.
    entry: usize,
    bias: Option<Bias<D>>,
}

/// A layer norm's bias.
struct Bias<D: Device> {
    values: D::Floats,
    /// As of the gain.
    entry: usize,
}

impl<D: Device> Gain<D> {
    /// The gain of a layer's norm.
    ///
    /// # Errors
    /// When the base lacks it.
    pub(crate) fn new(device: &D, base: &Base, layer: usize, role: Role) -> Result<Self, ModelError> {
        let config = &base.config;
        let gain = base.weights.vector(&config.family.weight_name(layer, role))?;
        let values = device.filled(&gain)?;
        let entry = masters::entry_of(config, layer, role, Kind::Weight);
        let entry = entry.expect("a layer has the norms of its specification");
        let bias = match masters::entry_of(config, layer, role, Kind::Bias) {
            Some(entry) => {
                let bias = base.weights.vector(&config.family.layer_name(layer, role, Kind::Bias))?;
                Some(Bias { values: device.filled(&bias)?, entry })
            }
            None => None,
        };
        Ok(Self { values, width: gain.len(), epsilon: config.norm_epsilon, entry, bias })
    }

    /// Copies gain and bias to their places among the layer's master copies.
    pub(crate) fn copy_weights(&self, device: &D, entries: &[Entry], values: &mut D::Floats) {
        device.copy(&self.values, values, entries[self.entry].offset, self.width);
        if let Some(bias) = &self.bias {
            device.copy(&bias.values, values, entries[bias.entry].offset, self.width);
        }
    }

    /// The layer norm, likewise, if it is one.
    fn layer_norm<'a>(&'a self, group: Option<&'a Group<D>>) -> Option<LayerNorm<'a, D>> {
        let bias = self.bias.as_ref()?;
        let master = group.and_then(|group| group.master_vector(bias.entry));
        Some(LayerNorm { norm: self.norm(group), bias: master.unwrap_or((&bias.values, 0)) })
    }

    /// The norm with the trained copy of its gain if it ever trained, else the file's.
    fn norm<'a>(&'a self, group: Option<&'a Group<D>>) -> Norm<'a, D> {
        let master = group.and_then(|group| group.master_vector(self.entry));
        let (gain, offset) = master.unwrap_or((&self.values, 0));
        Norm { gain, offset, width: self.width, epsilon: self.epsilon }
    }
}

/// Whether the layer's own weights train in this pass.
pub(crate) fn weights_train<D: Device>(pass: &Pass<D>, group: Option<&Group<D>>) -> bool {
    pass.mode == Mode::Training && group.is_some_and(Group::are_masters)
}

/// The norm of the residual stream.
pub(crate) struct StreamNorm<D: Device>(pub(crate) Gain<D>);

/// What a norm's forward leaves for its backward.
pub(crate) struct NormSaved<D: Device> {
    /// `[rows, width]`; of a layer norm less the rows' means.
    pub(crate) input: D::Operands,
    /// Reciprocal root mean squares or standard deviations, `[rows]`.
    rstd: D::Floats,
}

impl<D: Device> NormSaved<D> {
    /// For so many rows.
    pub(crate) fn new(device: &D, rows: usize, width: usize) -> Result<Self, DeviceError> {
        Ok(Self { input: device.operands(rows, width)?, rstd: device.floats(rows, 1)? })
    }

    fn input(&self, rows: usize) -> NormInput<'_, D, D::Operands> {
        NormInput { values: &self.input, rstd: &self.rstd, rows }
    }
}

impl<D: Device> StreamNorm<D> {
    /// `[rows, width]` of the stream to operands; keeps the input where a backward will follow.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        stream: &D::Floats,
        rows: usize,
        saved: &mut NormSaved<D>,
        out: &mut D::Operands,
    ) {
        let (device, norm) = (pass.device, self.0.norm(group));
        if let Some(norm) = self.0.layer_norm(group) {
            let NormSaved { input, rstd } = saved;
            let kept = (pass.mode != Mode::NoGrad).then_some(input);
            return device.layer_norm(norm, stream, rows, kept, out, rstd);
        }
        if pass.mode != Mode::NoGrad {
            device.round(stream, 0, rows * norm.width, &mut saved.input);
        }
        device.rms_norm(norm, stream, rows, out, &mut saved.rstd);
    }

    /// Recomputes the output from what the forward kept.
    pub(crate) fn recompute(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        rows: usize,
        saved: &NormSaved<D>,
        out: &mut D::Operands,
    ) {
        match self.0.layer_norm(group) {
            Some(norm) => pass.device.layer_norm_recompute(norm, saved.input(rows), out),
            None => pass.device.rms_norm_recompute(self.0.norm(group), saved.input(rows), out),
        }
    }

    /// Adds the input's gradient to `gradient`, given that of the output.
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        rows: usize,
        saved: &NormSaved<D>,
        out_gradient: &D::Floats,
        gradient: &mut D::Floats,
    ) {
        let (norm, input) = (self.0.norm(group), saved.input(rows));
        match self.0.bias {
            Some(_) => pass.device.layer_norm_backward(norm, input, out_gradient, gradient),
            None => pass.device.rms_norm_backward(norm, input, out_gradient, gradient),
        }
    }

    /// Adds the gradients of gain and bias where the layer's own weights train.
    pub(crate) fn gain_backward(
        &self,
        pass: &Pass<D>,
        group: Option<&mut Group<D>>,
        rows: usize,
        saved: &NormSaved<D>,
        out_gradient: &D::Floats,
    ) {
        let Some(group) = group.filter(|group| weights_train(pass, Some(group))) else { return };
        if let Some(bias) = &self.0.bias {
            let bias = group.master_gradient(bias.entry).1;
            let (gradient, gain) = group.master_gradient(self.0.entry);
            let (input, width) = (saved.input(rows), self.0.width);
            pass.device.layer_norm_parameters_backward(input, width, out_gradient, gradient, [gain, bias]);
            return;
        }
        // The gradient of a gain doesn't depend on the gain.
        let norm = self.0.norm(None);
        let (gradient, offset) = group.master_gradient(self.0.entry);
        pass.device.rms_norm_gain_backward(norm, saved.input(rows), out_gradient, gradient, offset);
    }
}

/// The norm of each head, with one gain for all heads.
pub(crate) struct HeadNorm<D: Device>(pub(crate) Gain<D>);

impl<D: Device> HeadNorm<D> {
    /// Normalises the input that `saved` holds; `rows` counts heads.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        rows: usize,
        saved: &mut NormSaved<D>,
        out: &mut D::Operands,
    ) {
        let NormSaved { input, rstd } = saved;
        pass.device.rms_norm_operands(self.0.norm(group), input, rows, out, rstd);
    }

    /// Replaces the output's gradient by the input's, and adds the gain's where the layer's own weights train.
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        group: Option<&mut Group<D>>,
        rows: usize,
        saved: &NormSaved<D>,
        gradient: &mut D::Operands,
    ) {
        let (device, input) = (pass.device, saved.input(rows));
        let group = match group {
            Some(group) if weights_train(pass, Some(group)) => {
                let (gains, offset) = group.master_gradient(self.0.entry);
                device.rms_norm_operands_gain_backward(self.0.norm(None), input, gradient, gains, offset);
                Some(group)
            }
            group => group,
        };
        device.rms_norm_operands_backward(self.0.norm(group.as_deref()), input, gradient);
    }
}
