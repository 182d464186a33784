//! A decoder with adapters and a classification head: the layers' forwards in order, and their backwards in reverse,
//! down to the lowest layer that trains.

mod budget;
mod cosines;
pub(crate) mod geometry;
mod initialise;
mod state_cache;
pub(crate) mod workspace;

use std::{collections::HashSet, path::Path, sync::Arc};

use crate::{
    adapters::{
        lora::{LoraConfig, Projection},
        masters::Spare,
        state::{Entry, Group, layer_entries},
    },
    base::Base,
    batch::PackedBatch,
    config::ModelConfig,
    device::{AdamW, Device, HeadShape, RotaryTable},
    engine::{DropoutKey, Engine, EngineOptions, Trained, WEIGHTS_HEAD_NAME},
    error::ModelError,
    families::llama::{Layer, Pass, State},
    host_tensor::HostTensor,
    parameters,
    peft::HEAD_NAME,
    spectrum,
};

use budget::Budget;
use cosines::Cosines;
use geometry::Geometry;
use state_cache::StateCache;
use workspace::{Capacity, Slots, Workspace};

/// The engine on a device.
pub(crate) struct Decoder<D: Device> {
    device: D,
    base: Arc<Base>,
    lora: Option<LoraConfig>,
    labels: usize,
    embedding: D::Weight,
    final_gain: D::Floats,
    layers: Vec<Layer<D>>,
    /// One a layer, empty when only the head trains.
    groups: Vec<Group<D>>,
    head: Group<D>,
    /// Where the layers' own weights train.
    spare: Spare<D>,
    table: RotaryTable,
    geometry: Geometry,
    cosines: Cosines,
    workspace: Workspace<D>,
    /// Which layers' activations can be kept; none when it only infers.
    slots: Slots,
    pool: Option<rayon::ThreadPool>,
    cache: Option<StateCache>,
    /// The targets of a batch in the order of its pooled rows.
    targets: Vec<u32>,
    /// Scratch that all threads have.
    settled: irtune_kernels::Settled,
}

impl<D: Device> Decoder<D> {
    pub(crate) fn new(
        device: D,
        base: &Arc<Base>,
        trained: Trained,
        labels: usize,
        seed: u64,
        options: EngineOptions,
    ) -> Result<Self, ModelError> {
        let (lora, masters) = match trained {
            Trained::Head => (None, None),
            Trained::Lora(lora) => (Some(lora), None),
            Trained::Weights { lowest } => (None, Some(base.config.layers.saturating_sub(lowest))),
        };
        if let Some(lora) = &lora {
            lora.validate()?;
        }
        if labels == 0 {
            return Err(ModelError::NoLabels);
        }
        let config = &base.config;
        let (mut layers, mut groups) = (Vec::new(), Vec::new());
        for index in 0..config.layers {
            let mut places = [None; 7];
            if let Some(lora) = &lora {
                let (entries, found) = layer_entries(config, lora, index);
                places = found;
                groups.push(Group::new(&device, entries));
            } else if masters.is_some() {
                groups.push(Group::masters(&device, config, index));
            }
            layers.push(Layer::new(&device, base, index, places)?);
        }
        let gain = base.weights.vector("model.norm.weight")?;
        let mut final_gain = device.floats(gain.len());
        device.upload(&gain, &mut final_gain, 0);
        let head = Entry {
            name: if masters.is_some() { WEIGHTS_HEAD_NAME } else { HEAD_NAME }.to_owned(),
            offset: 0,
            rows: labels,
            columns: config.hidden_size,
            transposed: false,
            vector: false,
        };
        let head = Group::new(&device, vec![head]);
        let tokens = options.max_tokens.max(1);
        let slots = if options.training {
            let operand_bytes = device.operand_bytes();
            Budget::new(base, lora.as_ref(), masters.unwrap_or(0), tokens, operand_bytes)
                .slots(options.memory_bytes)?
        } else {
            Slots { kept: 0, again: 0 }
        };
        let examples = options.max_examples.max(1);
        let capacity = Capacity { tokens, examples, partial_rows: 2 * tokens };
        let tunes_weights = masters.is_some();
        let workspace =
            Workspace::new(&device, config, lora.as_ref(), tunes_weights, labels, capacity, slots);
        // Inside a pool its threads do the work: a second pool would compete with it.
        let pool = match rayon::current_thread_index() {
            Some(_) => None,
            None => {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.max(1)).build();
                Some(pool.map_err(|source| ModelError::Threads { threads: options.threads, source })?)
            }
        };
        let mut decoder = Self {
            embedding: device.weight("model.embed_tokens.weight")?,
            table: RotaryTable::new(&config.inverse_frequencies(), 512),
            geometry: Geometry::default(),
            cosines: Cosines::new(config.hidden_size, config.layers),
            base: base.clone(),
            device,
            lora,
            labels,
            final_gain,
            layers,
            groups,
            head,
            spare: Spare::new(if tunes_weights { config.layers } else { 0 }),
            workspace,
            slots,
            pool,
            cache: None,
            targets: Vec::new(),
            settled: irtune_kernels::Settled::default(),
        };
        decoder.initialise(seed);
        Ok(decoder)
    }

    /// Checks a batch and makes room for it.
    fn prepare(&mut self, batch: &PackedBatch) -> Result<(), ModelError> {
        let config = &self.base.config;
        if let Some(&token) = batch.tokens.iter().find(|&&token| token as usize >= config.vocabulary_size) {
            return Err(ModelError::TokenOutOfRange { token, vocabulary_size: config.vocabulary_size });
        }
        self.geometry.fill(batch);
        let longest = self.geometry.longest();
        if longest > self.table.positions() {
            self.table = RotaryTable::new(&config.inverse_frequencies(), longest.next_power_of_two());
        }
        let needed = Capacity {
            tokens: self.geometry.tokens(),
            examples: self.geometry.examples(),
            partial_rows: self.geometry.partial_rows(),
        };
        let union = self.workspace.capacity.union(needed);
        if union != self.workspace.capacity {
            let (lora, labels) = (self.lora.as_ref(), self.labels);
            let weights = self.tunes_weights();
            self.workspace = Workspace::new(&self.device, config, lora, weights, labels, union, self.slots);
        }
        Ok(())
    }

    /// Whether the layers' own weights train.
    fn tunes_weights(&self) -> bool {
        self.groups.first().is_some_and(Group::are_masters)
    }

    fn head_shape(&self) -> HeadShape {
        HeadShape {
            examples: self.geometry.examples(),
            width: self.base.config.hidden_size,
            labels: self.labels,
        }
    }

    /// Tokens to logits; `state` says for each layer what it keeps, `lowest` is the first that keeps anything.
    fn forward(
        &mut self,
        batch: &PackedBatch,
        states: impl Fn(usize) -> State,
        lowest: usize,
        dropout: Option<u64>,
    ) -> Result<(), ModelError> {
        let shape = self.head_shape();
        let Self { device, base, geometry, workspace, layers, groups, cache, cosines, .. } = self;
        let config = &base.config;
        let Workspace { residual, pooled_residual, saved, inputs, scratch, .. } = workspace;
        let again = again(self.slots, layers.len() - lowest);
        let mut cache = cache.as_mut().filter(|cache| {
            !cosines.running()
                && cache.layer <= lowest
                && groups[..cache.layer.min(groups.len())].iter().all(|group| group.silent)
        });
        let mut first = 0;
        if let Some(cache) = &mut cache {
            match cache.read(&geometry.keys) {
                Ok(Some(rows)) => {
                    device.upload(rows, residual, 0);
                    first = cache.layer;
                }
                Ok(None) => {}
                Err(source) => return Err(ModelError::Cache { folder: cache.folder().to_owned(), source }),
            }
        }
        if first == 0 {
            device.embed(&self.embedding, &batch.tokens, residual);
        }
        cosines.start(device, residual, batch);
        let count = layers.len();
        for (index, layer) in layers.iter().enumerate().skip(first) {
            if let Some(cache) = cache.as_mut().filter(|cache| cache.layer == index && first == 0) {
                device.download(residual, 0, cache.rows(&geometry.keys));
                let written = cache.write(&geometry.keys);
                written.map_err(|source| ModelError::Cache { folder: cache.folder().to_owned(), source })?;
            }
            let rows = geometry.rows(index + 1 == count);
            let pass = Pass { device, config, lora: self.lora.as_ref(), table: &self.table, rows, dropout };
            let (group, state) = (groups.get(index), states(index));
            let (state, slot) = match index.checked_sub(lowest) {
                Some(above) if above < again => {
                    device.copy(residual, &mut inputs[above], pass.rows.tokens * config.hidden_size);
                    (State::Passing, 0)
                }
                Some(above) => (state, above - again),
                None => (State::Passing, 0),
            };
            layer.forward(&pass, group, state, residual, pooled_residual, &mut saved[slot], scratch);
            let stream = if pass.rows.picked.is_some() { &*pooled_residual } else { &*residual };
            cosines.layer(device, index, &pass.rows, stream);
        }
        let Workspace { pooled, pooled_scales, logits, .. } = workspace;
        let (rows, epsilon) = (shape.examples, config.norm_epsilon);
        device.rms_norm_floats(pooled_residual, rows, &self.final_gain, epsilon, pooled, pooled_scales);
        device.head(pooled, &self.head.values, shape, logits);
        Ok(())
    }

    /// Gradients from the logits' down to the lowest layer that trains.
    fn backward(
        &mut self,
        states: impl Fn(usize) -> State,
        lowest: usize,
        train_head: bool,
        dropout: Option<u64>,
    ) {
        let shape = self.head_shape();
        let Self { device, base, geometry, workspace, layers, groups, head, .. } = self;
        let config = &base.config;
        let Workspace { pooled_residual, pooled, pooled_scales, logits_gradient, .. } = workspace;
        let Workspace { pooled_gradient, residual_gradient, residual, saved, inputs, scratch, .. } =
            workspace;
        let normed_gradient = &mut scratch.picked_gradient;
        let Group { values, gradient, dirty, .. } = head;
        *dirty |= train_head;
        let head_gradient = train_head.then_some(gradient);
        device.head_backward(pooled, values, shape, logits_gradient, normed_gradient, head_gradient);
        let count = layers.len();
        if lowest >= count {
            return;
        }
        device.clear(pooled_gradient, 0, shape.examples * shape.width);
        let again = again(self.slots, count - lowest);
        let (input, gain) = (&*pooled_residual, &self.final_gain);
        device.rms_norm_floats_backward(
            input,
            shape.examples,
            gain,
            pooled_scales,
            normed_gradient,
            pooled_gradient,
        );
        for (index, layer) in layers.iter().enumerate().skip(lowest).rev() {
            let rows = geometry.rows(index + 1 == count);
            let pass = Pass { device, config, lora: self.lora.as_ref(), table: &self.table, rows, dropout };
            let (group, state, wanted) = (groups.get_mut(index), states(index), index > lowest);
            let above = index - lowest;
            let saved = &mut saved[above.saturating_sub(again)];
            if above < again {
                device.copy(&inputs[above], residual, pass.rows.tokens * config.hidden_size);
                let group = group.as_deref();
                layer.forward(&pass, group, state, residual, pooled_residual, saved, scratch);
            }
            layer.backward(&pass, group, state, wanted, residual_gradient, pooled_gradient, saved, scratch);
        }
    }

    /// Sum of the examples' losses by the logits of the last forward; leaves the gradient of the sum times `factor`.
    fn sum_of_losses(&mut self, targets: &[u32], factor: f64) -> f64 {
        self.targets.clear();
        self.targets.extend(self.geometry.order.iter().map(|&example| targets[example]));
        let Workspace { logits, logits_gradient, .. } = &mut self.workspace;
        self.device.cross_entropy(logits, &self.targets, self.labels, factor, logits_gradient)
    }

    fn accumulate_here(
        &mut self,
        batch: &PackedBatch,
        targets: &[u32],
        active: &[bool],
        train_head: bool,
        normalizer: f64,
        dropout: Option<DropoutKey>,
    ) -> Result<f64, ModelError> {
        let lowest = active.iter().position(|&active| active).unwrap_or(active.len());
        let states = |layer: usize| match (layer < lowest, active[layer]) {
            (true, _) => State::Passing,
            (_, false) => State::Frozen,
            (_, true) => State::Training,
        };
        let drops = self.lora.as_ref().is_some_and(|lora| lora.dropout > 0.0);
        let dropout =
            dropout.filter(|_| drops).map(|key| irtune_kernels::dropout::key(&[key.seed, key.step]));
        let Self { device, layers, groups, spare, .. } = self;
        for ((layer, group), _) in layers.iter().zip(groups).zip(active).filter(|(_, active)| **active) {
            group.prepare_masters(device, spare, |entries, values| {
                layer.copy_weights(device, entries, values)
            });
        }
        self.cosines.begin_pass();
        let forward = self.forward(batch, states, lowest, dropout);
        self.cosines.end_pass();
        forward?;
        let loss = self.sum_of_losses(targets, 1.0 / normalizer);
        self.backward(states, lowest, train_head, dropout);
        self.settled = irtune_kernels::settle(self.settled);
        Ok(loss)
    }

    fn check_targets(&self, batch: &PackedBatch, targets: &[u32]) -> Result<(), ModelError> {
        if targets.len() != batch.examples() {
            return Err(ModelError::Targets { targets: targets.len(), examples: batch.examples() });
        }
        let labels = self.labels;
        match targets.iter().find(|&&target| target as usize >= labels) {
            Some(&target) => Err(ModelError::TargetOutOfRange { target, labels }),
            None => Ok(()),
        }
    }

    fn groups(&self) -> impl Iterator<Item = &Group<D>> {
        self.groups.iter().chain([&self.head])
    }

    /// The groups that a step trains.
    fn trained<'a>(
        &'a mut self,
        active: &'a [bool],
        train_head: bool,
    ) -> (&'a D, impl Iterator<Item = &'a mut Group<D>>) {
        let layers =
            self.groups.iter_mut().zip(active).filter_map(|(group, &active)| active.then_some(group));
        (&self.device, layers.chain(train_head.then_some(&mut self.head)))
    }
}

/// How many of so many layers, the lowest ones, are computed again in the backward.
fn again(slots: Slots, layers: usize) -> usize {
    layers.saturating_sub(slots.kept)
}

/// Runs `work` on the decoder's own pool, or on the current one.
fn run<T: Send>(pool: &Option<rayon::ThreadPool>, work: impl FnOnce() -> T + Send) -> T {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

impl<D: Device> Engine for Decoder<D> {
    fn config(&self) -> &ModelConfig {
        &self.base.config
    }

    fn adapter(&self) -> Option<&LoraConfig> {
        self.lora.as_ref()
    }

    fn labels(&self) -> usize {
        self.labels
    }

    fn precision(&self) -> &'static str {
        self.device.precision()
    }

    fn threads(&self) -> usize {
        self.pool.as_ref().map_or_else(rayon::current_num_threads, rayon::ThreadPool::current_num_threads)
    }

    fn logits(&mut self, batch: &PackedBatch, out: &mut Vec<f32>) -> Result<(), ModelError> {
        self.prepare(batch)?;
        let pool = self.pool.take();
        let done = run(&pool, || self.forward(batch, |_| State::Passing, self.layers.len(), None));
        self.pool = pool;
        done?;
        out.resize(batch.examples() * self.labels, 0.0);
        for (row, &example) in self.geometry.order.iter().enumerate() {
            let out = &mut out[example * self.labels..][..self.labels];
            self.device.download(&self.workspace.logits, row * self.labels, out);
        }
        Ok(())
    }

    fn loss(
        &mut self,
        batch: &PackedBatch,
        targets: &[u32],
        adapter_factors: Option<&[f32]>,
    ) -> Result<f64, ModelError> {
        self.check_targets(batch, targets)?;
        let (given, layers) = (adapter_factors.unwrap_or_default(), self.layers.len());
        if adapter_factors.is_some() && given.len() != layers {
            return Err(ModelError::AdapterFactors { given: given.len(), layers });
        }
        if self.tunes_weights() && given.iter().any(|&factor| factor != 1.0) {
            return Err(ModelError::NothingToWeaken);
        }
        self.prepare(batch)?;
        let Self { device, groups, .. } = self;
        let weakened: Vec<(usize, Vec<f32>)> = groups
            .iter_mut()
            .zip(given)
            .enumerate()
            .filter(|(_, (_, factor))| **factor != 1.0)
            .map(|(layer, (group, &factor))| (layer, group.weaken(device, factor)))
            .collect();
        let pool = self.pool.take();
        let forward = run(&pool, || self.forward(batch, |_| State::Passing, layers, None));
        self.pool = pool;
        for (layer, before) in weakened {
            self.groups[layer].strengthen(&self.device, &before);
        }
        forward?;
        Ok(self.sum_of_losses(targets, 1.0))
    }

    fn accumulate(
        &mut self,
        batch: &PackedBatch,
        targets: &[u32],
        active: &[bool],
        train_head: bool,
        normalizer: f64,
        dropout: Option<DropoutKey>,
    ) -> Result<f64, ModelError> {
        self.check_targets(batch, targets)?;
        if active.len() != self.layers.len() {
            return Err(ModelError::ActiveLayers { given: active.len(), layers: self.layers.len() });
        }
        if self.slots.kept == 0 {
            return Err(ModelError::NotForTraining);
        }
        if active.contains(&true) && self.groups.is_empty() {
            return Err(ModelError::NothingToTrain);
        }
        self.prepare(batch)?;
        let pool = self.pool.take();
        let loss =
            run(&pool, || self.accumulate_here(batch, targets, active, train_head, normalizer, dropout));
        self.pool = pool;
        loss
    }

    fn cache_states(&mut self, layer: usize, folder: &Path) -> Result<(), ModelError> {
        if layer == 0 || layer >= self.layers.len() {
            return Err(ModelError::CacheLayer { layer, layers: self.layers.len() });
        }
        let cache = StateCache::new(layer, self.base.config.hidden_size, folder);
        let cache = cache.map_err(|source| ModelError::Cache { folder: folder.to_owned(), source })?;
        self.cache = Some(cache);
        Ok(())
    }

    fn zero_gradients(&mut self) {
        let Self { device, groups, head, spare, .. } = self;
        if groups.first().is_some_and(Group::are_masters) {
            groups.iter_mut().for_each(|group| group.leave_gradient(device, spare));
            head.zero_gradient(device);
        } else {
            groups.iter_mut().chain([head]).for_each(|group| group.zero_gradient(device));
        }
        self.cosines.forget();
    }

    fn watch_cosines(&mut self, watched: bool) {
        self.cosines.watch(watched);
    }

    fn layer_cosines(&self, out: &mut Vec<f64>) {
        self.cosines.means(out);
    }

    fn output_projection_norm(&self, layer: usize) -> Result<f64, ModelError> {
        Ok(spectrum::norm(&self.base.weights.get(&Projection::OProj.weight_name(layer))?))
    }

    fn signal_to_noise(&self, layer: usize) -> Result<f64, ModelError> {
        run(&self.pool, || spectrum::layer_signal_to_noise(&self.base.weights, layer))
    }

    fn gradient_norms(&self, layer: usize, out: &mut Vec<f64>) {
        out.clear();
        if let Some(group) = self.groups.get(layer) {
            let squares = |entry| group.gradient_squares(&self.device, entry);
            out.extend(group.entries.iter().map(|entry| squares(entry).sqrt()));
        }
    }

    fn head_gradient_norm(&self) -> f64 {
        self.head.gradient_squares(&self.device, &self.head.entries[0]).sqrt()
    }

    fn scale_gradients(&mut self, active: &[bool], train_head: bool, factor: f32) {
        let (device, groups) = self.trained(active, train_head);
        groups.for_each(|group| group.scale_gradient(device, factor));
    }

    fn update(&mut self, active: &[bool], train_head: bool, settings: &AdamW) {
        let Self { device, groups, spare, .. } = self;
        for (group, _) in groups.iter_mut().zip(active).filter(|(_, active)| **active) {
            group.prepare_moments(device, spare);
        }
        let pool = self.pool.take();
        run(&pool, || {
            let (device, groups) = self.trained(active, train_head);
            groups.for_each(|group| group.update(device, settings));
        });
        self.pool = pool;
    }

    fn reset_optimizer(&mut self, layer: usize) {
        let Self { device, groups, spare, .. } = self;
        match groups.get_mut(layer) {
            Some(group) if group.are_masters() => group.leave_moments(device, spare),
            Some(group) => group.reset_optimizer(device),
            None => {}
        }
    }

    fn parameters(&self) -> Vec<HostTensor> {
        let mut out = Vec::new();
        self.groups().for_each(|group| group.parameters(&self.device, &mut out));
        out
    }

    fn gradients(&self) -> Vec<HostTensor> {
        let mut out = Vec::new();
        self.groups().for_each(|group| group.gradients(&self.device, &mut out));
        out
    }

    fn load_parameters(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        let names: HashSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        let given = |group: &&Group<D>| !group.are_masters() || group.is_named(&names, "");
        let expected = self.groups().filter(given).flat_map(Group::expected);
        let expected = expected.map(|(name, shape)| (name.to_owned(), shape)).collect();
        let found = parameters::checked(expected, tensors)?;
        let Self { device, groups, head, .. } = self;
        for group in groups.iter_mut().chain([head]) {
            let given = given(&&*group);
            group.keep_masters(device, given);
            if given {
                group.load_parameters(device, |name| found[name]);
            }
        }
        Ok(())
    }

    fn optimizer_state(&self) -> Vec<HostTensor> {
        let mut out = Vec::new();
        self.groups().for_each(|group| group.optimizer_state(&self.device, &mut out));
        out
    }

    fn load_optimizer_state(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        let names: HashSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        let given = |group: &&Group<D>| !group.are_masters() || group.is_named(&names, ".steps");
        let expected = self.groups().filter(given).flat_map(Group::expected).flat_map(|(name, shape)| {
            [("first_moment", shape.clone()), ("second_moment", shape), ("steps", vec![1])]
                .map(|(part, shape)| (format!("{name}.{part}"), shape))
        });
        let found = parameters::checked(expected.collect(), tensors)?;
        let Self { device, groups, head, spare, .. } = self;
        for group in groups.iter_mut().chain([head]) {
            if given(&&*group) {
                group.prepare_moments(device, spare);
                group.load_optimizer_state(device, |name| found[name]);
            } else {
                group.leave_moments(device, spare);
            }
        }
        Ok(())
    }
}
