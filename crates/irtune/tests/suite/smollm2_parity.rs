//! SmolLM2-135M from its Q4_1 file held against transformers on fifty real prompts: logits, loss and gradients.

use std::{path::Path, sync::Arc};

use assert_cmd::Command;
use irtune_model::{
    AdapterConfig, Base, Engine, EngineOptions, HostTensor, LoraConfig, PackedBatch, Precision,
    SHORTEST_SHARED, Trained,
};
use irtune_testing::golden::{Golden, sections, tolerance};
use irtune_train::devices::{DeviceOptions, engine};

const PRECISIONS: [(Precision, &str); 4] = [
    (Precision::F32, "f32"),
    (Precision::Bf16, "bf16"),
    (Precision::Int16, "int16"),
    (Precision::Int8, "int8"),
];
const HEAD: &str = "base_model.model.score.weight";

/// The base as the Python package carries it, whatever the hub's cache holds; fetched once, it stays.
fn base() -> Arc<Base> {
    let nothing = tempfile::tempdir().expect("a folder");
    let mut command = Command::cargo_bin("irtune").expect("the binary");
    command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", nothing.path()).env_remove("HF_HUB_CACHE");
    let said = command.args(["inspect", "smollm2", "--json"]).unwrap();
    let told: serde_json::Value = serde_json::from_slice(&said.stdout).expect("JSON");
    let path = told["path"].as_str().expect("the base's path");
    Arc::new(Base::open(Path::new(path)).expect("the base opens"))
}

fn device(precision: Precision) -> DeviceOptions {
    DeviceOptions { precision, threads: 2 }
}

fn options(training: bool) -> EngineOptions {
    EngineOptions { max_tokens: 2048, max_examples: 16, training, memory_bytes: None }
}

struct Case {
    golden: Golden,
    lora: LoraConfig,
    labels: usize,
    prompts: Vec<Vec<u32>>,
    targets: Vec<u32>,
}

impl Case {
    fn open(section: &str) -> Self {
        let golden = Golden::open("smollm2", &["prompts", section]);
        let count = |name: &str| golden.facts[name].as_u64().expect(name) as usize;
        let list = |name: &str| golden.facts[name].as_array().expect(name);
        let modules = list("target_modules").iter().map(|name| name.as_str().expect("a name").parse());
        let lora = LoraConfig {
            rank: count("rank"),
            alpha: count("alpha") as f32,
            dropout: 0.0,
            ..LoraConfig::over(modules.collect::<Result<_, _>>().expect("projections"))
        };
        let labels = list("labels").len();
        let prompts = cut(&golden, "prompts");
        let targets = golden.integers("prompts/targets");
        Self { golden, lora, labels, prompts, targets }
    }

    fn engine(&self, base: &Arc<Base>, adapter: Option<LoraConfig>, precision: Precision) -> Box<dyn Engine> {
        let trained = Trained::from(adapter.map(AdapterConfig::from));
        let mut engine = engine(device(precision), base.clone(), trained, self.labels, 1, options(true))
            .expect("an engine");
        let mut parameters = engine.parameters();
        parameters.iter_mut().for_each(fill);
        engine.load_parameters(&parameters).expect("its own parameters fit");
        engine
    }

    fn pack(&self, range: std::ops::Range<usize>) -> PackedBatch {
        let prompts = &self.prompts[range];
        let batch = PackedBatch::pack(prompts, SHORTEST_SHARED).expect("prompts pack");
        assert!(batch.segments[0].shared && batch.segments[0].keys > 20, "the instruction is shared");
        batch
    }

    fn logits(&self, engine: &mut dyn Engine) -> Vec<f32> {
        let mut logits = Vec::new();
        for first in (0..self.prompts.len()).step_by(10) {
            let mut some = Vec::new();
            engine.logits(&self.pack(first..first + 10), &mut some).expect("logits");
            logits.extend(some);
        }
        logits
    }
}

/// The lists of tokens of a section, which lie end to end.
fn cut(golden: &Golden, section: &str) -> Vec<Vec<u32>> {
    let mut tokens = golden.integers(&format!("{section}/tokens")).into_iter();
    let lengths = golden.integers(&format!("{section}/lengths"));
    lengths.into_iter().map(|length| tokens.by_ref().take(length as usize).collect()).collect()
}

/// The values the golden's generator draws from a parameter's name.
fn fill(tensor: &mut HostTensor) {
    let columns = tensor.shape[1] as f64;
    let bound = match &tensor.name[..] {
        HEAD => 0.2,
        name if name.contains("lora_A") => (3.0 / columns).sqrt(),
        _ => 0.1,
    };
    let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let mut state = tensor.name.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    for value in &mut tensor.data {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let unit = (mixed >> 40) as f64 / f64::from(1u32 << 24);
        *value = (bound * (2.0 * unit - 1.0)) as f32;
    }
}

#[test]
fn every_section_of_the_golden_is_read_by_a_test() {
    assert_eq!(sections("smollm2"), ["gradients", "logits", "prompts"].map(str::to_owned).into());
    let words = ["likelihoods", "prompts", "words"].map(str::to_owned);
    assert_eq!(sections("smollm2_words"), words.into());
}

fn json(path: &str) -> serde_json::Value {
    let path = irtune_testing::golden::golden_folder().join(path);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn a_thousand_sentences_have_the_ids_of_its_own_tokenizer() {
    let base = base();
    let (golden, case) = (json("tokenizer/smollm2.json"), json("tokenizer/case.json"));
    let mut corpus = Vec::new();
    for part in ["train", "validation", "test"] {
        let path = irtune_testing::golden::golden_folder().join(format!("../corpora/revisions/{part}.jsonl"));
        for line in std::fs::read_to_string(path).expect("the shipped corpus").lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let sides = ["before", "after"].map(|side| row[side].as_str().expect("a text").to_owned());
            corpus.extend(sides.into_iter().filter(|text| !text.is_empty()));
        }
    }
    let texts: Vec<String> = serde_json::from_value(case["texts"].clone()).expect("texts");
    for (texts, ids) in [(texts, &golden["texts"]), (corpus, &golden["corpus"])] {
        let ids: Vec<Vec<u32>> = serde_json::from_value(ids.clone()).expect("ids");
        assert_eq!(texts.len(), ids.len());
        for (text, ids) in texts.iter().zip(ids) {
            assert_eq!(base.tokenizer.encode(text).expect("ids"), ids, "{text:?}");
        }
    }
    assert!(golden["corpus"].as_array().is_some_and(|corpus| corpus.len() > 950));
}

#[test]
fn logits_of_fifty_prompts() {
    let base = base();
    for (precision, name) in PRECISIONS {
        let case = Case::open("logits");
        assert_eq!(case.prompts.len(), 50);
        for (key, adapter) in [("logits/base", None), ("logits/adapted", Some(case.lora.clone()))] {
            let found = case.logits(&mut *case.engine(&base, adapter, precision));
            case.golden.compare(key, &found, tolerance("smollm2_logits", name));
        }
        case.golden.passes();
    }
}

#[test]
fn loss_and_gradients_of_a_batch() {
    let base = base();
    for (precision, name) in PRECISIONS {
        let case = Case::open("gradients");
        let examples = case.golden.facts["batch"].as_u64().expect("batch") as usize;
        let mut engine = case.engine(&base, Some(case.lora.clone()), precision);
        let (batch, targets) = (case.pack(0..examples), &case.targets[..examples]);
        let active = vec![true; base.config.layers];
        let sum =
            engine.accumulate(&batch, targets, &active, true, examples as f64, None).expect("gradients");
        let loss = (sum / examples as f64) as f32;
        case.golden.compare("gradients/loss", &[loss], tolerance("smollm2_loss", name));
        let (mut norms, mut of_layer) = (Vec::new(), Vec::new());
        for layer in 0..base.config.layers {
            engine.gradient_norms(layer, &mut of_layer);
            norms.extend(of_layer.iter().map(|&norm| norm as f32));
        }
        case.golden.compare("gradients/norms", &norms, tolerance("smollm2_gradients", name));
        let gradients = engine.gradients();
        let head = gradients.iter().find(|gradient| gradient.name == HEAD).expect("the head's gradient");
        case.golden.compare("gradients/head", &head.data, tolerance("smollm2_gradients", name));
        case.golden.passes();
    }
}

#[test]
fn words_of_labels_after_fifty_prompts() {
    let base = base();
    for (precision, name) in PRECISIONS {
        let golden = Golden::open("smollm2_words", &["prompts", "words", "likelihoods"]);
        let (prompts, words) = (cut(&golden, "prompts"), cut(&golden, "words"));
        assert!(words.iter().any(|word| word.len() > 1), "one label is more than one token");
        let mut engine =
            engine(device(precision), base.clone(), Trained::from(None), words.len(), 1, options(false))
                .expect("an engine");
        engine.classify_by_words(words).expect("words of the vocabulary");
        let mut found = Vec::new();
        for prompts in prompts.chunks(10) {
            let batch = PackedBatch::pack(prompts, SHORTEST_SHARED).expect("prompts pack");
            let mut some = Vec::new();
            engine.logits(&batch, &mut some).expect("likelihoods");
            found.extend(some);
        }
        golden.compare("likelihoods/summed", &found, tolerance("smollm2_words", name));
        golden.passes();
    }
}
