//! All activation memory of a run, made once for its largest batch and reused.
//!
//! Buffers start as untouched zero pages, so what a run never needs (layers below the lowest training one) never
//! becomes resident.

use irtune_device::Device;

use crate::{
    adapters::{
        projection::Projection,
        site::{AdapterScratch, SavedAdapter},
    },
    config::ModelConfig,
    engine::Trained,
};

/// What a layer's forward leaves for its backward.
pub(crate) struct Saved<D: Device> {
    /// Residual stream at the layer's beginning, `[tokens, hidden]`.
    pub(crate) attention_input: D::Operands,
    /// `[tokens]`
    pub(crate) attention_scales: D::Floats,
    /// `[tokens, heads · head_size]`, turned.
    pub(crate) queries: D::Operands,
    /// `[tokens, key_value_heads · head_size]`, turned.
    pub(crate) keys: D::Operands,
    /// `[tokens, key_value_heads · head_size]`
    pub(crate) values: D::Operands,
    /// `[tokens, heads · head_size]`
    pub(crate) context: D::Operands,
    /// `[tokens, heads]`
    pub(crate) log_sums: D::Floats,
    /// Residual stream between attention and MLP, `[tokens, hidden]`.
    pub(crate) mlp_input: D::Operands,
    /// `[tokens]`
    pub(crate) mlp_scales: D::Floats,
    /// `[tokens, intermediate]`
    pub(crate) gate: D::Operands,
    /// `[tokens, intermediate]`
    pub(crate) up: D::Operands,
    /// By [`Projection`].
    pub(crate) adapters: [Option<SavedAdapter<D>>; 7],
}

/// Memory that every layer uses in turn.
pub(crate) struct Scratch<D: Device> {
    /// `[tokens, hidden]`: a norm's output.
    pub(crate) normed: D::Operands,
    /// `[examples, hidden]`: the pooled rows of `normed`, in the last layer.
    pub(crate) picked: D::Operands,
    /// `[tokens, intermediate]`
    pub(crate) activated: D::Operands,
    /// `[tokens, intermediate]`
    pub(crate) activated_gradient: D::Operands,
    /// `[tokens, hidden]`: the residual stream's gradient as an operand.
    pub(crate) rounded_gradient: D::Operands,
    /// `[tokens, heads · head_size]`
    pub(crate) context_gradient: D::Operands,
    /// `[tokens, heads · head_size]`
    pub(crate) query_gradient: D::Operands,
    /// `[tokens, key_value_heads · head_size]`
    pub(crate) key_gradient: D::Operands,
    /// `[tokens, key_value_heads · head_size]`
    pub(crate) value_gradient: D::Operands,
    /// `[partial rows, 2, key_value_heads · head_size]`
    pub(crate) partial_gradient: D::Floats,
    /// `[tokens, hidden]`
    pub(crate) normed_gradient: D::Floats,
    /// `[examples, hidden]`
    pub(crate) picked_gradient: D::Floats,
    pub(crate) adapters: AdapterScratch<D>,
}

/// How large the buffers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Token rows.
    pub(crate) tokens: usize,
    /// Pooled rows.
    pub(crate) examples: usize,
    /// Rows of what attention's segments add to shared rows.
    pub(crate) partial_rows: usize,
}

impl Capacity {
    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.max(other.tokens),
            examples: self.examples.max(other.examples),
            partial_rows: self.partial_rows.max(other.partial_rows),
        }
    }
}

/// How many layers keep their activations, and how many more only their input, to be computed again in the backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slots {
    pub(crate) kept: usize,
    pub(crate) again: usize,
}

/// All of a decoder's activations.
pub(crate) struct Workspace<D: Device> {
    pub(crate) capacity: Capacity,
    /// `[tokens, hidden]`
    pub(crate) residual: D::Floats,
    /// `[tokens, hidden]`
    pub(crate) residual_gradient: D::Floats,
    /// `[examples, hidden]`: the residual stream's pooled rows in the last layer, and their gradient.
    pub(crate) pooled_residual: D::Floats,
    pub(crate) pooled_gradient: D::Floats,
    /// `[examples, hidden]`: what the head reads.
    pub(crate) pooled: D::Floats,
    pub(crate) pooled_scales: D::Floats,
    /// `[examples, labels]`
    pub(crate) logits: D::Floats,
    pub(crate) logits_gradient: D::Floats,
    /// A slot for each layer that keeps its activations, at least one. Layers that keep nothing or are computed again lie
    /// below and use the first slot: in the forward it isn't filled yet, in the backward no longer needed.
    pub(crate) saved: Vec<Saved<D>>,
    /// `[tokens, hidden]` each: the residual stream at the beginning of the layers that are computed again.
    pub(crate) inputs: Vec<D::Floats>,
    pub(crate) scratch: Scratch<D>,
}

impl<D: Device> Workspace<D> {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        labels: usize,
        capacity: Capacity,
        slots: Slots,
    ) -> Self {
        let Capacity { tokens, examples, partial_rows } = capacity;
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let (query, key) = (config.query_size(), config.key_value_size());
        let saved = |_| Saved {
            attention_input: device.operands(tokens * hidden),
            attention_scales: device.floats(tokens),
            queries: device.operands(tokens * query),
            keys: device.operands(tokens * key),
            values: device.operands(tokens * key),
            context: device.operands(tokens * query),
            log_sums: device.floats(tokens * config.heads),
            mlp_input: device.operands(tokens * hidden),
            mlp_scales: device.floats(tokens),
            gate: device.operands(tokens * wide),
            up: device.operands(tokens * wide),
            adapters: Projection::ALL.map(|projection| {
                let adapter =
                    trained.adapter().filter(|adapter| adapter.target_modules().contains(&projection))?;
                let widths = adapter.widths(config, projection);
                Some(SavedAdapter::new(device, widths, tokens, adapter.dropout()))
            }),
        };
        Self {
            capacity,
            residual: device.floats(tokens * hidden),
            residual_gradient: device.floats(tokens * hidden),
            pooled_residual: device.floats(examples * hidden),
            pooled_gradient: device.floats(examples * hidden),
            pooled: device.floats(examples * hidden),
            pooled_scales: device.floats(examples),
            logits: device.floats(examples * labels),
            logits_gradient: device.floats(examples * labels),
            saved: (0..slots.kept.max(1)).map(saved).collect(),
            inputs: (0..slots.again).map(|_| device.floats(tokens * hidden)).collect(),
            scratch: Scratch {
                normed: device.operands(tokens * hidden),
                picked: device.operands(examples * hidden),
                activated: device.operands(tokens * wide),
                activated_gradient: device.operands(tokens * wide),
                rounded_gradient: device.operands(tokens * hidden),
                context_gradient: device.operands(tokens * query),
                query_gradient: device.operands(tokens * query),
                key_gradient: device.operands(tokens * key),
                value_gradient: device.operands(tokens * key),
                partial_gradient: device.floats(partial_rows * 2 * key),
                normed_gradient: device.floats(tokens * hidden),
                picked_gradient: device.floats(examples * hidden),
                adapters: AdapterScratch::new(device, config, trained, tokens),
            },
        }
    }

    /// Makes room for more partial rows, and leaves all else as it is.
    pub(crate) fn grow_partial_rows(&mut self, device: &D, config: &ModelConfig, partial_rows: usize) {
        self.capacity.partial_rows = partial_rows;
        self.scratch.partial_gradient = device.floats(0);
        self.scratch.partial_gradient = device.floats(partial_rows * 2 * config.key_value_size());
    }
}
