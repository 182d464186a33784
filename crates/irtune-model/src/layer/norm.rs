//! Norms of a layer: of the residual stream (root-mean-square norms or layer norms), and of queries or keys.

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
    /// What the values have added before they multiply.
    plus: f32,
    /// Where the trained copy is among the entries of the layer's group, when its own weights train.
    pub(super) entry: usize,
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
        let plus = config.family.gain_offset(role);
        Ok(Self { values, width: gain.len(), epsilon: config.norm_epsilon, plus, entry, bias })
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
    pub(super) fn norm<'a>(&'a self, group: Option<&'a Group<D>>) -> Norm<'a, D> {
        let master = group.and_then(|group| group.master_vector(self.entry));
        let (gain, offset) = master.unwrap_or((&self.values, 0));
        Norm { gain, offset, width: self.width, epsilon: self.epsilon, plus: self.plus }
    }
}

/// Whether the layer's own weights train in this pass.
pub(crate) fn weights_train<D: Device>(pass: &Pass<D>, group: Option<&Group<D>>) -> bool {
    pass.mode == Mode::Training && group.is_some_and(Group::are_masters)
}

/// What a branch reads of the residual stream: its norm, or in layers without one the stream itself.
pub(crate) struct StreamNorm<D: Device>(Option<Gain<D>>);

/// What a norm's forward leaves for its backward.
pub(crate) struct NormSaved<D: Device> {
    /// `[rows, width]`; of a layer norm less the rows' means.
    pub(crate) input: D::Operands,
    /// Reciprocal root mean squares or standard deviations, `[rows]`.
    pub(super) rstd: D::Floats,
}

impl<D: Device> NormSaved<D> {
    /// For so many rows.
    pub(crate) fn new(device: &D, rows: usize, width: usize) -> Result<Self, DeviceError> {
        Ok(Self { input: device.operands(rows, width)?, rstd: device.floats(rows, 1)? })
    }

    pub(super) fn input(&self, rows: usize) -> NormInput<'_, D, D::Operands> {
        NormInput { values: &self.input, rstd: &self.rstd, rows }
    }
}

impl<D: Device> StreamNorm<D> {
    /// That of a layer.
    ///
    /// # Errors
    /// When the base lacks its gain.
    pub(crate) fn new(device: &D, base: &Base, layer: usize, role: Role) -> Result<Self, ModelError> {
        let gain = base.config.layer(layer).has(role).then(|| Gain::new(device, base, layer, role));
        Ok(Self(gain.transpose()?))
    }

    /// Its gain.
    pub(crate) fn gain(&self) -> Option<&Gain<D>> {
        self.0.as_ref()
    }

    /// The layer norm, if it is one.
    fn layer_norm<'a>(&'a self, group: Option<&'a Group<D>>) -> Option<LayerNorm<'a, D>> {
        self.0.as_ref().and_then(|gain| gain.layer_norm(group))
    }

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
        let (device, length) = (pass.device, rows * pass.config.hidden_size);
        if let Some(norm) = self.layer_norm(group) {
            let NormSaved { input, rstd } = saved;
            let kept = (pass.mode != Mode::NoGrad).then_some(input);
            return device.layer_norm(norm, stream, rows, kept, out, rstd);
        }
        if pass.mode != Mode::NoGrad {
            device.round(stream, 0, length, &mut saved.input);
        }
        match &self.0 {
            Some(gain) => device.rms_norm(gain.norm(group), stream, rows, out, &mut saved.rstd),
            None => device.round(stream, 0, length, out),
        }
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
        if let Some(norm) = self.layer_norm(group) {
            return pass.device.layer_norm_recompute(norm, saved.input(rows), out);
        }
        match &self.0 {
            Some(gain) => pass.device.rms_norm_recompute(gain.norm(group), saved.input(rows), out),
            None => pass.device.copy_operands(&saved.input, rows * pass.config.hidden_size, out),
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
        let device = pass.device;
        match &self.0 {
            Some(gain) if gain.bias.is_some() => {
                device.layer_norm_backward(gain.norm(group), saved.input(rows), out_gradient, gradient);
            }
            Some(gain) => {
                device.rms_norm_backward(gain.norm(group), saved.input(rows), out_gradient, gradient);
            }
            None => device.add_scaled(out_gradient, 1.0, rows * pass.config.hidden_size, gradient),
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
        let group = group.filter(|group| weights_train(pass, Some(group)));
        let (Some(group), Some(gain)) = (group, &self.0) else { return };
        if let Some(bias) = &gain.bias {
            let bias = group.master_gradient(bias.entry).1;
            let (gradient, offset) = group.master_gradient(gain.entry);
            let (input, offsets) = (saved.input(rows), [offset, bias]);
            let (device, width) = (pass.device, gain.width);
            device.layer_norm_parameters_backward(input, width, out_gradient, gradient, offsets);
            return;
        }
        // The gradient of a gain doesn't depend on the gain.
        let norm = gain.norm(None);
        let (gradient, offset) = group.master_gradient(gain.entry);
        pass.device.rms_norm_gain_backward(norm, saved.input(rows), out_gradient, gradient, offset);
    }
}

/// The norm of each head of queries or keys, with one gain for all heads, or of all heads of a position together.
pub(crate) struct HeadNorm<D: Device> {
    gain: Gain<D>,
    /// Norms of a position.
    heads: usize,
}

impl<D: Device> HeadNorm<D> {
    /// That of a layer.
    ///
    /// # Errors
    /// When the base lacks its gain.
    pub(crate) fn new(device: &D, base: &Base, layer: usize, role: Role) -> Result<Self, ModelError> {
        let (config, gain) = (&base.config, Gain::new(device, base, layer, role)?);
        let columns = if role == Role::QueryNorm { config.query_size() } else { config.key_value_size() };
        Ok(Self { heads: columns / gain.width, gain })
    }

    /// Its gain.
    pub(crate) fn gain(&self) -> &Gain<D> {
        &self.gain
    }

    /// Normalises the input that `saved` holds, of so many positions.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        rows: usize,
        saved: &mut NormSaved<D>,
        out: &mut D::Operands,
    ) {
        let NormSaved { input, rstd } = saved;
        pass.device.rms_norm_operands(self.gain.norm(group), input, rows * self.heads, out, rstd);
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
        let (device, input) = (pass.device, saved.input(rows * self.heads));
        let group = match group {
            Some(group) if weights_train(pass, Some(group)) => {
                let (gains, offset) = group.master_gradient(self.gain.entry);
                device.rms_norm_operands_gain_backward(self.gain.norm(None), input, gradient, gains, offset);
                Some(group)
            }
            group => group,
        };
        device.rms_norm_operands_backward(self.gain.norm(group.as_deref()), input, gradient);
    }
}
