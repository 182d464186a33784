//! A small engine of known behaviour, and its data.

use irtune_data::{Example, LabelSet, Target};
use irtune_model::{
    AdamW, AdapterConfig, BatchError, Classify, DropoutKey, HostTensor, LossOptions, ModelConfig, ModelError,
    PackedBatch, StateDict, StepReadings, Targets, Train, TrainingPass,
};
use irtune_train::data::RunData;
use std::path::Path;

pub const LAYERS: usize = 6;
pub const LABELS: usize = 3;
const FEATURES: usize = 8;
const SIZE: usize = LABELS * FEATURES;

/// Logistic regression whose weights are the sum of as many matrices as there are layers, and a head.
///
/// Layer l sees the counts of an example's tokens, shifted by l, so layers have gradients of their own; dropout
/// leaves out features by its key, as the engine does.
pub struct CountingEngine {
    config: ModelConfig,
    values: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    first: Vec<Vec<f32>>,
    second: Vec<Vec<f32>>,
    steps: Vec<u64>,
    /// Makes every norm infinite.
    pub infinite_gradient: bool,
    /// Makes every pass fail.
    pub fails: bool,
    /// Whether cosines are watched, and in how many passes since the gradients were zero they were.
    watched: (bool, u32),
    /// Losses of the passes since the gradients were zero.
    readings: Vec<f64>,
    /// How often a loss was asked for.
    pub losses: usize,
    /// Passes forward and backward.
    pub passes: usize,
    /// Batches whose logits were asked for.
    pub batches: usize,
    /// How passes count labels: by their weights; label smoothing is left to the real engine.
    options: LossOptions,
}

impl CountingEngine {
    pub fn new() -> Self {
        let json = format!(
            r#"{{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 64, "hidden_size": 8,
                "intermediate_size": 16, "num_hidden_layers": {LAYERS}, "num_attention_heads": 2,
                "num_key_value_heads": 1, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                "max_position_embeddings": 64, "hidden_act": "silu", "tie_word_embeddings": true,
                "initializer_range": 0.02, "bos_token_id": 1, "eos_token_id": 2}}"#
        );
        let config = ModelConfig::parse_json(json.as_bytes(), Path::new("config.json")).unwrap();
        let zeros = || vec![vec![0.0; SIZE]; LAYERS + 1];
        let values = (0..=LAYERS)
            .map(|layer| {
                (0..SIZE).map(|index| ((layer * 31 + index * 17) % 13) as f32 * 0.02 - 0.1).collect()
            })
            .collect();
        Self {
            config,
            values,
            gradients: zeros(),
            first: zeros(),
            second: zeros(),
            steps: vec![0; LAYERS + 1],
            infinite_gradient: false,
            fails: false,
            watched: (false, 0),
            readings: Vec::new(),
            losses: 0,
            passes: 0,
            batches: 0,
            options: LossOptions::default(),
        }
    }

    fn features(layer: usize, tokens: &[u32], dropped: impl Fn(usize) -> bool) -> [f32; FEATURES] {
        let mut counts = [0.0; FEATURES];
        for &token in tokens {
            let feature = (token as usize * (layer + 1) + layer) % FEATURES;
            counts[feature] += 1.0 / tokens.len() as f32;
        }
        for (feature, count) in counts.iter_mut().enumerate() {
            if dropped(feature) {
                *count = 0.0;
            }
        }
        counts
    }

    /// The tokens of each example.
    fn examples(batch: &PackedBatch) -> Vec<Vec<u32>> {
        let mut examples = vec![Vec::new(); batch.examples()];
        for (end, &example) in batch.ends().zip(&batch.order) {
            let mut segments: Vec<_> = batch.path(end).collect();
            segments.reverse();
            let tokens = segments.iter().flat_map(|one| &batch.tokens[one.first_key..][..one.keys]);
            examples[example] = tokens.copied().collect();
        }
        examples
    }

    fn scores(&self, tokens: &[u32], dropped: &impl Fn(usize, usize) -> bool) -> [f32; LABELS] {
        let mut logits = [0.0; LABELS];
        for layer in 0..=LAYERS {
            let features = Self::features(layer, tokens, |feature| dropped(layer, feature));
            for (label, logit) in logits.iter_mut().enumerate() {
                for (feature, count) in features.iter().enumerate() {
                    *logit += self.values[layer][label * FEATURES + feature] * count;
                }
            }
        }
        logits
    }

    fn name(index: usize) -> String {
        if index == LAYERS { "score.weight".to_owned() } else { format!("layers.{index}.weight") }
    }

    fn tensors(values: &[Vec<f32>], suffix: &str) -> Vec<HostTensor> {
        let tensor = |(index, values): (usize, &Vec<f32>)| {
            HostTensor::new(Self::name(index) + suffix, vec![LABELS, FEATURES], values.clone())
        };
        values.iter().enumerate().map(tensor).collect()
    }

    fn find(tensors: &[HostTensor], name: &str) -> Vec<f32> {
        tensors.iter().find(|tensor| tensor.name == name).unwrap().data.clone()
    }

    fn trained(active: &[bool], train_head: bool) -> Vec<usize> {
        let layers = (0..LAYERS).filter(|&layer| active[layer]);
        layers.chain(train_head.then_some(LAYERS)).collect()
    }
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

/// Drops one feature in eight, by an example's tokens, layer and feature alone.
fn dropped(key: Option<DropoutKey>, tokens: &[u32], layer: usize, feature: usize) -> bool {
    key.is_some_and(|key| {
        let mut hash = key.seed ^ (key.step << 32);
        let tokens = tokens.iter().map(|&token| u64::from(token));
        for value in tokens.chain([layer as u64, feature as u64]) {
            hash = (hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
        hash.is_multiple_of(8)
    })
}

impl Classify for CountingEngine {
    fn config(&self) -> &ModelConfig {
        &self.config
    }

    fn adapter(&self) -> Option<&AdapterConfig> {
        None
    }

    fn labels(&self) -> usize {
        LABELS
    }

    fn precision(&self) -> &'static str {
        "f32"
    }

    fn threads(&self) -> usize {
        1
    }

    fn prepack(&mut self) {}

    fn logits(&mut self, batch: &PackedBatch, out: &mut Vec<f32>) -> Result<(), ModelError> {
        self.batches += 1;
        out.clear();
        for tokens in Self::examples(batch) {
            out.extend(self.scores(&tokens, &|_, _| false));
        }
        Ok(())
    }

    fn loss(
        &mut self,
        batch: &PackedBatch,
        targets: Targets<'_>,
        adapter_factors: Option<&[f32]>,
    ) -> Result<f64, ModelError> {
        if self.fails {
            return Err(BatchError::Empty.into());
        }
        self.losses += 1;
        let before = self.values.clone();
        for (values, factor) in self.values.iter_mut().zip(adapter_factors.unwrap_or_default()) {
            values.iter_mut().for_each(|value| *value *= factor);
        }
        let mut logits = Vec::new();
        self.logits(batch, &mut logits)?;
        self.values = before;
        let loss = |(example, logits): (usize, &[f32])| -> f64 {
            let probabilities = irtune_train::evaluate::softmax(logits).into_iter().enumerate();
            let shares = probabilities
                .map(|(label, probability)| (targets.share(example, label, LABELS), probability));
            shares
                .filter(|(share, _)| *share > 0.0)
                .map(|(share, probability)| -share * probability.ln())
                .sum()
        };
        Ok(logits.chunks_exact(LABELS).enumerate().map(loss).sum())
    }

    fn classify_by_words(&mut self, words: Vec<Vec<u32>>) -> Result<(), ModelError> {
        Err(ModelError::Words { given: words.len(), labels: 0 })
    }

    fn output_projection_norm(&self, layer: usize) -> Result<f64, ModelError> {
        Ok((layer * 5 % LAYERS) as f64 + 1.0)
    }

    fn signal_to_noise(&self, layer: usize) -> Result<f64, ModelError> {
        Ok((layer * 3 % 4) as f64)
    }
}

impl Train for CountingEngine {
    fn set_loss(&mut self, options: LossOptions) -> Result<(), ModelError> {
        self.options = options;
        Ok(())
    }

    fn set_head_rate(&mut self, _: f32) {}

    fn loss_options(&self) -> &LossOptions {
        &self.options
    }

    fn add_gradients(
        &mut self,
        batch: &PackedBatch,
        targets: Targets<'_>,
        pass: TrainingPass<'_>,
    ) -> Result<(), ModelError> {
        let TrainingPass { active, train_head, normalizer, dropout } = pass;
        if self.fails {
            return Err(BatchError::Empty.into());
        }
        self.passes += 1;
        self.watched.1 += u32::from(self.watched.0);
        let mut loss = 0.0;
        for (example, tokens) in Self::examples(batch).iter().enumerate() {
            let drop = |layer: usize, feature: usize| dropped(dropout, tokens, layer, feature);
            let logits = self.scores(tokens, &drop);
            let probabilities = irtune_train::evaluate::softmax(&logits);
            let share = |label: usize| self.options.weight(label) * targets.share(example, label, LABELS);
            let weight: f64 = (0..LABELS).map(share).sum();
            for label in (0..LABELS).filter(|&label| share(label) > 0.0) {
                loss -= share(label) * probabilities[label].ln();
            }
            for index in Self::trained(active, train_head) {
                let features = Self::features(index, tokens, |feature| drop(index, feature));
                for (label, probability) in probabilities.iter().enumerate() {
                    let error = weight * probability - share(label);
                    for (feature, count) in features.iter().enumerate() {
                        self.gradients[index][label * FEATURES + feature] +=
                            (error * f64::from(*count) / normalizer) as f32;
                    }
                }
            }
        }
        self.readings.push(loss);
        Ok(())
    }

    fn read_step(&mut self, active: &[bool], train_head: bool, out: &mut StepReadings) {
        out.losses.clone_from(&self.readings);
        out.head_norm = if train_head { self.head_gradient_norm() } else { 0.0 };
        out.layer_norms.resize_with(LAYERS, Vec::new);
        for (layer, norms) in out.layer_norms.iter_mut().enumerate() {
            norms.clear();
            if active[layer] {
                self.gradient_norms(layer, norms);
            }
        }
        self.layer_cosines(&mut out.cosines);
    }

    fn last_loss(&mut self) -> f64 {
        *self.readings.last().expect("a pass")
    }

    fn cache_states(&mut self, layer: usize, _: &Path) -> Result<(), ModelError> {
        Err(ModelError::CacheLayer { layer, layers: LAYERS })
    }

    fn zero_gradients(&mut self) {
        self.gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
        self.watched.1 = 0;
        self.readings.clear();
    }

    fn watch_cosines(&mut self, watched: bool) {
        self.watched.0 = watched;
    }

    fn layer_cosines(&self, out: &mut Vec<f64>) {
        out.clear();
        if self.watched.1 > 0 {
            out.extend(self.values[..LAYERS].iter().map(|values| f64::from(values[0] + values[1]).cos()));
        }
    }

    fn gradient_norms(&self, layer: usize, out: &mut Vec<f64>) {
        out.clear();
        let (a, b) = self.gradients[layer].split_at(SIZE / 2);
        out.extend([norm(a), norm(b)]);
    }

    fn head_gradient_norm(&self) -> f64 {
        if self.infinite_gradient { f64::INFINITY } else { norm(&self.gradients[LAYERS]) }
    }

    fn scale_gradients(&mut self, active: &[bool], train_head: bool, factor: f32) {
        for index in Self::trained(active, train_head) {
            self.gradients[index].iter_mut().for_each(|gradient| *gradient *= factor);
        }
    }

    fn update(&mut self, active: &[bool], train_head: bool, settings: &AdamW) -> Result<(), ModelError> {
        for index in Self::trained(active, train_head) {
            self.steps[index] += 1;
            let count = self.steps[index] as i32;
            for position in 0..SIZE {
                let gradient = f64::from(self.gradients[index][position]);
                let first = settings.beta1 * f64::from(self.first[index][position])
                    + (1.0 - settings.beta1) * gradient;
                let second = settings.beta2 * f64::from(self.second[index][position])
                    + (1.0 - settings.beta2) * gradient * gradient;
                self.first[index][position] = first as f32;
                self.second[index][position] = second as f32;
                let step = first
                    / (1.0 - settings.beta1.powi(count))
                    / ((second / (1.0 - settings.beta2.powi(count))).sqrt() + settings.epsilon);
                let value = &mut self.values[index][position];
                *value -=
                    (settings.learning_rate * (step + settings.weight_decay * f64::from(*value))) as f32;
            }
        }
        Ok(())
    }

    fn reset_optimizer(&mut self, layer: usize) {
        self.first[layer].fill(0.0);
        self.second[layer].fill(0.0);
        self.steps[layer] = 0;
    }
}

impl StateDict for CountingEngine {
    fn parameters(&self) -> Vec<HostTensor> {
        Self::tensors(&self.values, "")
    }

    fn exported(&self, parameters: Vec<HostTensor>) -> Vec<HostTensor> {
        parameters
    }

    fn gradients(&self) -> Vec<HostTensor> {
        Self::tensors(&self.gradients, "")
    }

    fn load_parameters(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        self.values = (0..=LAYERS).map(|index| Self::find(tensors, &Self::name(index))).collect();
        Ok(())
    }

    fn optimizer_state(&self) -> Vec<HostTensor> {
        let mut state = Self::tensors(&self.first, ".first_moment");
        state.extend(Self::tensors(&self.second, ".second_moment"));
        state.extend(self.steps.iter().enumerate().map(|(index, steps)| {
            HostTensor::new(Self::name(index) + ".steps", vec![1], vec![*steps as f32])
        }));
        state
    }

    fn load_optimizer_state(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        for index in 0..=LAYERS {
            let name = Self::name(index);
            self.first[index] = Self::find(tensors, &(name.clone() + ".first_moment"));
            self.second[index] = Self::find(tensors, &(name.clone() + ".second_moment"));
            self.steps[index] = Self::find(tensors, &(name + ".steps"))[0] as u64;
        }
        Ok(())
    }
}

/// Examples that share a beginning and whose label can be learnt from their tokens.
pub fn examples(count: usize, from: u32) -> Vec<Example> {
    (0..count as u32)
        .map(|index| {
            let number = index + from;
            let label = number % LABELS as u32;
            let mut tokens = vec![1, 2, 3];
            tokens
                .extend((0..4 + number % 3).map(|place| 10 + (label * 5 + place * place + number % 2) % 40));
            Example { tokens, target: Some(Target::Class(label)), ..Example::default() }
        })
        .collect()
}

pub fn data() -> RunData {
    RunData {
        labels: LabelSet::new(["clarity", "fluency", "style"]).unwrap(),
        train: examples(22, 0),
        validation: examples(9, 100),
        test: examples(7, 200),
    }
}
