//! A decoder with adapters and a classification head: the layers' forwards in order, and their backwards in reverse,
//! down to the lowest layer that trains.

mod budget;
mod cosines;
mod initialise;
mod state_cache;
mod words;
pub(crate) mod workspace;

use std::{collections::HashSet, path::Path, sync::Arc};

use irtune_device::{
    AdamW, Device, DropoutKey, HeadShape, LossOptions, Norm, NormInput, RotaryTable, mix_key,
};
use rayon::prelude::*;

use crate::{
    adapters::{
        AdapterConfig, Trained,
        site::{self, Dropout, Sites},
    },
    base::{Base, config::ModelConfig},
    batch::{PackedBatch, geometry::Geometry},
    engine::{Engine, EngineOptions},
    error::ModelError,
    families::{Projection, Role},
    host_tensor::HostTensor,
    layer::{Mode, Pass, attention::Stream, block::Block},
    parameters::{
        WEIGHTS_HEAD_NAME, checked,
        entries::{Entries, Initial},
        group::Group,
        masters::Spare,
    },
    peft::HEAD_NAME,
    spectrum,
};

use budget::Budget;
use cosines::Cosines;
use state_cache::StateCache;
use words::Words;
use workspace::{Capacity, Slots, Workspace};

/// The engine on a device.
pub(crate) struct Decoder<D: Device> {
    device: Arc<D>,
    base: Arc<Base>,
    trained: Trained,
    labels: usize,
    embedding: D::Weight,
    final_gain: D::Floats,
    layers: Vec<Block<D>>,
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
    cache: Option<StateCache>,
    /// How training counts labels.
    loss: LossOptions,
    /// What stands for the labels when the language-model head classifies.
    words: Option<Words<D>>,
    /// The targets of a batch in the order of its pooled rows.
    targets: Vec<u32>,
    training: bool,
    /// Whether the layers' matrices are prepacked with their adapters.
    prepacked: bool,
}

/// Most memory that prepacked matrices may take in bytes: those of SmolLM2-135M take 120 MB in `int8`,
/// in `bf16` 140 where LoRA is on five of seven projections. In larger models adapters are a smaller part of the work.
const MOST_PREPACKED: usize = 256 << 20;

impl<D: Device> Decoder<D> {
    pub(crate) fn new(
        device: D,
        base: &Arc<Base>,
        trained: Trained,
        labels: usize,
        seed: u64,
        options: EngineOptions,
    ) -> Result<Self, ModelError> {
        if let Some(adapter) = trained.adapter() {
            adapter.validate()?;
        }
        if labels == 0 {
            return Err(ModelError::NoLabels);
        }
        let config = &base.config;
        let (mut layers, mut groups) = (Vec::new(), Vec::new());
        // What adapters have to know of the frozen matrices takes a while.
        let adapters = device.run(|| {
            let layers = (0..config.layers).into_par_iter();
            layers
                .map(|layer| {
                    trained.adapter().map(|adapter| site::layer_sites(&device, base, adapter, layer))
                })
                .collect::<Vec<_>>()
        });
        for (index, adapters) in adapters.into_iter().enumerate() {
            let (entries, sites) = adapters.transpose()?.unzip();
            groups.extend(entries.map(|entries| Group::new(&device, entries)));
            if trained.is_weights() {
                groups.push(Group::masters(&device, config, index));
            }
            layers.push(Block::new(&device, base, index, sites.unwrap_or_else(Sites::new))?);
        }
        let gain = base.weights.vector(&config.family.outer_name(Role::FinalNorm))?;
        let mut final_gain = device.floats(gain.len());
        device.upload(&gain, &mut final_gain, 0);
        let mut entries = Entries::default();
        let name = if trained.is_weights() { WEIGHTS_HEAD_NAME } else { HEAD_NAME };
        entries.matrix(name.to_owned(), labels, config.hidden_size, Initial::Drawn);
        let head = Group::new(&device, entries.list);
        let tokens = options.max_tokens.max(1);
        let slots = if options.training {
            Budget::new(base, &trained, tokens, device.operand_bytes()).slots(options.memory_bytes)?
        } else {
            Slots { kept: 0, recomputed: 0 }
        };
        let examples = options.max_examples.max(1);
        let capacity = Capacity { tokens, examples, partial_rows: 2 * tokens };
        let workspace = Workspace::new(&device, config, &trained, labels, capacity, slots);
        let mut decoder = Self {
            embedding: device.weight(base.weights.matrix(&config.family.outer_name(Role::Embedding))?)?,
            table: RotaryTable::new(&config.inverse_frequencies(), 512),
            geometry: Geometry::default(),
            cosines: Cosines::new(config.hidden_size, config.layers),
            base: base.clone(),
            device: Arc::new(device),
            labels,
            final_gain,
            layers,
            groups,
            head,
            spare: Spare::new(config),
            trained,
            workspace,
            slots,
            cache: None,
            loss: LossOptions::default(),
            words: None,
            targets: Vec::new(),
            training: options.training,
            prepacked: false,
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
            examples: self.geometry.pooled_rows(),
            partial_rows: self.geometry.partial_rows(),
        };
        let capacity = self.workspace.capacity;
        if needed.tokens > capacity.tokens || needed.examples > capacity.examples {
            let (union, slots) = (capacity.union(needed), self.slots);
            let sized =
                |capacity| Workspace::new(&*self.device, config, &self.trained, self.labels, capacity, slots);
            // The old one goes before the new one comes.
            self.workspace = sized(Capacity::default());
            self.workspace = sized(union);
        } else if needed.partial_rows > capacity.partial_rows {
            // All others may be in use already, and would be resident once more.
            self.workspace.grow_partial_rows(&*self.device, config, needed.partial_rows);
        }
        Ok(())
    }

    fn head_shape(&self) -> HeadShape {
        HeadShape {
            examples: self.geometry.pooled_rows(),
            width: self.base.config.hidden_size,
            labels: self.labels,
        }
    }

    /// Tokens to logits; `modes` says what each layer does, `lowest` is the first that keeps anything. What a
    /// layer's adapters add is multiplied by its factor, where there is one.
    fn forward(
        &mut self,
        batch: &PackedBatch,
        modes: impl Fn(usize) -> Mode,
        lowest: usize,
        dropout: Option<Dropout>,
        factors: &[f32],
    ) -> Result<(), ModelError> {
        let shape = self.head_shape();
        let Self { device, layers, groups, workspace, .. } = self;
        for (layer, group) in layers.iter_mut().zip(groups) {
            layer.refresh(device, group, &mut workspace.scratch.adapters);
        }
        let Self { device, base, geometry, workspace, layers, groups, cache, cosines, .. } = self;
        let (device, config) = (&**device, &base.config);
        let Workspace { residual, pooled_residual, saved, inputs, scratch, .. } = workspace;
        let recomputed = recomputed(self.slots, layers.len() - lowest);
        let count = layers.len();
        // With dropout, adapters that do something make states of their own in every step.
        let mut cache = cache.as_mut().filter(|cache| {
            let below = &groups[..cache.layer.min(groups.len())];
            !cosines.running()
                && cache.layer <= lowest
                && (dropout.is_none() || below.iter().all(|group| group.is_identity))
        });
        let mut first = 0;
        if let Some(cache) = &mut cache {
            let pooled = cache.layer == count;
            match cache.read(geometry.row_keys(pooled)) {
                Ok(Some(rows)) => {
                    device.upload(rows, if pooled { &mut *pooled_residual } else { &mut *residual }, 0);
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
        for (index, layer) in layers.iter().enumerate().skip(first) {
            if let Some(cache) = cache.as_mut().filter(|cache| cache.layer == index && first == 0) {
                keep(device, residual, geometry.row_keys(false), cache)?;
            }
            let rows = geometry.rows(index + 1 == count);
            let factor = factors.get(index).copied().unwrap_or(1.0);
            let (mode, slot) = match index.checked_sub(lowest) {
                Some(above) if above < recomputed => {
                    device.copy(residual, &mut inputs[above], 0, rows.tokens * config.hidden_size);
                    (Mode::NoGrad, 0)
                }
                Some(above) => (modes(index), above - recomputed),
                None => (Mode::NoGrad, 0),
            };
            let pass = Pass { device, config, table: &self.table, rows, dropout, factor, mode };
            let stream = Stream { residual: &mut *residual, pooled: &mut *pooled_residual };
            layer.forward(&pass, groups.get(index), stream, &mut saved[slot], scratch);
            let stream = if pass.rows.picked.is_some() { &*pooled_residual } else { &*residual };
            cosines.layer(device, index, &pass.rows, stream);
        }
        if let Some(cache) = cache.filter(|cache| cache.layer == count && first == 0) {
            keep(device, pooled_residual, geometry.row_keys(true), cache)?;
        }
        let Workspace { pooled, pooled_rstd, logits, .. } = workspace;
        let norm = final_norm(&self.final_gain, config);
        device.rms_norm_floats(norm, pooled_residual, shape.examples, pooled, pooled_rstd);
        if self.words.is_none() {
            device.head(pooled, &self.head.values, shape, logits);
        }
        Ok(())
    }

    /// Gradients from the logits' down to the lowest layer that trains.
    fn backward(
        &mut self,
        modes: impl Fn(usize) -> Mode,
        lowest: usize,
        train_head: bool,
        dropout: Option<Dropout>,
    ) {
        let shape = self.head_shape();
        let Self { device, base, geometry, workspace, layers, groups, head, .. } = self;
        let (device, config) = (&**device, &base.config);
        let Workspace { pooled_residual, pooled, pooled_rstd, logits_gradient, .. } = workspace;
        let Workspace { pooled_gradient, residual_gradient, residual, saved, inputs, scratch, .. } =
            workspace;
        let normed_gradient = &mut scratch.stream.picked_gradient;
        let Group { values, gradient, dirty, .. } = head;
        if self.words.is_none() {
            *dirty |= train_head;
            let head_gradient = train_head.then_some(gradient);
            device.head_backward(pooled, values, shape, logits_gradient, normed_gradient, head_gradient);
        }
        let count = layers.len();
        if lowest >= count {
            return;
        }
        device.clear(pooled_gradient, 0, shape.examples * shape.width);
        let recomputed = recomputed(self.slots, count - lowest);
        let norm = final_norm(&self.final_gain, config);
        let input = NormInput { values: &*pooled_residual, rstd: pooled_rstd, rows: shape.examples };
        device.rms_norm_floats_backward(norm, input, normed_gradient, pooled_gradient);
        for (index, layer) in layers.iter().enumerate().skip(lowest).rev() {
            let rows = geometry.rows(index + 1 == count);
            let mode = modes(index);
            let pass = Pass { device, config, table: &self.table, rows, dropout, factor: 1.0, mode };
            let (mut group, wanted, above) = (groups.get_mut(index), index > lowest, index - lowest);
            let saved = &mut saved[above.saturating_sub(recomputed)];
            if above < recomputed {
                device.copy(&inputs[above], residual, 0, pass.rows.tokens * config.hidden_size);
                let stream = Stream { residual: &mut *residual, pooled: &mut *pooled_residual };
                layer.forward(&pass, group.as_deref(), stream, saved, scratch);
            }
            let stream = Stream { residual: &mut *residual_gradient, pooled: &mut *pooled_gradient };
            layer.backward(&pass, group.take(), wanted, stream, saved, scratch);
        }
    }

    /// Sum of the examples' losses by the logits of the last forward; leaves the gradient of the sum times `factor`.
    fn sum_of_losses(&mut self, targets: &[u32], options: &LossOptions, factor: f64) -> f64 {
        self.targets.clear();
        self.targets.extend(self.geometry.order.iter().map(|&example| targets[example]));
        let Workspace { logits, logits_gradient, .. } = &mut self.workspace;
        self.device.cross_entropy(logits, &self.targets, self.labels, options, factor, logits_gradient)
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
        let modes = |layer: usize| match (layer < lowest, active[layer]) {
            (true, _) => Mode::NoGrad,
            (_, false) => Mode::Frozen,
            (_, true) => Mode::Training,
        };
        let probability = self.trained.adapter().map_or(0.0, AdapterConfig::dropout);
        let dropout = dropout.filter(|_| probability > 0.0).map(|key| {
            let key = mix_key(&[key.seed, key.step]);
            Dropout { key, probability }
        });
        let Self { device, layers, groups, spare, .. } = self;
        for ((layer, group), _) in layers.iter().zip(groups).zip(active).filter(|(_, active)| **active) {
            group.prepare_masters(device, spare, |entries, values| {
                layer.copy_weights(device, entries, values)
            });
        }
        self.cosines.begin_pass();
        let forward = self.forward(batch, modes, lowest, dropout, &[]);
        self.cosines.end_pass();
        forward?;
        let factor = 1.0 / normalizer;
        let loss = match self.word_losses(Some(factor)) {
            Some(loss) => loss,
            None => {
                let options = std::mem::take(&mut self.loss);
                let loss = self.sum_of_losses(targets, &options, factor);
                self.loss = options;
                loss
            }
        };
        self.backward(modes, lowest, train_head, dropout);
        self.device.end_pass();
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

    /// Forgets kept states that an update of these layers changes.
    fn forget_states_above(&mut self, active: &[bool]) {
        if let Some(cache) = &mut self.cache
            && active.iter().take(cache.layer).any(|&active| active)
        {
            cache.clear();
        }
    }

    fn groups(&self) -> impl Iterator<Item = &Group<D>> {
        self.groups.iter().chain(self.words.is_none().then_some(&self.head))
    }

    /// The groups that a step trains.
    fn trained<'a>(
        &'a mut self,
        active: &'a [bool],
        train_head: bool,
    ) -> (&'a D, impl Iterator<Item = &'a mut Group<D>>) {
        let layers =
            self.groups.iter_mut().zip(active).filter_map(|(group, &active)| active.then_some(group));
        let head = (train_head && self.words.is_none()).then_some(&mut self.head);
        (&*self.device, layers.chain(head))
    }
}

/// Keeps the states of a batch's rows.
fn keep<D: Device>(
    device: &D,
    states: &D::Floats,
    keys: &[u64],
    cache: &mut StateCache,
) -> Result<(), ModelError> {
    device.download(states, 0, cache.rows(keys));
    cache.write(keys).map_err(|source| ModelError::Cache { folder: cache.folder().to_owned(), source })
}

/// The norm after the last layer.
fn final_norm<'a, D: Device>(gain: &'a D::Floats, config: &ModelConfig) -> Norm<'a, D> {
    Norm { gain, offset: 0, width: config.hidden_size, epsilon: config.norm_epsilon }
}

/// How many of so many layers, the lowest ones, are recomputed in the backward.
fn recomputed(slots: Slots, layers: usize) -> usize {
    layers.saturating_sub(slots.kept)
}

impl<D: Device> Engine for Decoder<D> {
    fn config(&self) -> &ModelConfig {
        &self.base.config
    }

    fn adapter(&self) -> Option<&AdapterConfig> {
        self.trained.adapter()
    }

    fn labels(&self) -> usize {
        self.labels
    }

    fn precision(&self) -> &'static str {
        self.device.precision()
    }

    fn threads(&self) -> usize {
        self.device.threads()
    }

    fn merge(&mut self) {
        if self.prepacked || self.training || self.trained.is_weights() {
            return;
        }
        let bytes = Projection::ALL.iter().map(|&projection| {
            let (outputs, inputs) = self.base.config.projection_shape(projection);
            self.device.prepacked_bytes(outputs, inputs)
        });
        let fits =
            bytes.sum::<Option<usize>>().is_some_and(|bytes| bytes * self.layers.len() <= MOST_PREPACKED);
        if !fits {
            return;
        }
        let Self { device, layers, groups, .. } = self;
        device.run(|| {
            for (index, layer) in layers.iter_mut().enumerate() {
                layer.prepack(&**device, groups.get(index));
            }
        });
        self.prepacked = true;
    }

    fn logits(&mut self, batch: &PackedBatch, out: &mut Vec<f32>) -> Result<(), ModelError> {
        let with_words = self.with_words(batch, None);
        let packed = with_words.as_ref().unwrap_or(batch);
        self.prepare(packed)?;
        let (device, layers) = (self.device.clone(), self.layers.len());
        let done = device.run(|| {
            self.forward(packed, |_| Mode::NoGrad, layers, None, &[]).map(|()| self.word_logits(out))
        });
        self.keep_words(with_words);
        if done? {
            return Ok(());
        }
        out.resize(batch.examples() * self.labels, 0.0);
        for (row, &example) in self.geometry.order.iter().enumerate() {
            let out = &mut out[example * self.labels..][..self.labels];
            self.device.download(&self.workspace.logits, row * self.labels, out);
        }
        Ok(())
    }

    fn set_loss(&mut self, options: LossOptions) -> Result<(), ModelError> {
        match &options.class_weights {
            Some(weights) if weights.len() != self.labels => {
                Err(ModelError::ClassWeights { weights: weights.len(), labels: self.labels })
            }
            _ => {
                self.loss = options;
                Ok(())
            }
        }
    }

    fn loss_options(&self) -> &LossOptions {
        &self.loss
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
        if self.trained.is_weights() && given.iter().any(|&factor| factor != 1.0) {
            return Err(ModelError::NothingToWeaken);
        }
        let with_words = self.with_words(batch, Some(targets));
        let batch = with_words.as_ref().unwrap_or(batch);
        self.prepare(batch)?;
        // States above weakened adapters are not those that are kept.
        let changes_kept = |cache: &StateCache| {
            let mut below = given.iter().zip(&self.groups).take(cache.layer);
            below.any(|(&factor, group)| factor != 1.0 && !group.is_identity)
        };
        let set_aside = if self.cache.as_ref().is_some_and(changes_kept) { self.cache.take() } else { None };
        let device = self.device.clone();
        let forward = device.run(|| {
            self.forward(batch, |_| Mode::NoGrad, layers, None, given).map(|()| self.word_losses(None))
        });
        self.cache = set_aside.or(self.cache.take());
        self.keep_words(with_words);
        Ok(forward?.unwrap_or_else(|| self.sum_of_losses(targets, &LossOptions::default(), 1.0)))
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
        let with_words = self.with_words(batch, Some(targets));
        let batch = with_words.as_ref().unwrap_or(batch);
        self.prepare(batch)?;
        let device = self.device.clone();
        let loss =
            device.run(|| self.accumulate_here(batch, targets, active, train_head, normalizer, dropout));
        self.keep_words(with_words);
        loss
    }

    fn classify_by_words(&mut self, words: Vec<Vec<u32>>) -> Result<(), ModelError> {
        let training = self.slots.kept > 0;
        self.words = Some(Words::new(&*self.device, &self.base, words, self.labels, training)?);
        Ok(())
    }

    fn cache_states(&mut self, layer: usize, folder: &Path) -> Result<(), ModelError> {
        if layer == 0 || layer > self.layers.len() {
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
        let name = self.base.config.family.weight_name(layer, Projection::OProj);
        Ok(spectrum::norm(&self.base.weights.get(&name)?))
    }

    fn signal_to_noise(&self, layer: usize) -> Result<f64, ModelError> {
        self.device.run(|| spectrum::layer_signal_to_noise(&self.base, layer))
    }

    fn gradient_norms(&self, layer: usize, out: &mut Vec<f64>) {
        out.clear();
        if let Some(group) = self.groups.get(layer) {
            let squares = |entry| group.gradient_squares(&*self.device, entry);
            out.extend(group.entries.iter().map(|entry| squares(entry).sqrt()));
        }
    }

    fn head_gradient_norm(&self) -> f64 {
        self.head.gradient_squares(&*self.device, &self.head.entries[0]).sqrt()
    }

    fn scale_gradients(&mut self, active: &[bool], train_head: bool, factor: f32) {
        let (device, groups) = self.trained(active, train_head);
        groups.for_each(|group| group.scale_gradient(device, factor));
    }

    fn update(&mut self, active: &[bool], train_head: bool, settings: &AdamW) {
        self.forget_states_above(active);
        let Self { device, groups, spare, .. } = self;
        for (group, _) in groups.iter_mut().zip(active).filter(|(_, active)| **active) {
            group.prepare_moments(device, spare);
        }
        let device = self.device.clone();
        device.run(|| {
            let (device, groups) = self.trained(active, train_head);
            groups.for_each(|group| group.update(device, settings));
        });
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
        self.groups().for_each(|group| group.parameters(&*self.device, &mut out));
        out
    }

    fn exported(&self, mut parameters: Vec<HostTensor>) -> Vec<HostTensor> {
        for layer in &self.layers {
            layer.export(&*self.device, self.base.config.family, &mut parameters);
        }
        parameters
    }

    fn gradients(&self) -> Vec<HostTensor> {
        let mut out = Vec::new();
        self.groups().for_each(|group| group.gradients(&*self.device, &mut out));
        out
    }

    fn load_parameters(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        let names: HashSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        let given = |group: &Group<D>| !group.are_masters() || group.is_named(&names, "");
        let expected = self.groups().filter(|group| given(group)).flat_map(Group::expected);
        let expected = expected.map(|(name, shape)| (name.to_owned(), shape)).collect();
        let found = checked::checked(expected, tensors)?;
        let Self { device, groups, head, words, cache, .. } = self;
        for group in groups.iter_mut().chain(words.is_none().then_some(head)) {
            let given = given(group);
            group.keep_masters(device, given);
            if given {
                group.load_parameters(device, |name| found[name]);
            }
        }
        if let Some(cache) = cache {
            cache.clear();
        }
        if std::mem::take(&mut self.prepacked) {
            self.layers.iter_mut().for_each(Block::unpack);
        }
        Ok(())
    }

    fn optimizer_state(&self) -> Vec<HostTensor> {
        let mut out = Vec::new();
        self.groups().for_each(|group| group.optimizer_state(&*self.device, &mut out));
        out
    }

    fn load_optimizer_state(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        let names: HashSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        let given = |group: &Group<D>| !group.are_masters() || group.is_named(&names, ".steps");
        let expected =
            self.groups().filter(|group| given(group)).flat_map(Group::expected).flat_map(|(name, shape)| {
                [("first_moment", shape.clone()), ("second_moment", shape), ("steps", vec![1])]
                    .map(|(part, shape)| (format!("{name}.{part}"), shape))
            });
        let found = checked::checked(expected.collect(), tensors)?;
        let Self { device, groups, head, words, spare, .. } = self;
        for group in groups.iter_mut().chain(words.is_none().then_some(head)) {
            if given(group) {
                group.prepare_moments(device, spare);
                group.load_optimizer_state(device, |name| found[name]);
            } else {
                group.leave_moments(device, spare);
            }
        }
        Ok(())
    }
}
