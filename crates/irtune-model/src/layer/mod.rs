//! Llama's decoder layer with adapters, or with weights that train, forward and backward.
//!
//! # Source
//! Touvron et al. 2023; `LlamaDecoderLayer` of transformers.

use arrayvec::ArrayVec;
use irtune_device::{
    AttentionGradients, AttentionInputs, BMatrix, Device, NormInput, Output, RotaryTable, Side, Term,
};

use crate::{
    adapters::{
        masters::Norm,
        projection::Projection,
        site::{AdapterScratch, Call, Dropout, INPUT_TERMS, SavedAdapter, Site, Sites},
        state::{Entry, Group},
    },
    base::Base,
    config::ModelConfig,
    decoder::{
        geometry::Rows,
        workspace::{Saved, Scratch},
    },
    error::ModelError,
    families::{Family, LayerSpec, Role},
    host_tensor::HostTensor,
};

use Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj};

/// A layer's frozen parts, and its adapters.
pub(crate) struct Layer<D: Device> {
    index: usize,
    attention_gain: D::Floats,
    mlp_gain: D::Floats,
    /// By [`Projection`].
    weights: [D::Weight; 7],
    sites: Sites<D>,
    /// By [`Projection`], once they are merged for classifying.
    merged: [Option<D::Prepacked>; 7],
}

/// What all layers of a pass share.
pub(crate) struct Pass<'a, D: Device> {
    pub(crate) device: &'a D,
    pub(crate) config: &'a ModelConfig,
    pub(crate) table: &'a RotaryTable,
    pub(crate) rows: Rows<'a>,
    /// Of the step, when adapters drop inputs.
    pub(crate) dropout: Option<Dropout>,
    /// What the layer's adapters add is multiplied by this.
    pub(crate) factor: f32,
}

/// The state of a layer in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Below the lowest training layer, or inference: nothing is kept.
    Passing,
    /// Frozen above it: what the input gradient needs is kept.
    Frozen,
    /// Training: the adapters' inner products are kept too.
    Training,
}

/// A norm of this gain over the residual stream.
fn norm<'a, D: Device>(gain: &'a D::Floats, config: &ModelConfig) -> irtune_device::Norm<'a, D> {
    irtune_device::Norm { gain, width: config.hidden_size, epsilon: config.norm_epsilon }
}

impl<D: Device> Layer<D> {
    pub(crate) fn new(device: &D, base: &Base, index: usize, sites: Sites<D>) -> Result<Self, ModelError> {
        let (family, spec) = (base.config.family, base.config.layer(index));
        assert_eq!(spec, LayerSpec::PLAIN, "layers of {family:?} are not built yet");
        let gain = |role: Role| -> Result<D::Floats, ModelError> {
            let values = base.weights.vector(&family.weight_name(index, role))?;
            let mut gain = device.floats(values.len());
            device.upload(&values, &mut gain, 0);
            Ok(gain)
        };
        let mut weights = ArrayVec::new();
        for projection in Projection::ALL {
            weights.push(device.weight(base.weights.matrix(&family.weight_name(index, projection))?)?);
        }
        let Ok(weights) = weights.into_inner() else { unreachable!("seven projections") };
        let (attention_gain, mlp_gain) = (gain(Role::AttentionNorm)?, gain(Role::MlpNorm)?);
        Ok(Self { index, attention_gain, mlp_gain, weights, sites, merged: [const { None }; 7] })
    }

    /// Finds anew what adapters know of parameters that changed.
    pub(crate) fn refresh(&mut self, device: &D, group: &mut Group<D>, scratch: &mut AdapterScratch<D>) {
        if std::mem::take(&mut group.stale) {
            for (site, weight) in self.sites.iter_mut().zip(&self.weights) {
                site.iter_mut().for_each(|site| site.refresh(device, weight, group, scratch));
            }
        }
    }

    /// Merges the matrices with what their adapters add, where that is one matrix.
    pub(crate) fn merge(&mut self, device: &D, group: Option<&Group<D>>) {
        for (projection, weight) in Projection::ALL.into_iter().zip(&self.weights) {
            let low_rank = match (self.adapter(projection, group, State::Passing), group) {
                (Some(site), Some(group)) => site.low_rank(group).map(Some),
                _ => Some(None),
            };
            self.merged[projection as usize] = low_rank.and_then(|low_rank| device.prepack(weight, low_rank));
        }
    }

    /// Forgets what was merged.
    pub(crate) fn forget_merged(&mut self) {
        self.merged = [const { None }; 7];
    }

    /// Turns parameters among these that a folder has in another form into that.
    pub(crate) fn export(&self, device: &D, family: &Family, parameters: &mut [HostTensor]) {
        for (projection, site) in Projection::ALL.into_iter().zip(&self.sites) {
            site.iter().for_each(|site| site.export(device, family, self.index, projection, parameters));
        }
    }

    /// The matrix of a projection: its master copy if it ever trained, else the file's.
    fn right<'a>(&'a self, group: Option<&'a Group<D>>, projection: Projection) -> BMatrix<'a, D> {
        let master = group.and_then(|group| group.master(projection));
        master.unwrap_or(BMatrix::Frozen(&self.weights[projection as usize]))
    }

    /// The gain of a norm, likewise.
    fn gain<'a>(&'a self, group: Option<&'a Group<D>>, norm: Norm) -> &'a D::Floats {
        group.and_then(|group| group.gain(norm)).unwrap_or(match norm {
            Norm::Attention => &self.attention_gain,
            Norm::Mlp => &self.mlp_gain,
        })
    }

    /// Copies the layer's weights into the memory of its master copies.
    pub(crate) fn copy_weights(&self, device: &D, entries: &[Entry], values: &mut D::Floats) {
        for (entry, gain) in entries.iter().zip([&self.attention_gain, &self.mlp_gain]) {
            let mut host = vec![0.0; entry.columns];
            device.download(gain, 0, &mut host);
            device.upload(&host, values, entry.offset);
        }
        for (entry, weight) in entries[2..].iter().zip(&self.weights) {
            device.decode(weight, values, entry.offset);
        }
    }

    /// The adapter of a projection, if it computes anything: one that is at rest adds nothing, and nothing to the input
    /// gradient.
    fn adapter(&self, projection: Projection, group: Option<&Group<D>>, state: State) -> Option<&Site<D>> {
        let group = group?;
        if group.silent && state != State::Training { None } else { self.sites[projection as usize].as_ref() }
    }

    fn call<'a>(
        &'a self,
        pass: &Pass<'a, D>,
        state: State,
        projection: Projection,
        rows: usize,
    ) -> Call<'a, D> {
        let dropout = pass.dropout.map(|Dropout { key, probability }| {
            let key = irtune_device::mix_key(&[key, self.index as u64, projection as u64]);
            Dropout { key, probability }
        });
        Call {
            device: pass.device,
            weight: &self.weights[projection as usize],
            projection,
            rows,
            dropout,
            factor: pass.factor,
            training: state == State::Training,
        }
    }

    /// `out = input · Wᵀ`, with its adapter.
    #[allow(clippy::too_many_arguments)]
    fn project(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        state: State,
        projection: Projection,
        input: &D::Operands,
        keys: &[u64],
        saved: &mut [Option<SavedAdapter<D>>; 7],
        scratch: &mut AdapterScratch<D>,
        out: Output<D>,
    ) {
        let outputs = pass.config.projection_shape(projection).0;
        let merged = self.merged[projection as usize].as_ref().filter(|_| pass.factor == 1.0);
        if let Some(merged) = merged {
            let right = BMatrix::Prepacked(&self.weights[projection as usize], merged);
            return pass.device.gemm(&[Term::forward(input, right)], 1.0, keys.len(), outputs, out);
        }
        let site = self.adapter(projection, group, state);
        if let (Some(site), Some(group), Some(saved)) = (site, group, saved[projection as usize].as_mut()) {
            let call = self.call(pass, state, projection, keys.len());
            site.forward(&call, group, input, keys, saved, scratch, out);
        } else {
            let term = Term::forward(input, self.right(group, projection));
            pass.device.gemm(&[term], 1.0, keys.len(), outputs, out);
        }
    }

    /// Gradients of a projection's adapter or weights, given those of its output; leaves in `scratch` what the input's
    /// needs.
    #[allow(clippy::too_many_arguments)]
    fn adapter_backward(
        &self,
        pass: &Pass<D>,
        group: Option<&mut Group<D>>,
        state: State,
        projection: Projection,
        input: &D::Operands,
        out_gradient: &D::Operands,
        rows: usize,
        saved: &[Option<SavedAdapter<D>>; 7],
        scratch: &mut AdapterScratch<D>,
    ) {
        let group = match group {
            Some(group) if group.are_masters() && state == State::Training => {
                let (device, turned) = (pass.device, &mut scratch.turned);
                return group.add_weight_gradient(device, projection, input, out_gradient, rows, turned);
            }
            group => group,
        };
        let Some(site) = self.adapter(projection, group.as_deref(), state) else { return };
        if let (Some(group), Some(saved)) = (group, saved[projection as usize].as_ref()) {
            let call = self.call(pass, state, projection, rows);
            site.backward(&call, group, input, out_gradient, saved, scratch);
        }
    }

    /// Adds the summands of a projection's input gradient: the frozen matrix's, and its adapter's.
    #[allow(clippy::too_many_arguments)]
    fn input_gradient<'a, const N: usize>(
        &'a self,
        pass: &Pass<'a, D>,
        group: Option<&'a Group<D>>,
        state: State,
        projection: Projection,
        out_gradient: &'a D::Operands,
        saved: &'a [Option<SavedAdapter<D>>; 7],
        scratch: &'a AdapterScratch<D>,
        terms: &mut ArrayVec<Term<'a, D>, N>,
    ) {
        let site = self.adapter(projection, group, state);
        if let (Some(site), Some(group), Some(saved)) = (site, group, saved[projection as usize].as_ref()) {
            let call = self.call(pass, state, projection, 0);
            site.input_gradient(&call, group, out_gradient, saved, scratch, terms);
        } else {
            terms.push(Term::backward(out_gradient, self.right(group, projection)));
        }
    }

    /// Runs the layer on the residual stream; in the last layer its pooled rows go on in `pooled`.
    ///
    /// # Shapes
    /// `residual`: `[tokens, hidden]`; `pooled`: `[examples, hidden]`.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        state: State,
        residual: &mut D::Floats,
        pooled: &mut D::Floats,
        saved: &mut Saved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Pass { device, config, rows, .. } = pass;
        let hidden = config.hidden_size;
        let norm = |gain| norm(gain, config);
        let keep = state != State::Passing;
        if keep {
            device.round(residual, rows.tokens * hidden, &mut saved.attention_input);
        }
        let Scratch { normed, picked, activated, adapters, .. } = scratch;
        let scales = &mut saved.attention_scales;
        let gain = self.gain(group, Norm::Attention);
        device.rms_norm(norm(gain), residual, rows.tokens, normed, scales);
        let query_input = match rows.picked {
            Some(indices) => {
                device.gather(normed, hidden, indices, picked);
                &*picked
            }
            None => &*normed,
        };
        let inputs = [
            (QProj, query_input, rows.query_keys, &mut saved.queries),
            (KProj, &*normed, rows.token_keys, &mut saved.keys),
            (VProj, &*normed, rows.token_keys, &mut saved.values),
        ];
        for (projection, input, keys, out) in inputs {
            let out = Output::Operands(out);
            self.project(pass, group, state, projection, input, keys, &mut saved.adapters, adapters, out);
        }
        let (query_size, key_size) = (config.query_size(), config.key_value_size());
        device.rotary(&mut saved.queries, query_size, pass.table, rows.query_positions, Side::Forward);
        device.rotary(&mut saved.keys, key_size, pass.table, rows.key_positions, Side::Forward);
        let inputs = AttentionInputs { queries: &saved.queries, keys: &saved.keys, values: &saved.values };
        device.attention(&rows.attention(config), &inputs, &mut saved.context, &mut saved.log_sums);
        let stream = match rows.picked {
            Some(indices) => {
                device.gather_floats(residual, hidden, indices, pooled);
                pooled
            }
            None => residual,
        };
        let (keys, out) = (rows.query_keys, Output::Add(stream, 0));
        self.project(pass, group, state, OProj, &saved.context, keys, &mut saved.adapters, adapters, out);
        if keep {
            device.round(stream, rows.queries * hidden, &mut saved.mlp_input);
        }
        let gain = self.gain(group, Norm::Mlp);
        device.rms_norm(norm(gain), stream, rows.queries, normed, &mut saved.mlp_scales);
        for (projection, out) in [(GateProj, &mut saved.gate), (UpProj, &mut saved.up)] {
            let out = Output::Operands(out);
            self.project(pass, group, state, projection, normed, keys, &mut saved.adapters, adapters, out);
        }
        device.swiglu(&saved.gate, &saved.up, rows.queries * config.intermediate_size, activated);
        let out = Output::Add(stream, 0);
        self.project(pass, group, state, DownProj, activated, keys, &mut saved.adapters, adapters, out);
    }

    /// Turns the gradient of the layer's output into that of its input, and adds its adapters' or
    /// weights' if it trains.
    ///
    /// Overwrites gate and up in `saved`. Without `input_wanted` (the lowest training layer) the gradient of the
    /// residual stream is left unfinished.
    ///
    /// # Shapes
    /// `gradient`: `[tokens, hidden]`; `pooled`: `[examples, hidden]`, read instead of it in the last layer.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        state: State,
        input_wanted: bool,
        gradient: &mut D::Floats,
        pooled: &mut D::Floats,
        saved: &mut Saved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let stream = if pass.rows.picked.is_some() { &mut *pooled } else { &mut *gradient };
        self.mlp_backward(pass, group.as_deref_mut(), state, stream, saved, scratch);
        self.attention_backward(pass, group, state, input_wanted, gradient, pooled, saved, scratch);
    }

    fn mlp_backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        state: State,
        stream: &mut D::Floats,
        saved: &mut Saved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Pass { device, config, rows, .. } = pass;
        let (hidden, wide, count) = (config.hidden_size, config.intermediate_size, rows.queries);
        let Saved { mlp_input, mlp_scales, gate, up, adapters, .. } = saved;
        let Scratch { normed, activated, activated_gradient, rounded_gradient, normed_gradient, .. } =
            scratch;
        let work = &mut scratch.adapters;
        device.round(stream, count * hidden, rounded_gradient);
        if state == State::Training {
            device.swiglu(gate, up, count * wide, activated);
        }
        let (out, group_down) = (&*rounded_gradient, group.as_deref_mut());
        self.adapter_backward(pass, group_down, state, DownProj, activated, out, count, adapters, work);
        let mut terms = ArrayVec::<Term<D>, INPUT_TERMS>::new();
        self.input_gradient(pass, group.as_deref(), state, DownProj, out, adapters, work, &mut terms);
        device.gemm(&terms, 1.0, count, wide, Output::Operands(activated_gradient));
        drop(terms);
        let site = self.adapter(DownProj, group.as_deref(), state);
        if let (Some(site), Some(group)) = (site, group.as_deref_mut()) {
            let call = self.call(pass, state, DownProj, count);
            site.finish_input_gradient(&call, group, activated, work, activated_gradient);
        }
        device.swiglu_backward(activated_gradient, count * wide, gate, up);
        if state == State::Training {
            let gain = self.gain(group.as_deref(), Norm::Mlp);
            let input = NormInput { values: &*mlp_input, rstd: mlp_scales, rows: count };
            device.rms_norm_recompute(norm(gain, config), input, normed);
        }
        for (projection, out) in [(GateProj, &*gate), (UpProj, &*up)] {
            let group = group.as_deref_mut();
            self.adapter_backward(pass, group, state, projection, normed, out, count, adapters, work);
        }
        let mut terms = ArrayVec::<Term<D>, { 2 * INPUT_TERMS }>::new();
        for (projection, out) in [(GateProj, &*gate), (UpProj, &*up)] {
            self.input_gradient(pass, group.as_deref(), state, projection, out, adapters, work, &mut terms);
        }
        device.gemm(&terms, 1.0, count, hidden, Output::Store(normed_gradient));
        drop(terms);
        let gain = self.gain(group.as_deref(), Norm::Mlp);
        let input = NormInput { values: &*mlp_input, rstd: mlp_scales, rows: count };
        device.rms_norm_backward(norm(gain, config), input, normed_gradient, stream);
        if let Some(group) = group.filter(|group| group.are_masters() && state == State::Training) {
            group.add_gain_gradient(device, Norm::Mlp, mlp_input, count, mlp_scales, normed_gradient);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn attention_backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        state: State,
        input_wanted: bool,
        gradient: &mut D::Floats,
        pooled: &mut D::Floats,
        saved: &mut Saved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Pass { device, config, rows, .. } = pass;
        let (hidden, query_size, key_size) =
            (config.hidden_size, config.query_size(), config.key_value_size());
        let stream = if rows.picked.is_some() { &*pooled } else { &*gradient };
        let Scratch { normed, picked, rounded_gradient, context_gradient, .. } = scratch;
        let Scratch { query_gradient, key_gradient, value_gradient, partial_gradient, .. } = scratch;
        let Scratch { normed_gradient, picked_gradient, adapters: work, .. } = scratch;
        let adapters = &saved.adapters;
        device.round(stream, rows.queries * hidden, rounded_gradient);
        let (out, group_out) = (&*rounded_gradient, group.as_deref_mut());
        let context = &saved.context;
        self.adapter_backward(pass, group_out, state, OProj, context, out, rows.queries, adapters, work);
        let mut terms = ArrayVec::<Term<D>, INPUT_TERMS>::new();
        self.input_gradient(pass, group.as_deref(), state, OProj, out, adapters, work, &mut terms);
        device.gemm(&terms, 1.0, rows.queries, query_size, Output::Operands(context_gradient));
        drop(terms);
        let inputs = AttentionInputs { queries: &saved.queries, keys: &saved.keys, values: &saved.values };
        let gradients = AttentionGradients {
            queries: query_gradient,
            keys: key_gradient,
            values: value_gradient,
            partial: partial_gradient,
        };
        let shape = rows.attention(config);
        device.attention_backward(&shape, &inputs, context, &saved.log_sums, context_gradient, gradients);
        device.rotary(query_gradient, query_size, pass.table, rows.query_positions, Side::Backward);
        device.rotary(key_gradient, key_size, pass.table, rows.key_positions, Side::Backward);
        if state == State::Training {
            let (input, scales) = (&saved.attention_input, &saved.attention_scales);
            let gain = self.gain(group.as_deref(), Norm::Attention);
            let input = NormInput { values: input, rstd: scales, rows: rows.tokens };
            device.rms_norm_recompute(norm(gain, config), input, normed);
            if let Some(indices) = rows.picked {
                device.gather(normed, hidden, indices, picked);
            }
        }
        let query_input = if rows.picked.is_some() { &*picked } else { &*normed };
        let outs = [
            (QProj, query_input, &*query_gradient, rows.queries),
            (KProj, &*normed, &*key_gradient, rows.tokens),
            (VProj, &*normed, &*value_gradient, rows.tokens),
        ];
        for (projection, input, out, count) in outs {
            let group = group.as_deref_mut();
            self.adapter_backward(pass, group, state, projection, input, out, count, adapters, work);
        }
        let gain_trains = state == State::Training && group.as_deref().is_some_and(Group::are_masters);
        if !input_wanted && !gain_trains {
            return;
        }
        let shared = group.as_deref();
        let mut terms = ArrayVec::<Term<D>, { 3 * INPUT_TERMS }>::new();
        for (projection, _, out, _) in &outs[usize::from(rows.picked.is_some())..] {
            self.input_gradient(pass, shared, state, *projection, out, adapters, work, &mut terms);
        }
        device.gemm(&terms, 1.0, rows.tokens, hidden, Output::Store(normed_gradient));
        if let Some(indices) = rows.picked {
            terms.clear();
            self.input_gradient(pass, shared, state, QProj, query_gradient, adapters, work, &mut terms);
            device.gemm(&terms, 1.0, rows.queries, hidden, Output::Store(picked_gradient));
            device.add_rows(picked_gradient, hidden, indices, normed_gradient);
            device.scatter_floats(pooled, hidden, indices, rows.tokens, gradient);
        }
        drop(terms);
        let (input, scales) = (&saved.attention_input, &saved.attention_scales);
        if input_wanted {
            let gain = self.gain(group.as_deref(), Norm::Attention);
            let input = NormInput { values: input, rstd: scales, rows: rows.tokens };
            device.rms_norm_backward(norm(gain, config), input, normed_gradient, gradient);
        }
        if let Some(group) = group.filter(|_| gain_trains) {
            group.add_gain_gradient(device, Norm::Attention, input, rows.tokens, scales, normed_gradient);
        }
    }
}
