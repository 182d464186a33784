//! The tiny Llama classifiers of `golden/tiny_llama`, opened and ready to run.

pub mod engine;
pub mod slope;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use irtune_model::{
    AdamW, AdapterConfig, Base, Engine, HostTensor, LoraConfig, PackedBatch, Precision, Trained,
};
use safetensors::SafeTensors;
use serde_json::Value;

use engine::{EngineOptions, engine};
use irtune_testing::golden::{Damage, Golden, Tolerance, golden_folder};

/// Both cases: bf16 weights and a configuration as transformers 5 writes it; f32 weights, scaled rotary frequencies,
/// tied embeddings, an adapter on every projection and a configuration in the older names.
pub const CASES: [&str; 2] = ["tiny_llama/three_layers", "tiny_llama/six_layers"];

/// Tiny classifiers of every family and shape of layer, in `golden/tiny_families`.
pub const FAMILY_CASES: [&str; 23] = [
    "tiny_families/llama/untied",
    "tiny_families/llama/biased",
    "tiny_families/mistral/window",
    "tiny_families/ministral/alternating",
    "tiny_families/ministral3/growing",
    "tiny_families/smollm3/unturned",
    "tiny_families/gemma/tied",
    "tiny_families/gemma2/capped",
    "tiny_families/gemma3_text/local",
    "tiny_families/gemma3/composite",
    "tiny_families/granite/scaled",
    "tiny_families/olmo2/after",
    "tiny_families/olmo3/yarn",
    "tiny_families/qwen2/untied",
    "tiny_families/qwen2/tied",
    "tiny_families/qwen3/untied",
    "tiny_families/qwen3/biased",
    "tiny_families/gpt2/tied",
    "tiny_families/gpt2/narrow",
    "tiny_families/phi/untied",
    "tiny_families/phi/grouped",
    "tiny_families/phi3/long",
    "tiny_families/phi3/tied",
];

/// Every case.
pub fn every_case() -> impl Iterator<Item = &'static str> {
    CASES.into_iter().chain(FAMILY_CASES)
}

/// A case with its model, its examples and its adapter's values at the start.
pub struct Tiny {
    pub base: Arc<Base>,
    pub lora: LoraConfig,
    pub labels: usize,
    pub layers: usize,
    /// How many of the examples make the batch of `logits`, `loss` and `gradients`.
    pub batch: usize,
    pub examples: Vec<Vec<u32>>,
    pub targets: Vec<u32>,
    pub adapter: Vec<HostTensor>,
}

impl Tiny {
    /// Opens `case`; its golden is left with the named sections to be read.
    pub fn open(case: &str, sections: &[&str]) -> (Self, Golden) {
        let sections: Vec<&str> = ["pool", "adapter"].iter().chain(sections).copied().collect();
        let golden = Golden::open(case, &sections);
        let base =
            Arc::new(Base::open(&golden_folder().join(case).join("model")).expect("the tiny base opens"));
        let count = |name: &str| golden.facts[name].as_u64().expect(name) as usize;
        let modules: Vec<Value> = golden.facts["target_modules"].as_array().expect("a list").clone();
        let modules =
            modules.iter().map(|name| name.as_str().expect("a name").parse().expect("a projection"));
        let lora = LoraConfig {
            rank: count("rank"),
            alpha: count("alpha") as f32,
            dropout: 0.0,
            ..LoraConfig::over(modules.collect())
        };
        let [rows, columns] = *golden.shape("pool/tokens") else { panic!("pool/tokens is a matrix") };
        let tokens = golden.integers("pool/tokens");
        let lengths = golden.integers("pool/lengths");
        let examples =
            (0..rows).map(|row| tokens[row * columns..][..lengths[row] as usize].to_vec()).collect();
        let adapter =
            golden.keys("adapter").iter().map(|key| host_tensor(&golden, "adapter/", key)).collect();
        let tiny = Self {
            layers: base.config.layers,
            base,
            lora,
            labels: count("labels"),
            batch: count("batch"),
            examples,
            targets: golden.integers("pool/targets"),
            adapter,
        };
        (tiny, golden)
    }

    /// Opens `case` for tests that need no numbers of PyTorch's.
    pub fn bare(case: &str) -> Self {
        let (tiny, golden) = Self::open(case, &[]);
        golden.lends();
        tiny
    }

    /// An engine with the golden's adapter and head.
    pub fn engine(&self, precision: Precision) -> Box<dyn Engine> {
        self.engine_with(self.lora.clone(), precision, 1)
    }

    /// The same with other settings of the adapter (its shapes must be the golden's) and this many threads.
    pub fn engine_with(
        &self,
        adapter: impl Into<AdapterConfig>,
        precision: Precision,
        threads: usize,
    ) -> Box<dyn Engine> {
        let options = EngineOptions { threads, ..options(precision) };
        let mut made = engine(self.base.clone(), Trained::Adapter(adapter.into()), self.labels, 1, options)
            .expect("an engine");
        made.load_parameters(&self.adapter).expect("the golden's adapter fits");
        made
    }

    /// The examples of these indices, packed, and their targets.
    pub fn pack(&self, indices: impl IntoIterator<Item = usize>) -> (PackedBatch, Vec<u32>) {
        let indices: Vec<usize> = indices.into_iter().collect();
        let examples: Vec<&[u32]> = indices.iter().map(|&index| &self.examples[index][..]).collect();
        let batch = PackedBatch::pack(&examples, 1).expect("examples pack");
        (batch, indices.iter().map(|&index| self.targets[index]).collect())
    }

    /// The batch of `logits`, `loss` and `gradients`.
    pub fn first(&self) -> (PackedBatch, Vec<u32>) {
        self.pack(0..self.batch)
    }

    /// Gradients of that batch's mean loss, in the active layers; returns that loss.
    pub fn accumulate_first(&self, engine: &mut dyn Engine, active: &[bool]) -> f64 {
        let (batch, targets) = self.first();
        let examples = targets.len() as f64;
        engine.zero_gradients();
        engine.accumulate(&batch, &targets, active, true, examples, None).expect("gradients") / examples
    }

    /// The steps of a trace of the golden: the mean loss and the gradient's norm of each.
    pub fn trace(&self, golden: &Golden, section: &str, engine: &mut dyn Engine) -> Trace {
        let setting = |name: &str| golden.facts["traces"][section][name].as_f64().expect(name);
        let order = golden.integers(&format!("{section}/order"));
        let active = golden.integers(&format!("{section}/active"));
        let rates = golden.floats(&format!("{section}/learning_rates"));
        let mut trace = Trace::default();
        for (step, rate) in rates.iter().enumerate() {
            let indices = &order[step * self.batch..][..self.batch];
            let active: Vec<bool> =
                active[step * self.layers..][..self.layers].iter().map(|&on| on == 1).collect();
            trace.trained.extend((0..self.layers).filter(|&layer| active[layer]));
            let (batch, targets) = self.pack(indices.iter().map(|&index| index as usize));
            engine.zero_gradients();
            let normalizer = targets.len() as f64;
            let sum = engine.accumulate(&batch, &targets, &active, true, normalizer, None).expect("a step");
            trace.losses.push((sum / normalizer) as f32);
            let norm = total_norm(engine, &active);
            trace.norms.push(norm as f32);
            let factor = setting("max_grad_norm") / (norm + 1e-6);
            if factor < 1.0 {
                engine.scale_gradients(&active, true, factor as f32);
            }
            let settings = AdamW {
                learning_rate: f64::from(*rate),
                beta1: setting("beta1"),
                beta2: setting("beta2"),
                epsilon: setting("epsilon"),
                weight_decay: setting("weight_decay"),
            };
            engine.update(&active, true, &settings).expect("an update");
        }
        trace
    }
}

/// What some steps came to.
#[derive(Default)]
pub struct Trace {
    pub losses: Vec<f32>,
    pub norms: Vec<f32>,
    /// The layers that ever trained.
    pub trained: BTreeSet<usize>,
}

fn total_norm(engine: &dyn Engine, active: &[bool]) -> f64 {
    let mut squares = engine.head_gradient_norm().powi(2);
    let mut norms = Vec::new();
    for layer in (0..active.len()).filter(|&layer| active[layer]) {
        engine.gradient_norms(layer, &mut norms);
        squares += norms.iter().map(|norm| norm * norm).sum::<f64>();
    }
    squares.sqrt()
}

/// Options for a small engine on one thread.
pub fn options(precision: Precision) -> EngineOptions {
    EngineOptions {
        precision,
        threads: 1,
        max_tokens: 64,
        max_examples: 2,
        training: true,
        memory_bytes: None,
    }
}

/// The name tolerances know a precision by.
pub fn name_of(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::Bf16 => "bf16",
        Precision::Int16 => "int16",
        Precision::Int8 => "int8",
        Precision::Auto => panic!("tests choose their precision"),
    }
}

/// The tensor `key` under its name without the section.
pub fn host_tensor(golden: &Golden, section: &str, key: &str) -> HostTensor {
    let name = key.strip_prefix(section).expect("a key of the section");
    HostTensor::new(name, golden.shape(key).to_vec(), golden.floats(key))
}

/// The tensor of this name.
pub fn find<'a>(tensors: &'a [HostTensor], name: &str) -> &'a HostTensor {
    tensors.iter().find(|tensor| tensor.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// Holds every gradient against the golden's, and sees to it that none would have passed had it been damaged.
pub fn compare_gradients(golden: &Golden, engine: &dyn Engine, tolerance: Tolerance) {
    for gradient in engine.gradients() {
        let key = format!("gradients/{}", gradient.name);
        assert_eq!(golden.shape(&key), gradient.shape, "{key}");
        golden.compare(&key, &gradient.data, tolerance);
        let expected = golden.floats(&key);
        for damage in Damage::ALL {
            let Some(damaged) = damage.of(&gradient.shape, &gradient.data) else { continue };
            let (rung, precision) = (tolerance.rung, tolerance.precision);
            let checked = tolerance.check(&key, &expected, &damaged);
            assert!(checked.is_err(), "{key} passes as {damage:?} ({rung}, {precision})");
        }
    }
}

/// The layer a parameter belongs to; none for the head's.
pub fn layer_of(name: &str) -> Option<usize> {
    let (_, rest) = [".layers.", ".h."].into_iter().find_map(|list| name.split_once(list))?;
    rest.split('.').next()?.parse().ok()
}

/// A folder with the case's model cut down to its first `depth` layers.
pub fn cut_model(case: &str, depth: usize, folder: &Path) {
    let model = golden_folder().join(case).join("model");
    std::fs::copy(model.join("tokenizer.json"), folder.join("tokenizer.json")).expect("a copy");
    let weights = std::fs::read(model.join("model.safetensors")).expect("weights");
    let weights = SafeTensors::deserialize(&weights).expect("safetensors");
    let kept = weights.iter().filter(|(name, _)| layer_of(name).is_none_or(|layer| layer < depth));
    let cut = safetensors::serialize(kept, None).expect("safetensors");
    std::fs::write(folder.join("model.safetensors"), cut).expect("weights are written");
    let config = std::fs::read(model.join("config.json")).expect("config.json");
    let mut config: Value = serde_json::from_slice(&config).expect("JSON");
    let whole = config.get("text_config").is_none();
    let decoder = if whole { &mut config } else { &mut config["text_config"] };
    let field = ["num_hidden_layers", "n_layer"].into_iter().find(|field| decoder[field].is_number());
    decoder[field.expect("a number of layers")] = depth.into();
    for field in ["layer_types", "no_rope_layers"] {
        if let Some(list) = decoder.get_mut(field).and_then(Value::as_array_mut) {
            list.truncate(depth);
        }
    }
    std::fs::write(folder.join("config.json"), config.to_string()).expect("config.json is written");
}
