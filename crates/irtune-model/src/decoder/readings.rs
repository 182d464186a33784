//! What a step's passes leave on the device to be read once: losses, cosines, and sums of squares of gradients.

use std::ops::Range;

use irtune_device::{Device, DeviceError, Slot};

use crate::parameters::group::Group;

/// What a training step reads back, all at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepReadings {
    /// The sum of losses of every pass since the gradients were zero, in their order.
    pub losses: Vec<f64>,
    /// L2 norm of the head's gradient.
    pub head_norm: f64,
    /// As [`Train::layer_cosines`](crate::engine::Train::layer_cosines): by layer, or nothing if none were watched.
    pub cosines: Vec<f64>,
    /// L2 norm of each parameter's gradient, by layer; empty for layers that were not asked for.
    pub layer_norms: Vec<Vec<f64>>,
}

/// Passes whose losses stay on the device; more are read in between.
const PASSES: usize = 64;

/// The results of a device, and where each of them is.
pub(super) struct Readings<D: Device> {
    scalars: D::Scalars,
    host: Vec<f64>,
    /// Passes since the gradients were zero whose losses are among the results.
    passes: usize,
    /// Losses of passes before them.
    earlier: Vec<f64>,
    layers: usize,
    /// By layer, where the sums of squares of its entries' gradients are.
    entries: Vec<Range<usize>>,
    head: usize,
}

impl<D: Device> Readings<D> {
    /// For a decoder of so many layers with these groups.
    pub(super) fn new(device: &D, layers: usize, groups: &[Group<D>]) -> Result<Self, DeviceError> {
        let mut entries = Vec::new();
        let mut at = PASSES + 1 + layers;
        for group in groups {
            entries.push(at..at + group.entries.len());
            at += group.entries.len();
        }
        let (scalars, host) = (device.scalars(at + 1)?, vec![0.0; at + 1]);
        Ok(Self { scalars, host, passes: 0, earlier: Vec::new(), layers, entries, head: at })
    }

    fn slot(&mut self, at: usize) -> Slot<'_, D> {
        Slot { scalars: &mut self.scalars, at }
    }

    /// Makes room for the loss of a training pass and says where it goes; it is zero there.
    pub(super) fn loss_slot(&mut self, device: &D) -> Slot<'_, D> {
        if self.passes == PASSES {
            device.read(&self.scalars, &mut self.host[..PASSES]);
            self.earlier.extend_from_slice(&self.host[..PASSES]);
            self.passes = 0;
        }
        self.passes += 1;
        let at = self.passes - 1;
        device.zero(self.slot(at));
        self.slot(at)
    }

    /// Where the loss of a pass in evaluation goes; it is zero there.
    pub(super) fn evaluated_slot(&mut self, device: &D) -> Slot<'_, D> {
        device.zero(self.slot(PASSES));
        self.slot(PASSES)
    }

    /// Reads the loss of the last pass in evaluation.
    pub(super) fn evaluated(&mut self, device: &D) -> f64 {
        device.read(&self.scalars, &mut self.host[..=PASSES]);
        self.host[PASSES]
    }

    /// Reads the loss of the last training pass.
    pub(super) fn last_loss(&mut self, device: &D) -> f64 {
        device.read(&self.scalars, &mut self.host[..self.passes]);
        self.host[self.passes - 1]
    }

    /// Where a layer's cosines are summed.
    pub(super) fn cosine_slot(&mut self, layer: usize) -> Slot<'_, D> {
        self.slot(PASSES + 1 + layer)
    }

    /// Forgets the losses of earlier passes.
    pub(super) fn forget_losses(&mut self) {
        self.passes = 0;
        self.earlier.clear();
    }

    /// Sets the sums of cosines to zero.
    pub(super) fn forget_cosines(&mut self, device: &D) {
        (0..self.layers).for_each(|layer| device.zero(self.cosine_slot(layer)));
    }

    /// Reads the sums of cosines, by layer.
    pub(super) fn cosines(&mut self, device: &D) -> &[f64] {
        let end = PASSES + 1 + self.layers;
        device.read(&self.scalars, &mut self.host[..end]);
        &self.host[PASSES + 1..end]
    }

    /// Reads the gradient norms of a layer.
    pub(super) fn layer_norms(&mut self, device: &D, layer: usize, group: &Group<D>, out: &mut Vec<f64>) {
        let range = self.entries[layer].clone();
        if group.gradient_squares(device, self.slot(range.start)) {
            device.read(&self.scalars, &mut self.host[..range.end]);
        } else {
            self.host[range.clone()].fill(0.0);
        }
        out.extend(self.host[range].iter().map(|square| square.sqrt()));
    }

    /// Reads the gradient norm of the head.
    pub(super) fn head_norm(&mut self, device: &D, head: &Group<D>) -> f64 {
        head.gradient_squares(device, self.slot(self.head));
        device.read(&self.scalars, &mut self.host[..=self.head]);
        self.host[self.head].sqrt()
    }

    /// Reads everything about a step at once: of the layers that `active` names, and of the head.
    pub(super) fn step(
        &mut self,
        device: &D,
        groups: &[Group<D>],
        head: Option<&Group<D>>,
        active: &[bool],
        out: &mut StepReadings,
    ) {
        let StepReadings { losses, head_norm, layer_norms, cosines } = out;
        let wanted = |layer: usize| active.get(layer).copied().unwrap_or(false);
        for (layer, group) in groups.iter().enumerate().filter(|(layer, _)| wanted(*layer)) {
            let at = self.entries[layer].start;
            group.gradient_squares(device, self.slot(at));
        }
        if let Some(head) = head {
            let at = self.head;
            head.gradient_squares(device, self.slot(at));
        }
        device.read(&self.scalars, &mut self.host);
        losses.clear();
        losses.extend(self.earlier.iter().chain(&self.host[..self.passes]));
        *head_norm = head.map_or(0.0, |_| self.host[self.head].sqrt());
        layer_norms.resize_with(groups.len(), Vec::new);
        for (layer, (group, norms)) in groups.iter().zip(layer_norms).enumerate() {
            norms.clear();
            if wanted(layer) {
                let has = group.has_gradient();
                let norm = |square: &f64| if has { square.sqrt() } else { 0.0 };
                norms.extend(self.host[self.entries[layer].clone()].iter().map(norm));
            }
        }
        cosines.clear();
        cosines.extend_from_slice(&self.host[PASSES + 1..PASSES + 1 + self.layers]);
    }
}
