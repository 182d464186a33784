//! Root-mean-square norms of a layer: of the residual stream, and of queries or keys.

use irtune_device::{Device, DeviceError, Norm, NormInput};

use super::{Mode, Pass};
use crate::{
    base::Base,
    error::ModelError,
    families::{Kind, Role},
    parameters::{entries::Entry, group::Group, masters},
};

/// A norm's gain, frozen or trained.
pub(crate) struct Gain<D: Device> {
    values: D::Floats,
    width: usize,
    epsilon: f32,
    /// What the values have added before they multiply.
    plus: f32,
    /// Where the trained copy is among the entries of the layer's group, when its own weights train.
    pub(super) entry: usize,
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
        let plus = config.family.gain_offset(role);
        Ok(Self { values, width: gain.len(), epsilon: config.norm_epsilon, plus, entry })
    }

    /// Copies the gain to its place among the layer's master copies.
    pub(crate) fn copy_weights(&self, device: &D, entries: &[Entry], values: &mut D::Floats) {
        device.copy(&self.values, values, entries[self.entry].offset, self.width);
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
    /// `[rows, width]`
    pub(crate) input: D::Operands,
    /// Reciprocal root mean squares, `[rows]`.
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
            Some(gain) => {
                device.rms_norm_backward(gain.norm(group), saved.input(rows), out_gradient, gradient);
            }
            None => device.add_scaled(out_gradient, 1.0, rows * pass.config.hidden_size, gradient),
        }
    }

    /// Adds the gain's gradient where the layer's own weights train.
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
