//! Classification by the language-model head held against transformers and PEFT, and what must hold of it anyway.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use crate::tiny::{
    CASES, Tiny, compare_gradients,
    engine::{EngineOptions, engine},
    find, name_of, options,
    slope::steepest,
};
use irtune_model::{
    AdamW, Base, DropoutKey, Engine, HostTensor, ModelError, PackedBatch, Precision, Targets, Trained,
    WeightError,
};
use irtune_testing::golden::{Golden, assert_close, golden_folder, sections, tolerance};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int16];
const KEY: DropoutKey = DropoutKey { seed: 7, step: 3 };

/// A tiny model with a language-model head, and words for its labels.
struct Case {
    tiny: Tiny,
    words: Vec<Vec<u32>>,
}

impl Case {
    fn open(case: &str, sections: &[&str]) -> (Self, Golden) {
        let mut tiny = Tiny::bare(case);
        tiny.adapter.retain(|tensor| tensor.name.contains("lora_"));
        let own: &[&str] = if tiny.base.config.tied_embeddings { &["words"] } else { &["words", "head"] };
        let golden = Golden::open(&case.replace("tiny_llama", "words"), &[own, sections].concat());
        if !tiny.base.config.tied_embeddings {
            let head = golden.floats("head/lm_head.weight");
            let folder = tempfile::tempdir().expect("a folder");
            write_head(case, golden.shape("head/lm_head.weight"), &head, folder.path());
            tiny.base = Arc::new(Base::open(folder.path()).expect("the base with a head opens"));
        }
        let [labels, longest] = *golden.shape("words/tokens") else { panic!("words/tokens is a matrix") };
        let (tokens, lengths) = (golden.integers("words/tokens"), golden.integers("words/lengths"));
        assert_eq!(labels, tiny.labels);
        let words = (0..labels).map(|label| tokens[label * longest..][..lengths[label] as usize].to_vec());
        (Self { words: words.collect(), tiny }, golden)
    }

    /// For tests that need no numbers of PyTorch's.
    fn bare(case: &str) -> Self {
        let (case, golden) = Self::open(case, &[]);
        golden.lends();
        case
    }

    fn bare_engine(&self, options: EngineOptions) -> Box<dyn Engine> {
        let lora = irtune_model::LoraConfig { dropout: 0.3, ..self.tiny.lora.clone() };
        let mut made =
            engine(self.tiny.base.clone(), Trained::Adapter(lora.into()), self.tiny.labels, 1, options)
                .expect("an engine");
        made.classify_by_words(self.words.clone()).expect("words");
        made
    }

    /// An engine with the golden's adapter.
    fn engine(&self, precision: Precision) -> Box<dyn Engine> {
        let mut made = self.bare_engine(options(precision));
        made.load_parameters(&self.tiny.adapter).expect("the golden's adapter fits");
        made
    }
}

/// The case's model with a language-model head of its own.
fn write_head(case: &str, shape: &[usize], values: &[f32], folder: &Path) {
    let model = golden_folder().join(case).join("model");
    for file in ["tokenizer.json", "config.json"] {
        std::fs::copy(model.join(file), folder.join(file)).expect("a copy");
    }
    let weights = std::fs::read(model.join("model.safetensors")).expect("weights");
    let weights = SafeTensors::deserialize(&weights).expect("safetensors");
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let head = TensorView::new(Dtype::F32, shape.to_vec(), &bytes).expect("a tensor");
    let all = weights.iter().chain([("lm_head.weight", head)]);
    let bytes = safetensors::serialize(all, None).expect("safetensors");
    std::fs::write(folder.join("model.safetensors"), bytes).expect("weights are written");
}

fn everywhere(sections: &[&str], check: impl Fn(&Case, &Golden, Precision)) {
    for case in CASES {
        for precision in PRECISIONS {
            let (case, golden) = Case::open(case, sections);
            check(&case, &golden, precision);
            golden.passes();
        }
    }
}

#[test]
fn every_section_of_the_goldens_is_read_by_a_test() {
    for case in CASES {
        let mut known = BTreeSet::from(["words", "likelihoods", "loss", "gradients"].map(str::to_owned));
        if !Tiny::bare(case).base.config.tied_embeddings {
            known.insert("head".to_owned());
        }
        assert_eq!(sections(&case.replace("tiny_llama", "words")), known, "{case}");
    }
}

#[test]
fn log_likelihoods() {
    everywhere(&["likelihoods"], |case, golden, precision| {
        let (batch, _) = case.tiny.first();
        let (mut engine, mut found) = (case.engine(precision), Vec::new());
        let tolerance = tolerance("word_likelihoods", name_of(precision));
        // Twice, since memory is used again.
        for _ in 0..2 {
            engine.logits(&batch, &mut found).expect("likelihoods");
            golden.compare("likelihoods/adapted", &found, tolerance);
        }
        let mut bare = case.bare_engine(EngineOptions { training: false, ..options(precision) });
        bare.logits(&batch, &mut found).expect("likelihoods");
        golden.compare("likelihoods/base", &found, tolerance);
    });
}

#[test]
fn loss_and_every_gradient() {
    everywhere(&["loss", "gradients"], |case, golden, precision| {
        let mut engine = case.engine(precision);
        let (batch, targets) = case.tiny.first();
        let evaluated =
            engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss") / targets.len() as f64;
        let loss = case.tiny.accumulate_first(&mut *engine, &vec![true; case.tiny.layers]);
        assert!((evaluated - loss).abs() < 1e-6 * loss, "{evaluated} {loss}");
        golden.compare("loss/mean", &[loss as f32], tolerance("word_loss", name_of(precision)));
        compare_gradients(golden, &*engine, tolerance("word_gradients", name_of(precision)));
        assert_eq!(engine.head_gradient_norm(), 0.0, "the classification head takes no part");
    });
}

#[test]
fn a_perturbed_golden_is_refused() {
    let tolerance = tolerance("word_gradients", "f32");
    for case in CASES {
        let (case, mut golden) = Case::open(case, &["gradients"]);
        let key = golden.keys("gradients").swap_remove(3);
        golden.perturb(&key, 5, 4.0 * tolerance.largest as f32);
        let mut engine = case.engine(Precision::F32);
        case.tiny.accumulate_first(&mut *engine, &vec![true; case.tiny.layers]);
        compare_gradients(&golden, &*engine, tolerance);
        golden.refuses(&key, 5);
    }
}

#[test]
fn sharing_changes_nothing() {
    for case in CASES {
        for precision in PRECISIONS {
            let case = Case::bare(case);
            let examples = &case.tiny.examples[..case.tiny.batch];
            let targets = &case.tiny.targets[..case.tiny.batch];
            let active = vec![true; case.tiny.layers];
            let packed = |shortest| PackedBatch::pack(examples, shortest).expect("examples pack");
            let (shared, apart) = (packed(1), packed(usize::MAX / 2));
            assert!(shared.tokens.len() < apart.tokens.len());
            let run = |batch: &PackedBatch| {
                let (mut engine, mut logits) = (case.engine(precision), Vec::new());
                engine.logits(batch, &mut logits).expect("likelihoods");
                let loss = engine.accumulate(batch, targets, &active, true, 5.0, Some(KEY)).expect("a loss");
                (logits, loss as f32, engine.gradients())
            };
            let (with, without) = (run(&shared), run(&apart));
            let name = name_of(precision);
            assert_close("likelihoods", &without.0, &with.0, tolerance("packed_logits", name));
            assert_close("loss", &[without.1], &[with.1], tolerance("packed_logits", name));
            for (without, with) in without.2.iter().zip(&with.2) {
                assert_close(&with.name, &without.data, &with.data, tolerance("packed_gradients", name));
            }
        }
    }
}

#[test]
fn finite_differences_agree() {
    for case in CASES {
        let case = Case::bare(case);
        let mut engine = case.engine(Precision::F32);
        let (batch, targets) = case.tiny.first();
        let active = vec![true; case.tiny.layers];
        let loss = |engine: &mut dyn Engine, parameters: &[HostTensor]| {
            engine.load_parameters(parameters).expect("parameters fit");
            engine.zero_gradients();
            engine.accumulate(&batch, &targets, &active, false, 1.0, Some(KEY)).expect("a loss")
        };
        let mut parameters = case.tiny.adapter.clone();
        loss(engine.as_mut(), &parameters);
        let gradients = engine.gradients();
        for at in 0..parameters.len() {
            let gradient = &find(&gradients, &parameters[at].name).data;
            let (expected, slope) =
                steepest(&mut parameters, at, gradient, &mut |changed| loss(engine.as_mut(), changed));
            let tolerance = tolerance("word_finite_differences", "f32");
            assert_close(&parameters[at].name, &[slope as f32], &[expected], tolerance);
        }
    }
}

#[test]
fn more_rows_than_a_chunk_are_each_example_alone() {
    let case = Case::bare(CASES[0]);
    let mut engine = case.engine(Precision::F32);
    let (batch, targets) = case.tiny.pack(0..20);
    let (mut together, mut alone) = (Vec::new(), Vec::new());
    engine.logits(&batch, &mut together).expect("likelihoods");
    // Five rows an example: one for the first tokens, four inside the words.
    assert!(together.len() == 20 * 5 && targets.len() == 20);
    for example in 0..20 {
        let mut one = Vec::new();
        engine.logits(&case.tiny.pack([example]).0, &mut one).expect("likelihoods");
        alone.extend(one);
    }
    assert_close("likelihoods", &alone, &together, tolerance("packed_logits", "f32"));
}

#[test]
fn layers_computed_again_have_the_same_gradients() {
    let case = Case::bare(CASES[1]);
    let (batch, targets) = case.tiny.first();
    let active = vec![true; case.tiny.layers];
    let make = |memory_bytes| {
        let options = EngineOptions { memory_bytes, ..options(Precision::F32) };
        engine(
            case.tiny.base.clone(),
            Trained::Adapter(case.tiny.lora.clone().into()),
            case.tiny.labels,
            1,
            options,
        )
    };
    let Err(ModelError::Memory { needed, .. }) = make(Some(1)) else { panic!("a byte is not enough") };
    let gradients = |memory| {
        let mut engine = make(memory).expect("an engine");
        engine.classify_by_words(case.words.clone()).expect("words");
        engine.load_parameters(&case.tiny.adapter).expect("parameters");
        engine.accumulate(&batch, &targets, &active, true, 5.0, Some(KEY)).expect("gradients");
        engine.gradients()
    };
    assert_eq!(gradients(Some(needed)), gradients(None));
}

#[test]
fn steps_lower_the_loss_and_the_head_is_no_parameter() {
    let case = Case::bare(CASES[1]);
    let mut engine = case.engine(Precision::F32);
    let names = |tensors: &[HostTensor]| tensors.iter().any(|tensor| tensor.name.contains("score"));
    assert!(!names(&engine.parameters()) && !names(&engine.gradients()) && !names(&engine.optimizer_state()));
    let first = case.tiny.accumulate_first(&mut *engine, &vec![true; case.tiny.layers]);
    let settings = AdamW { learning_rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
    let active = vec![true; case.tiny.layers];
    for _ in 0..5 {
        case.tiny.accumulate_first(&mut *engine, &vec![true; case.tiny.layers]);
        engine.scale_gradients(&active, true, 0.5);
        engine.update(&active, true, &settings).expect("an update");
    }
    let state = engine.optimizer_state();
    engine.load_optimizer_state(&state).expect("its own state");
    let last = case.tiny.accumulate_first(&mut *engine, &vec![true; case.tiny.layers]);
    assert!(last < 0.8 * first, "{first} {last}");
}

#[test]
fn words_that_cannot_be_used_are_refused() {
    let case = Case::bare(CASES[1]);
    let mut engine = case.engine(Precision::F32);
    let mut refused = |words: Vec<Vec<u32>>| engine.classify_by_words(words).expect_err("refused");
    assert!(matches!(refused(vec![vec![3]]), ModelError::Words { given: 1, labels: 5 }));
    let mut words = case.words.clone();
    words[2].clear();
    let error = refused(words.clone());
    assert!(matches!(error, ModelError::NoWords { label: 2 }), "{error}");
    words[2] = vec![10_000];
    assert!(matches!(refused(words), ModelError::TokenOutOfRange { token: 10_000, .. }));
    // The other model has no head of its own, and its embedding is none.
    let tiny = Tiny::bare(CASES[0]);
    let error = tiny.engine(Precision::F32).classify_by_words(case.words.clone()).expect_err("no head");
    assert!(
        matches!(&error, ModelError::Weight(WeightError::Missing { tensor, .. }) if tensor == "lm_head.weight"),
        "{error}"
    );
}
