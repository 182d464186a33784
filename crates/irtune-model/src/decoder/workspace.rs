//! All activation memory of a run, made once for its largest batch and reused.
//!
//! Buffers start as untouched zero pages, so what a run never needs (layers below the lowest training one) never
//! becomes resident.

use irtune_device::{Device, DeviceError};

use crate::{
    adapters::Trained,
    base::config::ModelConfig,
    head::HeadInput,
    layer::{block::BlockSaved, scratch::Scratch},
};

/// How large the buffers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Token rows.
    pub(crate) tokens: usize,
    /// Rows that are read after the last layer.
    pub(crate) read_rows: usize,
    /// Rows of logits.
    pub(crate) examples: usize,
    /// Rows of what attention's segments add to shared rows.
    pub(crate) partial_rows: usize,
}

impl Capacity {
    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.max(other.tokens),
            read_rows: self.read_rows.max(other.read_rows),
            examples: self.examples.max(other.examples),
            partial_rows: self.partial_rows.max(other.partial_rows),
        }
    }
}

/// Widths of a head's input and output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadWidths {
    /// What is pooled of an example; 0 when the head reads the last row itself.
    pooled: usize,
    labels: usize,
}

impl HeadWidths {
    pub(crate) fn of(input: &HeadInput, labels: usize, hidden: usize) -> Self {
        let pooled = if input.scaling().is_some() { input.columns(hidden) } else { 0 };
        Self { pooled, labels }
    }
}

/// How many layers keep their activations, and how many more only their input (activation checkpointing): the backward
/// recomputes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slots {
    pub(crate) kept: usize,
    pub(crate) recomputed: usize,
}

/// All of a decoder's activations.
pub(crate) struct Workspace<D: Device> {
    pub(crate) capacity: Capacity,
    /// `[tokens, hidden]`
    pub(crate) residual: D::Floats,
    /// `[tokens, hidden]`
    pub(crate) residual_gradient: D::Floats,
    /// `[read rows, hidden]`: the residual stream's rows that are read after the last layer, and their gradient.
    pub(crate) read_residual: D::Floats,
    pub(crate) read_gradient: D::Floats,
    /// `[read rows, hidden]`: their norm, the last hidden states.
    pub(crate) read_states: D::Floats,
    pub(crate) read_rstd: D::Floats,
    /// `[examples, columns]`: what an edit head reads, and its gradient.
    pub(crate) pooled: D::Floats,
    pub(crate) pooled_gradient: D::Floats,
    /// `[examples, labels]`
    pub(crate) logits: D::Floats,
    pub(crate) logits_gradient: D::Floats,
    /// A slot for each layer that keeps its activations, at least one. Layers that keep nothing or are recomputed lie
    /// below and use the first slot: in the forward it isn't filled yet, in the backward no longer needed.
    pub(crate) saved: Vec<BlockSaved<D>>,
    /// `[tokens, hidden]` each: the residual stream at the beginning of the layers that are recomputed.
    pub(crate) inputs: Vec<D::Floats>,
    pub(crate) scratch: Scratch<D>,
}

impl<D: Device> Workspace<D> {
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        widths: HeadWidths,
        capacity: Capacity,
        slots: Slots,
    ) -> Result<Self, DeviceError> {
        let Capacity { tokens, read_rows, examples, partial_rows } = capacity;
        let HeadWidths { pooled, labels } = widths;
        let hidden = config.hidden_size;
        Ok(Self {
            capacity,
            residual: device.floats(tokens, hidden)?,
            residual_gradient: device.floats(tokens, hidden)?,
            read_residual: device.floats(read_rows, hidden)?,
            read_gradient: device.floats(read_rows, hidden)?,
            read_states: device.floats(read_rows, hidden)?,
            read_rstd: device.floats(read_rows, 1)?,
            pooled: device.floats(examples, pooled)?,
            pooled_gradient: device.floats(examples, pooled)?,
            logits: device.floats(examples, labels)?,
            logits_gradient: device.floats(examples, labels)?,
            saved: (0..slots.kept.max(1))
                .map(|_| BlockSaved::new(device, config, trained, tokens))
                .collect::<Result<_, _>>()?,
            inputs: (0..slots.recomputed).map(|_| device.floats(tokens, hidden)).collect::<Result<_, _>>()?,
            scratch: Scratch::new(device, config, trained, (tokens, read_rows, partial_rows))?,
        })
    }

    /// Makes room for more partial rows, and leaves all else as it is.
    pub(crate) fn grow_partial_rows(
        &mut self,
        device: &D,
        config: &ModelConfig,
        partial_rows: usize,
    ) -> Result<(), DeviceError> {
        self.capacity.partial_rows = 0;
        self.scratch.attention.grow_partial_rows(device, config, partial_rows)?;
        self.capacity.partial_rows = partial_rows;
        Ok(())
    }
}
