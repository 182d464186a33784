//! Weights of the base that train: f32 master copies of a layer's matrices and norm gains.
//!
//! A layer's memory is made when it first trains: before, its group is empty and the mapped file serves. Gradients and
//! moments come from a pool of buffers that layers leave to each other, so that methods whose layers take turns need
//! memory for as many gradients as layers train in a step.
//!
//! # Source
//! Micikevicius et al., "Mixed Precision Training", 2018 (master copies); Luo, Yu & Li, "BAdam", NeurIPS 2024, and Pan
//! et al., "LISA", NeurIPS 2024 (gradients and moments of the layers that train alone).

use irtune_device::{Device, DeviceError, FloatMatrix};

use super::{
    entries::{Entries, Entry, Initial},
    group::Group,
};
use crate::{
    base::config::{LayerTensor, ModelConfig},
    families::{Kind, Role},
};

/// Every tensor of a layer that trains, with its shape in files, in the order that files and engines keep them: the norms,
/// then the projections.
pub(crate) fn layer_tensors(config: &ModelConfig, layer: usize) -> Vec<(String, Vec<usize>)> {
    let tensors = config.layer_tensors(layer).into_iter();
    tensors.map(|tensor| (tensor.name.clone(), tensor.stored_shape())).collect()
}

/// Which of [`layer_tensors`] a tensor is.
pub(crate) fn entry_of(config: &ModelConfig, layer: usize, role: Role, kind: Kind) -> Option<usize> {
    config.layer_tensors(layer).iter().position(|tensor| (tensor.role, tensor.kind) == (role, kind))
}

/// Number of values that train in the largest layer.
pub(crate) fn most_parameters(config: &ModelConfig) -> usize {
    let values = |(_, shape): (String, Vec<usize>)| shape.iter().product::<usize>();
    let layers = (0..config.layers).map(|layer| layer_tensors(config, layer).into_iter().map(values).sum());
    layers.max().unwrap_or(0)
}

/// Most outputs of a projection: rows of the largest weight gradient.
pub(crate) fn widest_output(config: &ModelConfig) -> usize {
    config.projections().map(|projection| config.projection_shape(projection).0).max().unwrap_or(0)
}

/// What a group of master copies has beside its values.
pub(crate) struct Masters {
    has_values: bool,
    has_gradient: bool,
    has_moments: bool,
}

/// Zeroed buffers, each as long as the largest layer's parameters, that layers leave to each other.
pub(crate) struct Spare<D: Device> {
    buffers: Vec<D::Floats>,
    length: usize,
}

impl<D: Device> Spare<D> {
    /// An empty pool that can take every buffer of all layers without growing.
    pub(crate) fn new(config: &ModelConfig) -> Self {
        Self { buffers: Vec::with_capacity(3 * config.layers), length: most_parameters(config) }
    }

    fn take(&mut self, device: &D) -> Result<D::Floats, DeviceError> {
        self.buffers.pop().map_or_else(|| device.floats(self.length, 1), Ok)
    }

    fn leave(&mut self, device: &D, buffer: &mut D::Floats, length: usize) {
        let mut buffer = std::mem::take(buffer);
        device.clear(&mut buffer, 0, length);
        self.buffers.push(buffer);
    }
}

impl<D: Device> Group<D> {
    /// An empty group for the weights of a layer.
    pub(crate) fn masters(device: &D, config: &ModelConfig, layer: usize) -> Result<Self, DeviceError> {
        let mut entries = Entries::default();
        for LayerTensor { name, shape, transposed, .. } in config.layer_tensors(layer) {
            match shape[..] {
                [rows, columns] if transposed => entries.transposed(name, rows, columns, Initial::Drawn),
                [rows, columns] => entries.matrix(name, rows, columns, Initial::Drawn),
                _ => entries.vector(name, shape, Initial::Drawn),
            };
        }
        let length = entries.list.iter().map(Entry::length).sum();
        let masters = Masters { has_values: false, has_gradient: false, has_moments: false };
        Ok(Self { length, masters: Some(masters), ..Self::sized(device, entries.list, 0)? })
    }

    /// Whether these are weights of the base.
    pub(crate) fn are_masters(&self) -> bool {
        self.masters.is_some()
    }

    pub(super) fn has_values(&self) -> bool {
        self.masters.as_ref().is_none_or(|masters| masters.has_values)
    }

    pub(crate) fn has_gradient(&self) -> bool {
        self.masters.as_ref().is_none_or(|masters| masters.has_gradient)
    }

    pub(super) fn has_moments(&self) -> bool {
        self.masters.as_ref().is_none_or(|masters| masters.has_moments)
    }

    /// The entry of a tensor that was trained, if it was.
    fn trained(&self, entry: usize) -> Option<&Entry> {
        self.masters.as_ref().filter(|masters| masters.has_values)?;
        Some(&self.entries[entry])
    }

    /// The master copy of a matrix, if there is one.
    pub(crate) fn master(&self, entry: usize) -> Option<FloatMatrix<'_, D>> {
        let &Entry { offset, rows, columns, .. } = self.trained(entry)?;
        Some(FloatMatrix { values: &self.values, offset, rows, columns })
    }

    /// The master copy of a vector with the place where it begins, if there is one.
    pub(crate) fn master_vector(&self, entry: usize) -> Option<(&D::Floats, usize)> {
        Some((&self.values, self.trained(entry)?.offset))
    }

    /// Where the gradient of a tensor goes.
    pub(crate) fn master_gradient(&mut self, entry: usize) -> (&mut D::Floats, usize) {
        self.dirty = true;
        (&mut self.gradient, self.entries[entry].offset)
    }

    /// Makes the memory that a step of this layer needs; `fill` writes the base's weights when they are first copied.
    pub(crate) fn prepare_masters(
        &mut self,
        device: &D,
        spare: &mut Spare<D>,
        fill: impl FnOnce(&[Entry], &mut D::Floats),
    ) -> Result<(), DeviceError> {
        let Some(masters) = &mut self.masters else { return Ok(()) };
        if !masters.has_gradient {
            self.gradient = spare.take(device)?;
            masters.has_gradient = true;
        }
        if !masters.has_values {
            self.values = device.floats(self.length, 1)?;
            masters.has_values = true;
            fill(&self.entries, &mut self.values);
            self.is_identity = false;
        }
        Ok(())
    }

    /// Makes moments for the update.
    pub(crate) fn prepare_moments(&mut self, device: &D, spare: &mut Spare<D>) -> Result<(), DeviceError> {
        let Some(masters) = &mut self.masters else { return Ok(()) };
        if !masters.has_moments {
            self.first = spare.take(device)?;
            self.second = spare.take(device)?;
            masters.has_moments = true;
        }
        Ok(())
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
    pub(crate) fn keep_masters(&mut self, device: &D, kept: bool) -> Result<(), DeviceError> {
        let Some(masters) = &mut self.masters else { return Ok(()) };
        if masters.has_values != kept {
            self.values = if kept { device.floats(self.length, 1)? } else { D::Floats::default() };
            masters.has_values = kept;
        }
        self.is_identity = !kept;
        Ok(())
    }

    /// Whether one of the names is that of a value here (with `suffix` after it).
    pub(crate) fn is_named(&self, names: &std::collections::HashSet<&str>, suffix: &str) -> bool {
        self.entries.iter().any(|entry| names.contains(format!("{}{suffix}", entry.name).as_str()))
    }
}
