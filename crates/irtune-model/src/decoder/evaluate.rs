//! Inference: logits, losses in evaluation mode, and measures of frozen weights.

use irtune_device::{CrossEntropy, Device, LossOptions, Targets};

use super::{Decoder, state_cache::StateCache, verbalizer::Verbalizer};
use crate::{
    adapters::{AdapterConfig, Projection},
    base::config::ModelConfig,
    batch::PackedBatch,
    error::ModelError,
    layer::Mode,
    spectrum,
};

/// Most memory that prepacked matrices may take in bytes: those of SmolLM2-135M take 120 MB in `int8`,
/// in `bf16` 140 where LoRA is on five of seven projections. In larger models adapters are a smaller part of the work.
const MOST_PREPACKED: usize = 256 << 20;

impl<D: Device> Decoder<D> {
    pub(crate) fn config(&self) -> &ModelConfig {
        &self.base.config
    }

    pub(crate) fn adapter(&self) -> Option<&AdapterConfig> {
        self.trained.adapter()
    }

    pub(crate) fn labels(&self) -> usize {
        self.labels
    }

    pub(crate) fn precision(&self) -> &'static str {
        self.device.precision()
    }

    pub(crate) fn threads(&self) -> usize {
        self.device.threads()
    }

    pub(crate) fn prepack(&mut self) {
        if self.prepacked || self.training || self.trained.is_weights() {
            return;
        }
        let bytes = self.base.config.projections().map(|projection| {
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

    pub(crate) fn logits(&mut self, batch: &PackedBatch, out: &mut Vec<f32>) -> Result<(), ModelError> {
        let with_label_tokens = self.with_label_tokens(batch, None);
        let prepared = self.prepare(with_label_tokens.as_ref().unwrap_or(batch), None);
        let (device, layers) = (self.device.clone(), self.layers.len());
        let done = prepared.and_then(|()| {
            device.run(|| {
                self.forward(|_| Mode::NoGrad, layers, None, &[])?;
                if let Some(verbalizer) = &mut self.verbalizer {
                    let (layout, states) = (&self.batch, &self.workspace.read_states);
                    let (device, examples) = (&*self.device, layout.order.len());
                    verbalizer.log_likelihoods(device, &layout.uploaded, states, examples, out)?;
                }
                Ok(())
            })
        });
        self.keep_label_tokens(with_label_tokens);
        done?;
        if self.verbalizer.is_some() {
            return Ok(());
        }
        let length = batch.examples() * self.labels;
        self.host.resize(length, 0.0);
        self.device.download(&self.workspace.logits, 0, &mut self.host);
        out.resize(length, 0.0);
        for (row, &example) in self.host.chunks_exact(self.labels).zip(&self.batch.order) {
            out[example * self.labels..][..self.labels].copy_from_slice(row);
        }
        Ok(())
    }

    pub(crate) fn loss(
        &mut self,
        batch: &PackedBatch,
        targets: Targets<'_>,
        adapter_factors: Option<&[f32]>,
    ) -> Result<f64, ModelError> {
        let classes = self.check_targets(batch, targets)?;
        let (given, layers) = (adapter_factors.unwrap_or_default(), self.layers.len());
        if adapter_factors.is_some() && given.len() != layers {
            return Err(ModelError::AdapterFactors { given: given.len(), layers });
        }
        if self.trained.is_weights() && given.iter().any(|&factor| factor != 1.0) {
            return Err(ModelError::NothingToWeaken);
        }
        let with_label_tokens = self.with_label_tokens(batch, Some(classes));
        let prepared = self.prepare(with_label_tokens.as_ref().unwrap_or(batch), Some(targets));
        // States above weakened adapters are not those that are kept.
        let changes_kept = |cache: &StateCache| {
            let mut below = given.iter().zip(&self.groups).take(cache.layer);
            below.any(|(&factor, group)| factor != 1.0 && !group.is_identity)
        };
        let set_aside = if self.cache.as_ref().is_some_and(changes_kept) { self.cache.take() } else { None };
        let device = self.device.clone();
        let done = prepared.and_then(|()| {
            device.run(|| {
                self.forward(|_| Mode::NoGrad, layers, None, given)?;
                self.find_evaluated_loss();
                Ok(())
            })
        });
        self.cache = set_aside.or(self.cache.take());
        self.keep_label_tokens(with_label_tokens);
        done?;
        let (device, readings) = self.readings();
        Ok(readings.evaluated(device))
    }

    /// The sum of the examples' losses after a forward, all labels counted alike, to its place on the device.
    fn find_evaluated_loss(&mut self) {
        let Self { device, batch, workspace, verbalizer, readings, .. } = self;
        let readings = readings.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let out = readings.evaluated_slot(device);
        match verbalizer {
            Some(verbalizer) => verbalizer.losses(device, &batch.uploaded, &workspace.read_states, None, out),
            None => {
                let (labels, options) = (self.labels, &LossOptions::default());
                let loss = CrossEntropy { layout: &batch.uploaded, labels, options, factor: 1.0 };
                device.cross_entropy(&workspace.logits, loss, &mut workspace.logits_gradient, out);
            }
        }
    }

    pub(crate) fn classify_by_words(&mut self, words: Vec<Vec<u32>>) -> Result<(), ModelError> {
        if self.head_input.scaling().is_some() {
            return Err(ModelError::WordsBesideEdit);
        }
        let training = self.slots.kept > 0;
        self.verbalizer = Some(Verbalizer::new(&*self.device, &self.base, words, self.labels, training)?);
        Ok(())
    }

    pub(crate) fn output_projection_norm(&self, layer: usize) -> Result<f64, ModelError> {
        let name = self.base.config.family.weight_name(layer, Projection::OProj);
        Ok(spectrum::norm(&self.base.weights.get(&name)?))
    }

    pub(crate) fn signal_to_noise(&self, layer: usize) -> Result<f64, ModelError> {
        self.device.run(|| spectrum::layer_signal_to_noise(&self.base, layer))
    }
}
