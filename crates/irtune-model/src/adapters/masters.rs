//! Weights of the base that train: f32 master copies of a layer's matrices and norm gains.
//!
//! A layer's memory is made when it first trains: before, its group is empty and the mapped file serves. Gradients and
//! moments come from a pool of buffers that layers leave to each other, so that methods whose layers take turns need
//! memory for as many gradients as layers train in a step.
//!
//! # Source
//! Micikevicius et al., "Mixed Precision Training", 2018 (master copies); Luo, Yu & Li, "BAdam", NeurIPS 2024, and Pan
//! et al., "LISA", NeurIPS 2024 (gradients and moments of the layers that train alone).

use irtune_device::{BMatrix, Device, FloatMatrix, NormInput};

use crate::{
    adapters::{
        projection::Projection,
        state::{Entries, Entry, Group, Rest},
    },
    config::ModelConfig,
};

/// The norms of a layer whose gains train, in the order of the forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Norm {
    /// Before attention.
    Attention,
    /// Before the MLP.
    Mlp,
}

impl Norm {
    const ALL: [Norm; 2] = [Norm::Attention, Norm::Mlp];
}

/// Every tensor of a layer that trains, with its shape, in the order that files and engines keep them: the norm gains,
/// then the projections.
pub(crate) fn layer_tensors(config: &ModelConfig, layer: usize) -> Vec<(String, Vec<usize>)> {
    config.layer_tensors(layer).into_iter().map(|tensor| (tensor.name, tensor.shape)).collect()
}

/// Number of values of a layer that train.
pub(crate) fn layer_parameters(config: &ModelConfig) -> usize {
    let sizes = layer_tensors(config, 0).into_iter().map(|(_, shape)| shape.iter().product::<usize>());
    sizes.sum()
}

/// Most outputs of a projection: rows of the largest weight gradient.
pub(crate) fn widest_output(config: &ModelConfig) -> usize {
    Projection::ALL.map(|projection| config.projection_shape(projection).0).into_iter().max().unwrap_or(0)
}

/// What a group of master copies has beside its values.
pub(crate) struct Masters<D: Device> {
    /// By [`Norm`]: the gains once more, as buffers of their own.
    gains: [D::Floats; 2],
    has_values: bool,
    has_gradient: bool,
    has_moments: bool,
}

/// Zeroed buffers, each as long as a layer's parameters, that layers leave to each other.
pub(crate) struct Spare<D: Device> {
    buffers: Vec<D::Floats>,
}

impl<D: Device> Spare<D> {
    /// An empty pool that can take every buffer of so many layers without growing.
    pub(crate) fn new(layers: usize) -> Self {
        Self { buffers: Vec::with_capacity(3 * layers) }
    }

    fn take(&mut self, device: &D, length: usize) -> D::Floats {
        self.buffers.pop().unwrap_or_else(|| device.floats(length))
    }

    fn leave(&mut self, device: &D, buffer: &mut D::Floats, length: usize) {
        let mut buffer = std::mem::replace(buffer, device.floats(0));
        device.clear(&mut buffer, 0, length);
        self.buffers.push(buffer);
    }
}

impl<D: Device> Group<D> {
    /// An empty group for the weights of a layer.
    pub(crate) fn masters(device: &D, config: &ModelConfig, layer: usize) -> Self {
        let mut entries = Entries::default();
        for (name, shape) in layer_tensors(config, layer) {
            match shape[..] {
                [rows, columns] => entries.matrix(name, rows, columns, Rest::Drawn),
                _ => entries.vector(name, shape, Rest::Drawn),
            };
        }
        let gains = Norm::ALL.map(|_| device.floats(config.hidden_size));
        let mut group = Self::new(device, Vec::new());
        group.masters = Some(Masters { gains, has_values: false, has_gradient: false, has_moments: false });
        Self { entries: entries.list, length: layer_parameters(config), ..group }
    }

    /// Whether these are weights of the base.
    pub(crate) fn are_masters(&self) -> bool {
        self.masters.is_some()
    }

    pub(super) fn has_values(&self) -> bool {
        self.masters.as_ref().is_none_or(|masters| masters.has_values)
    }

    pub(super) fn has_gradient(&self) -> bool {
        self.masters.as_ref().is_none_or(|masters| masters.has_gradient)
    }

    pub(super) fn has_moments(&self) -> bool {
        self.masters.as_ref().is_none_or(|masters| masters.has_moments)
    }

    /// The master copy of a projection, `[outputs, inputs]`, if there is one.
    pub(crate) fn master(&self, projection: Projection) -> Option<BMatrix<'_, D>> {
        self.masters.as_ref().filter(|masters| masters.has_values)?;
        let &Entry { offset, rows, columns, .. } = &self.entries[Norm::ALL.len() + projection as usize];
        Some(BMatrix::Master(FloatMatrix { values: &self.values, offset, rows, columns }))
    }

    /// The gain of a norm as it was trained, if it was.
    pub(crate) fn gain(&self, norm: Norm) -> Option<&D::Floats> {
        let masters = self.masters.as_ref().filter(|masters| masters.has_values)?;
        Some(&masters.gains[norm as usize])
    }

    /// Makes the memory that a step of this layer needs; `fill` writes the base's weights when they are first copied.
    pub(crate) fn prepare_masters(
        &mut self,
        device: &D,
        spare: &mut Spare<D>,
        fill: impl FnOnce(&[Entry], &mut D::Floats),
    ) {
        let Some(masters) = &mut self.masters else { return };
        if !std::mem::replace(&mut masters.has_gradient, true) {
            self.gradient = spare.take(device, self.length);
        }
        if !std::mem::replace(&mut masters.has_values, true) {
            self.values = device.floats(self.length);
            fill(&self.entries, &mut self.values);
            self.silent = false;
            self.refresh_gains(device);
        }
    }

    /// Makes moments for the update.
    pub(crate) fn prepare_moments(&mut self, device: &D, spare: &mut Spare<D>) {
        let Some(masters) = &mut self.masters else { return };
        if !std::mem::replace(&mut masters.has_moments, true) {
            self.first = spare.take(device, self.length);
            self.second = spare.take(device, self.length);
        }
    }

    /// Leaves the gradient to others.
    pub(crate) fn leave_gradient(&mut self, device: &D, spare: &mut Spare<D>) {
        let Some(masters) = &mut self.masters else { return };
        if std::mem::take(&mut masters.has_gradient) {
            spare.leave(device, &mut self.gradient, self.length);
        }
        self.dirty = false;
    }

    /// Leaves the moments to others, and counts steps anew.
    pub(crate) fn leave_moments(&mut self, device: &D, spare: &mut Spare<D>) {
        let Some(masters) = &mut self.masters else { return };
        if std::mem::take(&mut masters.has_moments) {
            spare.leave(device, &mut self.first, self.length);
            spare.leave(device, &mut self.second, self.length);
        }
        self.steps = 0;
    }

    /// Makes room for values that are to be loaded, or goes back to the base's weights.
    pub(crate) fn keep_masters(&mut self, device: &D, kept: bool) {
        let Some(masters) = &mut self.masters else { return };
        if std::mem::replace(&mut masters.has_values, kept) != kept {
            self.values = device.floats(if kept { self.length } else { 0 });
        }
        self.silent = !kept;
    }

    /// Whether one of the names is that of a value here (with `suffix` after it).
    pub(crate) fn is_named(&self, names: &std::collections::HashSet<&str>, suffix: &str) -> bool {
        self.entries.iter().any(|entry| names.contains(format!("{}{suffix}", entry.name).as_str()))
    }

    /// Copies the gains, which norms read as buffers of their own.
    pub(super) fn refresh_gains(&mut self, device: &D) {
        let Some(masters) = &mut self.masters else { return };
        for (gain, entry) in masters.gains.iter_mut().zip(&self.entries) {
            device.copy_part(&self.values, entry.offset, gain, entry.columns);
        }
    }

    /// Adds the gradient of a projection's weights, `output gradientᵀ · input`.
    ///
    /// # Shapes
    /// `input`: `[rows, inputs]`; `out_gradient`: `[rows, outputs]`; `turned`: room for it transposed.
    pub(crate) fn add_weight_gradient(
        &mut self,
        device: &D,
        projection: Projection,
        input: &D::Operands,
        out_gradient: &D::Operands,
        rows: usize,
        turned: &mut D::Operands,
    ) {
        let &Entry { offset, rows: outputs, columns: inputs, .. } =
            &self.entries[Norm::ALL.len() + projection as usize];
        self.dirty = true;
        self.add_outer(device, offset, rows, (out_gradient, outputs), (input, inputs), turned);
    }

    /// Adds the gradient of a norm's gain, from that of its output.
    ///
    /// # Shapes
    /// `input`: `[rows, hidden]`; `scales`: `[rows]`; `out_gradient`: `[rows, hidden]`.
    pub(crate) fn add_gain_gradient(
        &mut self,
        device: &D,
        norm: Norm,
        input: &D::Operands,
        rows: usize,
        scales: &D::Floats,
        out_gradient: &D::Floats,
    ) {
        let &Entry { offset, columns, .. } = &self.entries[norm as usize];
        self.dirty = true;
        let gradient = &mut self.gradient;
        let masters = self.masters.as_ref().expect("gains that train");
        let norm = irtune_device::Norm { gain: &masters.gains[norm as usize], width: columns, epsilon: 0.0 };
        let input = NormInput { values: input, rstd: scales, rows };
        device.rms_norm_gain_backward(norm, input, out_gradient, gradient, offset);
    }
}
