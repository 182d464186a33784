//! Training: gradients of a batch, what a step reads of them, and the update.

use std::{path::Path, sync::PoisonError};

use irtune_device::{AdamW, CrossEntropy, Device, LossOptions, Targets, mix_key};

use super::{
    Decoder,
    options::TrainingPass,
    readings::{Readings, StepReadings},
    state_cache::StateCache,
};
use crate::{
    adapters::{AdapterConfig, site::Dropout},
    batch::PackedBatch,
    error::ModelError,
    layer::Mode,
    parameters::group::Group,
};

impl<D: Device> Decoder<D> {
    /// The results on the device, and the device.
    pub(super) fn readings(&mut self) -> (&D, &mut Readings<D>) {
        (&self.device, self.readings.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a batch's gradients; its loss stays on the device.
    pub(crate) fn add_gradients(
        &mut self,
        batch: &PackedBatch,
        targets: Targets<'_>,
        pass: TrainingPass<'_>,
    ) -> Result<(), ModelError> {
        let classes = self.check_targets(batch, targets)?;
        let (given, layers) = (pass.active.len(), self.layers.len());
        if given != layers {
            return Err(ModelError::ActiveLayers { given, layers });
        }
        if self.slots.kept == 0 {
            return Err(ModelError::NotForTraining);
        }
        if pass.active.contains(&true) && self.groups.is_empty() {
            return Err(ModelError::NothingToTrain);
        }
        let with_label_tokens = self.with_label_tokens(batch, Some(classes));
        let batch = with_label_tokens.as_ref().unwrap_or(batch);
        let prepared = self.prepare(batch, Some(targets));
        let device = self.device.clone();
        let done = prepared.and_then(|()| device.run(|| self.run_training_pass(pass)));
        self.keep_label_tokens(with_label_tokens);
        done
    }

    fn run_training_pass(&mut self, pass: TrainingPass<'_>) -> Result<(), ModelError> {
        let TrainingPass { active, train_head, normalizer, dropout } = pass;
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
            })?;
        }
        self.cosines.begin_pass(&self.device, self.batch.layout.tokens.len())?;
        let forward = self.forward(modes, lowest, dropout, &[]);
        self.cosines.end_pass();
        forward?;
        self.find_loss(1.0 / normalizer);
        self.backward(modes, lowest, train_head, dropout);
        self.device.end_pass();
        Ok(())
    }

    /// The sum of the examples' losses after a forward to its place on the device; leaves the gradient of the sum times
    /// `factor`.
    fn find_loss(&mut self, factor: f64) {
        let Self { device, batch, workspace, verbalizer, readings, loss, .. } = self;
        let readings = readings.get_mut().unwrap_or_else(PoisonError::into_inner);
        let out = readings.loss_slot(device);
        match verbalizer {
            Some(verbalizer) => {
                let gradient = &mut workspace.scratch.stream.picked_gradient;
                verbalizer.losses(
                    device,
                    &batch.uploaded,
                    &workspace.read_states,
                    Some((factor, gradient)),
                    out,
                );
            }
            None => {
                let loss =
                    CrossEntropy { layout: &batch.uploaded, labels: self.labels, options: loss, factor };
                device.cross_entropy(&workspace.logits, loss, &mut workspace.logits_gradient, out);
            }
        }
    }

    /// Checks targets; gives the examples' classes, none where targets are something else.
    pub(super) fn check_targets<'a>(
        &self,
        batch: &PackedBatch,
        targets: Targets<'a>,
    ) -> Result<&'a [u32], ModelError> {
        let (labels, examples) = (self.labels, batch.examples());
        let classes = match targets {
            Targets::Classes(classes) => classes,
            Targets::Distributions(values) | Targets::Labels(values) => {
                let (given, expected) = (values.len(), examples * labels);
                return match (self.verbalizer.is_some(), given == expected) {
                    (true, _) => Err(ModelError::SharesOfWords),
                    (false, true) => Ok(&[]),
                    (false, false) => Err(ModelError::Shares { given, expected }),
                };
            }
        };
        if classes.len() != examples {
            return Err(ModelError::Targets { targets: classes.len(), examples });
        }
        match classes.iter().find(|&&target| target as usize >= labels) {
            Some(&target) => Err(ModelError::TargetOutOfRange { target, labels }),
            None => Ok(classes),
        }
    }

    /// How training counts labels.
    pub(crate) fn loss_options(&self) -> &LossOptions {
        &self.loss
    }

    pub(crate) fn set_loss(&mut self, options: LossOptions) -> Result<(), ModelError> {
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

    /// Reads the loss of the last training pass.
    pub(crate) fn last_loss(&mut self) -> f64 {
        let (device, readings) = self.readings();
        readings.last_loss(device)
    }

    /// Reads a step's losses, gradient norms and cosines at once.
    pub(crate) fn read_step(&mut self, active: &[bool], train_head: bool, out: &mut StepReadings) {
        let Self { device, groups, head, verbalizer, readings, cosines, .. } = self;
        let readings = readings.get_mut().unwrap_or_else(PoisonError::into_inner);
        let head = (train_head && verbalizer.is_none()).then_some(&*head);
        readings.step(device, groups, head, active, out);
        cosines.to_means(&mut out.cosines);
    }

    pub(crate) fn layer_cosines(&self, out: &mut Vec<f64>) {
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        out.clear();
        out.extend_from_slice(readings.cosines(&self.device));
        self.cosines.to_means(out);
    }

    pub(crate) fn watch_cosines(&mut self, watched: bool) {
        self.cosines.watch(watched);
    }

    pub(crate) fn gradient_norms(&self, layer: usize, out: &mut Vec<f64>) {
        out.clear();
        if let Some(group) = self.groups.get(layer) {
            let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
            readings.layer_norms(&self.device, layer, group, out);
        }
    }

    pub(crate) fn head_gradient_norm(&self) -> f64 {
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        readings.head_norm(&self.device, &self.head)
    }

    pub(crate) fn zero_gradients(&mut self) {
        let Self { device, groups, head, spare, .. } = self;
        if groups.first().is_some_and(Group::are_masters) {
            groups.iter_mut().for_each(|group| group.leave_gradient(device, spare));
            head.zero_gradient(device);
        } else {
            groups.iter_mut().chain([head]).for_each(|group| group.zero_gradient(device));
        }
        let watched = self.cosines.forget();
        let (device, readings) = self.readings();
        readings.forget_losses();
        if watched {
            readings.forget_cosines(device);
        }
    }

    /// The groups that a step trains.
    fn trained<'a>(
        &'a mut self,
        active: &'a [bool],
        train_head: bool,
    ) -> (&'a D, impl Iterator<Item = &'a mut Group<D>>) {
        let layers =
            self.groups.iter_mut().zip(active).filter_map(|(group, &active)| active.then_some(group));
        let head = (train_head && self.verbalizer.is_none()).then_some(&mut self.head);
        (&self.device, layers.chain(head))
    }

    pub(crate) fn set_head_rate(&mut self, rate: f32) {
        self.head.set_rate(rate);
    }

    pub(crate) fn scale_gradients(&mut self, active: &[bool], train_head: bool, factor: f32) {
        let (device, groups) = self.trained(active, train_head);
        groups.for_each(|group| group.scale_gradient(device, factor));
    }

    pub(crate) fn update(
        &mut self,
        active: &[bool],
        train_head: bool,
        settings: &AdamW,
    ) -> Result<(), ModelError> {
        self.forget_states_above(active);
        let Self { device, groups, spare, .. } = self;
        for (group, _) in groups.iter_mut().zip(active).filter(|(_, active)| **active) {
            group.prepare_moments(device, spare)?;
        }
        let device = self.device.clone();
        device.run(|| {
            let (device, groups) = self.trained(active, train_head);
            groups.for_each(|group| group.update(device, settings));
        });
        Ok(())
    }

    /// Forgets kept states that an update of these layers changes.
    fn forget_states_above(&mut self, active: &[bool]) {
        if let Some(cache) = &mut self.cache
            && active.iter().take(cache.layer).any(|&active| active)
        {
            cache.clear();
        }
    }

    pub(crate) fn reset_optimizer(&mut self, layer: usize) {
        let Self { device, groups, spare, .. } = self;
        match groups.get_mut(layer) {
            Some(group) if group.are_masters() => group.leave_moments(device, spare),
            Some(group) => group.reset_optimizer(device),
            None => {}
        }
    }

    pub(crate) fn cache_states(&mut self, layer: usize, folder: &Path) -> Result<(), ModelError> {
        if layer == 0 || layer > self.layers.len() {
            return Err(ModelError::CacheLayer { layer, layers: self.layers.len() });
        }
        let hidden = self.base.config.hidden_size;
        let width = if layer == self.layers.len() { self.head_input.columns(hidden) } else { hidden };
        let cache = StateCache::new(layer, width, folder);
        let cache = cache.map_err(|source| ModelError::Cache { folder: folder.to_owned(), source })?;
        self.cache = Some(cache);
        Ok(())
    }
}
