//! Grouped-query attention of a layer: norm, projections, norms of queries and keys where the family has them, rotary
//! positions, attention, output projection, added to the residual stream.
//!
//! # Source
//! Ainslie et al., "GQA", 2023; `LlamaAttention` and `Qwen3Attention` of transformers.

use arrayvec::ArrayVec;
use irtune_device::{
    AttentionGradients, AttentionInputs, AttentionOutputs, Device, DeviceError, Epilogue, Output, RowSet,
    Scores, Side, Term,
};

use super::{
    Mode, Pass,
    branch::{BranchEnd, BranchSaved},
    linear::{Linear, LinearInput, LinearSaved, LinearScratch},
    norm::{Gain, HeadNorm, NormSaved, StreamNorm, weights_train},
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

/// The attention of a layer.
pub(crate) struct Attention<D: Device> {
    scores: Scores,
    norm: StreamNorm<D>,
    query: Linear<D>,
    key: Linear<D>,
    value: Linear<D>,
    output: Linear<D>,
    end: BranchEnd<D>,
    /// Of queries and keys.
    head_norms: Option<[HeadNorm<D>; 2]>,
}

/// What the forward leaves for the backward.
pub(crate) struct AttentionSaved<D: Device> {
    norm: NormSaved<D>,
    /// `[tokens, heads · head_size]`, rotated.
    queries: D::Operands,
    /// `[tokens, key_value_heads · head_size]`, rotated.
    keys: D::Operands,
    /// `[tokens, key_value_heads · head_size]`
    values: D::Operands,
    /// `[tokens, heads · head_size]`
    context: D::Operands,
    /// `[tokens, heads]`
    logsumexp: D::Floats,
    /// Of queries and keys, with room for a norm of each head.
    head_norms: Option<[NormSaved<D>; 2]>,
    query_projection: LinearSaved<D>,
    key_projection: LinearSaved<D>,
    value_projection: LinearSaved<D>,
    output_projection: LinearSaved<D>,
    end: BranchSaved<D>,
}

/// Memory that every layer's attention uses in turn.
pub(crate) struct AttentionScratch<D: Device> {
    /// `[tokens, heads · head_size]`
    context_gradient: D::Operands,
    /// `[tokens, heads · head_size]`
    query_gradient: D::Operands,
    /// `[tokens, key_value_heads · head_size]`
    key_gradient: D::Operands,
    /// `[tokens, key_value_heads · head_size]`
    value_gradient: D::Operands,
    /// `[partial rows, 2, key_value_heads · head_size]`
    partial_gradient: D::Floats,
    query: SiteGradients<D>,
    key: SiteGradients<D>,
    value: SiteGradients<D>,
    output: SiteGradients<D>,
}

/// The residual stream of a layer: all rows, and in the last layer the pooled ones.
pub(crate) struct Stream<'a, D: Device> {
    /// `[tokens, hidden]`
    pub(crate) residual: &'a mut D::Floats,
    /// `[examples, hidden]`
    pub(crate) pooled: &'a mut D::Floats,
}

impl<D: Device> AttentionSaved<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let (query, key) = (config.query_size(), config.key_value_size());
        let linear = |projection| LinearSaved::new(device, config, trained.adapter(), projection, tokens);
        let head_norm = |heads| NormSaved::new(device, tokens * heads, config.head_size);
        let has_head_norms = (0..config.layers).any(|layer| config.layer(layer).head_norms.is_some());
        Ok(Self {
            norm: NormSaved::new(device, tokens, config.hidden_size)?,
            queries: device.operands(tokens, query)?,
            keys: device.operands(tokens, key)?,
            values: device.operands(tokens, key)?,
            context: device.operands(tokens, query)?,
            logsumexp: device.floats(tokens, config.heads)?,
            head_norms: match has_head_norms {
                true => Some([head_norm(config.heads)?, head_norm(config.key_value_heads)?]),
                false => None,
            },
            query_projection: linear(Projection::QProj)?,
            key_projection: linear(Projection::KProj)?,
            value_projection: linear(Projection::VProj)?,
            output_projection: linear(Projection::OProj)?,
            end: BranchSaved::new(device, config, Role::AttentionOutputNorm, tokens)?,
        })
    }
}

impl<D: Device> AttentionScratch<D> {
    /// For so many tokens, and rows of what segments add to shared ones.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
        partial_rows: usize,
    ) -> Result<Self, DeviceError> {
        let (query, key) = (config.query_size(), config.key_value_size());
        let gradients = |projection| site_gradients(device, config, trained, projection, tokens);
        Ok(Self {
            context_gradient: device.operands(tokens, query)?,
            query_gradient: device.operands(tokens, query)?,
            key_gradient: device.operands(tokens, key)?,
            value_gradient: device.operands(tokens, key)?,
            partial_gradient: device.floats(partial_rows, 2 * key)?,
            query: gradients(Projection::QProj)?,
            key: gradients(Projection::KProj)?,
            value: gradients(Projection::VProj)?,
            output: gradients(Projection::OProj)?,
        })
    }

    /// Makes room for more partial rows, and leaves all else as it is.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn grow_partial_rows(
        &mut self,
        device: &D,
        config: &ModelConfig,
        partial_rows: usize,
    ) -> Result<(), DeviceError> {
        self.partial_gradient = D::Floats::default();
        self.partial_gradient = device.floats(partial_rows, 2 * config.key_value_size())?;
        Ok(())
    }
}

/// Turns queries and keys by their positions, or their gradients back.
fn rotate<D: Device>(pass: &Pass<D>, side: Side, queries: &mut D::Operands, keys: &mut D::Operands) {
    let (Pass { device, config, rows, .. }, Some(tables)) = (pass, pass.rotary) else { return };
    let table = tables.queries.as_ref().unwrap_or(&tables.keys);
    device.rotary(queries, config.query_size(), table, rows.layout, rows.set, side);
    device.rotary(keys, config.key_value_size(), &tables.keys, rows.layout, RowSet::All, side);
}

impl<D: Device> Attention<D> {
    /// The attention of a layer, with the adapters of its projections.
    ///
    /// # Errors
    /// When the base lacks a tensor.
    pub(crate) fn new(
        device: &D,
        base: &Base,
        layer: usize,
        adapters: &mut Vec<(Projection, Site<D>)>,
    ) -> Result<Self, ModelError> {
        let head_norm = |role| HeadNorm::new(device, base, layer, role);
        let mut linear = |projection| Linear::new(device, base, layer, projection, adapters);
        let spec = base.config.layer(layer);
        let head_norms = match spec.head_norms {
            Some(_) => Some([head_norm(Role::QueryNorm)?, head_norm(Role::KeyNorm)?]),
            None => None,
        };
        Ok(Self {
            scores: spec.scores,
            query: linear(Projection::QProj)?,
            key: linear(Projection::KProj)?,
            value: linear(Projection::VProj)?,
            output: linear(Projection::OProj)?,
            norm: StreamNorm::new(device, base, layer, Role::AttentionNorm)?,
            end: BranchEnd::new(device, base, layer, Role::AttentionOutputNorm)?,
            head_norms,
        })
    }

    fn heads<'a>(&self, pass: &Pass<'a, D>) -> irtune_device::Attention<'a, D> {
        irtune_device::Attention {
            heads: pass.config.heads,
            key_value_heads: pass.config.key_value_heads,
            head_size: pass.config.head_size,
            scores: self.scores,
            layout: pass.rows.layout,
            queries: pass.rows.set,
        }
    }

    /// The gains of its norms.
    pub(crate) fn gains(&self) -> impl Iterator<Item = &Gain<D>> {
        let of_heads = self.head_norms.iter().flatten().map(HeadNorm::gain);
        self.norm.gain().into_iter().chain(of_heads).chain(self.end.gain())
    }

    /// Its projections.
    pub(crate) fn linears(&self) -> [&Linear<D>; 4] {
        [&self.query, &self.key, &self.value, &self.output]
    }

    /// Its projections, to be changed.
    pub(crate) fn linears_mut(&mut self) -> [&mut Linear<D>; 4] {
        [&mut self.query, &mut self.key, &mut self.value, &mut self.output]
    }

    /// Adds the attention's output to the stream; in the last layer the pooled rows go on in `stream.pooled`.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        stream: Stream<D>,
        saved: &mut AttentionSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Pass { device, config, rows, .. } = pass;
        let Stream { residual, pooled } = stream;
        self.project(pass, group, residual, saved, scratch);
        let layout = rows.layout;
        rotate(pass, Side::Forward, &mut saved.queries, &mut saved.keys);
        let inputs = AttentionInputs { queries: &saved.queries, keys: &saved.keys, values: &saved.values };
        device.attention(self.heads(pass), &inputs, &mut saved.context, &mut saved.logsumexp);
        let stream = if rows.are_picked() {
            device.gather_floats(residual, config.hidden_size, layout, pooled);
            pooled
        } else {
            residual
        };
        let input = LinearInput { values: &saved.context, rows: rows.set };
        let (kept, beside) = (&mut saved.output_projection, &mut scratch.stream.beside);
        let out = self.end.output(stream, beside);
        self.output.forward(pass, group, input, kept, &mut scratch.adapters, out);
        self.end.forward(pass, group, rows.queries, beside, &mut saved.end, stream);
    }

    /// From the residual stream to queries, keys and values, before rotary positions.
    fn project(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        residual: &D::Floats,
        saved: &mut AttentionSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Pass { device, config, rows, .. } = pass;
        let (StreamScratch { normed, picked, .. }, adapters) = (&mut scratch.stream, &mut scratch.adapters);
        self.norm.forward(pass, group, residual, rows.tokens, &mut saved.norm, normed);
        let query_input = if rows.are_picked() {
            device.gather(normed, config.hidden_size, rows.layout, picked);
            &*picked
        } else {
            &*normed
        };
        let (mut query_norm, mut key_norm) = match (&self.head_norms, &mut saved.head_norms) {
            (Some(_), Some([query, key])) => (Some(query), Some(key)),
            _ => (None, None),
        };
        let out = query_norm.as_mut().map_or(&mut saved.queries, |norm| &mut norm.input);
        let input = LinearInput { values: query_input, rows: rows.set };
        let (kept, out) = (&mut saved.query_projection, Output::Operands(out));
        self.query.forward(pass, group, input, kept, adapters, out);
        let out = key_norm.as_mut().map_or(&mut saved.keys, |norm| &mut norm.input);
        let input = LinearInput { values: &*normed, rows: RowSet::All };
        let (kept, out) = (&mut saved.key_projection, Output::Operands(out));
        self.key.forward(pass, group, input, kept, adapters, out);
        let input = LinearInput { values: &*normed, rows: RowSet::All };
        let (kept, out) = (&mut saved.value_projection, Output::Operands(&mut saved.values));
        self.value.forward(pass, group, input, kept, adapters, out);
        if let (Some([query, key]), Some(query_saved), Some(key_saved)) =
            (&self.head_norms, query_norm, key_norm)
        {
            query.forward(pass, group, rows.queries, query_saved, &mut saved.queries);
            key.forward(pass, group, rows.tokens, key_saved, &mut saved.keys);
        }
    }

    /// Turns the gradient of the stream after attention into that before it, and adds those of its parameters.
    ///
    /// Without `input_wanted` (the lowest training layer) the gradient of the stream is left unfinished.
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        input_wanted: bool,
        stream: Stream<D>,
        saved: &mut AttentionSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Pass { device, config, rows, .. } = pass;
        let Stream { residual: gradient, pooled } = stream;
        let after = if rows.are_picked() { &*pooled } else { &*gradient };
        let StreamScratch { beside, rounded_gradient, .. } = &mut scratch.stream;
        let to = (beside, rounded_gradient);
        self.end.backward(pass, group.as_deref_mut(), rows.queries, after, &saved.end, to);
        self.output_backward(pass, group.as_deref_mut(), saved, scratch);
        self.heads_backward(pass, group.as_deref_mut(), saved, &mut scratch.attention);
        self.projections_backward(pass, group.as_deref_mut(), saved, scratch);
        if !input_wanted && !weights_train(pass, group.as_deref()) {
            return;
        }
        self.normed_backward(pass, group.as_deref(), saved, scratch);
        if rows.are_picked() {
            device.scatter_floats(pooled, config.hidden_size, rows.layout, gradient);
        }
        let normed_gradient = &scratch.stream.normed_gradient;
        if input_wanted {
            self.norm.backward(pass, group.as_deref(), rows.tokens, &saved.norm, normed_gradient, gradient);
        }
        self.norm.gain_backward(pass, group, rows.tokens, &saved.norm, normed_gradient);
    }

    /// From the gradient of the attention's output to that of the context.
    fn output_backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        saved: &AttentionSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let (device, rows) = (pass.device, pass.rows.queries);
        let (out, kept) = (&scratch.stream.rounded_gradient, &saved.output_projection);
        let AttentionScratch { context_gradient, output, .. } = &mut scratch.attention;
        let flow = Flow { input: &saved.context, out_gradient: out };
        let work = LinearScratch { adapters: &mut scratch.adapters, gradients: output };
        self.output.backward(pass, group.as_deref_mut(), flow, pass.rows.set, kept, work);
        let mut terms = ArrayVec::<Term<D>, INPUT_TERMS>::new();
        self.output.input_gradient(pass, group.as_deref(), out, kept, output, &mut terms);
        let (columns, out) = (pass.config.query_size(), Output::Operands(context_gradient));
        device.gemm(&terms, Epilogue::PLAIN, rows, columns, out);
    }

    /// From the gradient of the context to those of queries, keys and values as they were projected.
    fn heads_backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        saved: &AttentionSaved<D>,
        scratch: &mut AttentionScratch<D>,
    ) {
        let Pass { device, rows, .. } = pass;
        let AttentionScratch { context_gradient, query_gradient, .. } = scratch;
        let AttentionScratch { key_gradient, value_gradient, partial_gradient, .. } = scratch;
        let inputs = AttentionInputs { queries: &saved.queries, keys: &saved.keys, values: &saved.values };
        let gradients = AttentionGradients {
            queries: &mut *query_gradient,
            keys: &mut *key_gradient,
            values: value_gradient,
            partial: partial_gradient,
        };
        let outputs = AttentionOutputs { out: &saved.context, logsumexp: &saved.logsumexp };
        device.attention_backward(self.heads(pass), &inputs, outputs, context_gradient, gradients);
        rotate(pass, Side::Backward, query_gradient, key_gradient);
        if let (Some([query, key]), Some([query_saved, key_saved])) = (&self.head_norms, &saved.head_norms) {
            query.backward(pass, group.as_deref_mut(), rows.queries, query_saved, query_gradient);
            key.backward(pass, group, rows.tokens, key_saved, key_gradient);
        }
    }

    /// Gradients of the parameters of the projections of queries, keys and values.
    fn projections_backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        saved: &AttentionSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Pass { device, config, rows, .. } = pass;
        let StreamScratch { normed, picked, .. } = &mut scratch.stream;
        if pass.mode == Mode::Training {
            self.norm.recompute(pass, group.as_deref(), rows.tokens, &saved.norm, normed);
            if rows.are_picked() {
                device.gather(normed, config.hidden_size, rows.layout, picked);
            }
        }
        let query_input = if rows.are_picked() { &*picked } else { &*normed };
        let adapters: &mut AdapterScratch<D> = &mut scratch.adapters;
        let work = &mut scratch.attention;
        let AttentionScratch { query_gradient, key_gradient, value_gradient, .. } = work;
        let AttentionScratch { query, key, value, .. } = work;
        let flow = Flow { input: query_input, out_gradient: query_gradient };
        let work = LinearScratch { adapters, gradients: query };
        self.query.backward(pass, group.as_deref_mut(), flow, rows.set, &saved.query_projection, work);
        let flow = Flow { input: &*normed, out_gradient: key_gradient };
        let work = LinearScratch { adapters, gradients: key };
        self.key.backward(pass, group.as_deref_mut(), flow, RowSet::All, &saved.key_projection, work);
        let flow = Flow { input: &*normed, out_gradient: value_gradient };
        let work = LinearScratch { adapters, gradients: value };
        self.value.backward(pass, group, flow, RowSet::All, &saved.value_projection, work);
    }

    /// From the gradients of queries, keys and values to that of the norm's output.
    fn normed_backward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        saved: &AttentionSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Pass { device, config, rows, .. } = pass;
        let hidden = config.hidden_size;
        let StreamScratch { normed_gradient, picked_gradient, .. } = &mut scratch.stream;
        let AttentionScratch { query_gradient, key_gradient, value_gradient, .. } = &scratch.attention;
        let AttentionScratch { query, key, value, .. } = &scratch.attention;
        let (query_kept, key_kept) = (&saved.query_projection, &saved.key_projection);
        let mut terms = ArrayVec::<Term<D>, { 3 * INPUT_TERMS }>::new();
        if !rows.are_picked() {
            self.query.input_gradient(pass, group, query_gradient, query_kept, query, &mut terms);
        }
        self.key.input_gradient(pass, group, key_gradient, key_kept, key, &mut terms);
        let kept = &saved.value_projection;
        self.value.input_gradient(pass, group, value_gradient, kept, value, &mut terms);
        device.gemm(&terms, Epilogue::PLAIN, rows.tokens, hidden, Output::Store(&mut *normed_gradient));
        if rows.are_picked() {
            terms.clear();
            self.query.input_gradient(pass, group, query_gradient, query_kept, query, &mut terms);
            let out = Output::Store(&mut *picked_gradient);
            device.gemm(&terms, Epilogue::PLAIN, rows.queries, hidden, out);
            device.add_rows(picked_gradient, hidden, rows.layout, normed_gradient);
        }
    }
}
