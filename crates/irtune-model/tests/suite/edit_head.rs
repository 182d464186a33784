//! A head that reads what changed, held against transformers and PEFT, and what must hold of it anyway.

use std::collections::BTreeSet;

use crate::tiny::{
    CASES, Tiny, compare_gradients, engine::engine, find, host_tensor, name_of, options, slope::steepest,
};
use irtune_model::{
    AdamW, BatchError, ChangedTokens, CounterScaling, DropoutKey, Engine, Head, HeadInput, HostTensor,
    LoraConfig, ModelError, PackedBatch, Precision, Targets, Trained, peft::HEAD_NAME,
};
use irtune_testing::golden::{Golden, assert_close, sections, tolerance};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int16];
const KEY: DropoutKey = DropoutKey { seed: 7, step: 3 };

/// A tiny model, and what changed in its examples.
struct Case {
    tiny: Tiny,
    counters: Vec<Vec<f32>>,
    removed: Vec<Vec<u32>>,
    added: Vec<Vec<u32>>,
    scaling: CounterScaling,
    /// The adapter and the head.
    parameters: Vec<HostTensor>,
}

impl Case {
    fn open(case: &str, sections: &[&str]) -> (Self, Golden) {
        let tiny = Tiny::bare(case);
        let own: &[&str] = &["change", "scaling", "head"];
        let golden = Golden::open(&case.replace("tiny_llama", "edit_head"), &[own, sections].concat());
        let lists = |name: &str| -> Vec<Vec<u32>> {
            let all = golden.integers(&format!("change/{name}"));
            let mut rest = all.as_slice();
            let lengths = golden.integers(&format!("change/{name}_lengths"));
            let take = lengths.into_iter().map(|length| {
                let (list, after) = rest.split_at(length as usize);
                rest = after;
                list.to_vec()
            });
            take.collect()
        };
        let (removed, added) = (lists("removed"), lists("added"));
        let counters: Vec<Vec<f32>> =
            golden.floats("change/counters").chunks_exact(4).map(<[f32]>::to_vec).collect();
        let scaling = CounterScaling::of(&["a", "b", "c", "d"], counters.iter().map(Vec::as_slice));
        let tolerance = tolerance("counter_scaling", "f32");
        golden.compare("scaling/mean", &scaling.mean, tolerance);
        golden.compare("scaling/deviation", &scaling.deviation, tolerance);
        let adapter = tiny.adapter.iter().filter(|tensor| tensor.name.contains("lora_")).cloned();
        let head = host_tensor(&golden, "head/", &format!("head/{HEAD_NAME}"));
        let parameters = adapter.chain([head]).collect();
        (Self { tiny, counters, removed, added, scaling, parameters }, golden)
    }

    /// For tests that need no numbers of PyTorch's but the scaling's.
    fn bare(case: &str) -> Self {
        let (case, golden) = Self::open(case, &[]);
        golden.passes();
        case
    }

    fn head(&self) -> Head {
        Head { labels: self.tiny.labels, input: HeadInput::Edit(self.scaling.clone()) }
    }

    fn bare_engine(&self, options: crate::tiny::engine::EngineOptions) -> Box<dyn Engine> {
        let lora = LoraConfig { dropout: 0.3, ..self.tiny.lora.clone() };
        engine(self.tiny.base.clone(), Trained::Adapter(lora.into()), self.head(), 1, options)
            .expect("an engine")
    }

    /// An engine with the golden's adapter and head.
    fn engine(&self, precision: Precision) -> Box<dyn Engine> {
        let mut made = self.bare_engine(options(precision));
        made.load_parameters(&self.parameters).expect("the golden's parameters fit");
        made
    }

    fn change(&self, example: usize) -> ChangedTokens<'_> {
        let (removed, added) = (&self.removed[example], &self.added[example]);
        ChangedTokens { removed, added, counters: &self.counters[example] }
    }

    fn pack(&self, indices: impl IntoIterator<Item = usize>, shortest: usize) -> (PackedBatch, Vec<u32>) {
        let indices: Vec<usize> = indices.into_iter().collect();
        let examples: Vec<&[u32]> = indices.iter().map(|&index| &self.tiny.examples[index][..]).collect();
        let mut batch = PackedBatch::pack(&examples, shortest).expect("examples pack");
        batch.set_changes(indices.iter().map(|&index| self.change(index))).expect("changes");
        (batch, indices.iter().map(|&index| self.tiny.targets[index]).collect())
    }

    /// The batch of `logits`, `loss` and `gradients`.
    fn first(&self) -> (PackedBatch, Vec<u32>) {
        self.pack(0..self.tiny.batch, 1)
    }

    /// Gradients of that batch's mean loss; returns that loss.
    fn accumulate(&self, engine: &mut dyn Engine, batch: &PackedBatch, targets: &[u32]) -> f64 {
        let (active, examples) = (vec![true; self.tiny.layers], targets.len() as f64);
        engine.zero_gradients();
        engine.accumulate(batch, targets, &active, true, examples, None).expect("gradients") / examples
    }
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
    let known = ["change", "scaling", "head", "logits", "loss", "gradients", "trace"].map(str::to_owned);
    for case in CASES {
        assert_eq!(
            sections(&case.replace("tiny_llama", "edit_head")),
            BTreeSet::from(known.clone()),
            "{case}"
        );
    }
}

#[test]
fn logits() {
    everywhere(&["logits"], |case, golden, precision| {
        let (batch, _) = case.first();
        let (mut engine, mut found) = (case.engine(precision), Vec::new());
        let tolerance = tolerance("edit_logits", name_of(precision));
        // Twice, since memory is used again.
        for _ in 0..2 {
            engine.logits(&batch, &mut found).expect("logits");
            golden.compare("logits/adapted", &found, tolerance);
        }
        let head = [find(&case.parameters, HEAD_NAME).clone()];
        let options = crate::tiny::engine::EngineOptions { training: false, ..options(precision) };
        let mut bare = engine_of_head(case, options);
        bare.load_parameters(&head).expect("the golden's head fits");
        bare.logits(&batch, &mut found).expect("logits");
        golden.compare("logits/base", &found, tolerance);
    });
}

fn engine_of_head(case: &Case, options: crate::tiny::engine::EngineOptions) -> Box<dyn Engine> {
    engine(case.tiny.base.clone(), Trained::Head, case.head(), 1, options).expect("an engine")
}

#[test]
fn loss_and_every_gradient() {
    everywhere(&["loss", "gradients"], |case, golden, precision| {
        let mut engine = case.engine(precision);
        let (batch, targets) = case.first();
        let evaluated =
            engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss") / targets.len() as f64;
        let loss = case.accumulate(&mut *engine, &batch, &targets);
        assert!((evaluated - loss).abs() < 1e-6 * loss, "{evaluated} {loss}");
        golden.compare("loss/mean", &[loss as f32], tolerance("edit_loss", name_of(precision)));
        compare_gradients(golden, &*engine, tolerance("edit_gradients", name_of(precision)));
    });
}

#[test]
fn a_perturbed_golden_is_refused() {
    let tolerance = tolerance("edit_gradients", "f32");
    for case in CASES {
        let (case, mut golden) = Case::open(case, &["gradients"]);
        let key = format!("gradients/{HEAD_NAME}");
        golden.perturb(&key, 5, 4.0 * tolerance.largest as f32);
        let mut engine = case.engine(Precision::F32);
        let (batch, targets) = case.first();
        case.accumulate(&mut *engine, &batch, &targets);
        compare_gradients(&golden, &*engine, tolerance);
        golden.refuses(&key, 5);
    }
}

#[test]
fn steps_of_training() {
    for case in CASES {
        let (case, golden) = Case::open(case, &["trace"]);
        let mut engine = case.engine(Precision::F32);
        let setting = |name: &str| golden.facts["steps"][name].as_f64().expect(name);
        let settings = AdamW {
            learning_rate: setting("learning_rate"),
            beta1: setting("beta1"),
            beta2: setting("beta2"),
            epsilon: setting("epsilon"),
            weight_decay: setting("weight_decay"),
        };
        let active = vec![true; case.tiny.layers];
        let order = golden.integers("trace/order");
        let losses = order.chunks_exact(case.tiny.batch).map(|indices| {
            let (batch, targets) = case.pack(indices.iter().map(|&index| index as usize), 1);
            let loss = case.accumulate(&mut *engine, &batch, &targets);
            engine.update(&active, true, &settings).expect("an update");
            loss as f32
        });
        let losses: Vec<f32> = losses.collect();
        golden.compare("trace/losses", &losses, tolerance("trace_losses", "f32"));
        let parameters = engine.parameters();
        golden.compare("trace/head", &find(&parameters, HEAD_NAME).data, tolerance("edit_trace_head", "f32"));
        golden.passes();
    }
}

#[test]
fn sharing_changes_nothing() {
    for case in CASES {
        for precision in PRECISIONS {
            let case = Case::bare(case);
            let active = vec![true; case.tiny.layers];
            let (shared, targets) = case.first();
            let (apart, _) = case.pack(0..case.tiny.batch, usize::MAX / 2);
            assert!(shared.tokens.len() < apart.tokens.len());
            let prefix = &shared.segments[0];
            assert!(prefix.shared && prefix.queries > 1, "changed tokens lie in what all share");
            let run = |batch: &PackedBatch| {
                let (mut engine, mut logits) = (case.engine(precision), Vec::new());
                engine.logits(batch, &mut logits).expect("logits");
                let loss = engine.accumulate(batch, &targets, &active, true, 5.0, Some(KEY)).expect("a loss");
                (logits, loss as f32, engine.gradients())
            };
            let (with, without) = (run(&shared), run(&apart));
            let name = name_of(precision);
            assert_close("logits", &without.0, &with.0, tolerance("packed_logits", name));
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
        let (batch, targets) = case.first();
        let active = vec![true; case.tiny.layers];
        let loss = |engine: &mut dyn Engine, parameters: &[HostTensor]| {
            engine.load_parameters(parameters).expect("parameters fit");
            engine.zero_gradients();
            engine.accumulate(&batch, &targets, &active, true, 1.0, Some(KEY)).expect("a loss")
        };
        let mut parameters = case.parameters.clone();
        loss(engine.as_mut(), &parameters);
        let gradients = engine.gradients();
        for at in 0..parameters.len() {
            let gradient = &find(&gradients, &parameters[at].name).data;
            let (expected, slope) =
                steepest(&mut parameters, at, gradient, &mut |changed| loss(engine.as_mut(), changed));
            let tolerance = tolerance("edit_finite_differences", "f32");
            assert_close(&parameters[at].name, &[slope as f32], &[expected], tolerance);
        }
    }
}

#[test]
fn layers_computed_again_have_the_same_gradients() {
    let case = Case::bare(CASES[1]);
    let (batch, targets) = case.first();
    let active = vec![true; case.tiny.layers];
    let make = |memory_bytes| {
        let options = crate::tiny::engine::EngineOptions { memory_bytes, ..options(Precision::F32) };
        engine(
            case.tiny.base.clone(),
            Trained::Adapter(case.tiny.lora.clone().into()),
            case.head(),
            1,
            options,
        )
    };
    let Err(ModelError::Memory { needed, .. }) = make(Some(1)) else { panic!("a byte is not enough") };
    let gradients = |memory| {
        let mut engine = make(memory).expect("an engine");
        engine.load_parameters(&case.parameters).expect("parameters");
        engine.accumulate(&batch, &targets, &active, true, 5.0, Some(KEY)).expect("gradients");
        engine.gradients()
    };
    assert_eq!(gradients(Some(needed)), gradients(None));
}

#[test]
fn kept_states_are_what_the_head_pools_whatever_batch_an_example_is_in() {
    let case = Case::bare(CASES[0]);
    let folder = tempfile::tempdir().expect("a folder");
    let none = vec![false; case.tiny.layers];
    let batches = [case.pack(0..5, 1), case.pack([4, 2, 0], 1), case.pack([3, 1], 1)];
    let run = |cached: bool| {
        let mut engine = engine_of_head(&case, options(Precision::F32));
        engine.load_parameters(&[find(&case.parameters, HEAD_NAME).clone()]).expect("the head");
        if cached {
            engine.cache_states(case.tiny.layers, folder.path()).expect("a cache");
        }
        let mut losses = Vec::new();
        for (batch, targets) in batches.iter().chain(&batches) {
            losses.push(engine.accumulate(batch, targets, &none, true, 1.0, None).expect("a loss"));
        }
        (losses, engine.gradients())
    };
    assert_eq!(run(true), run(false));
    // The same tokens with another change are another state.
    let mut engine = engine_of_head(&case, options(Precision::F32));
    engine.cache_states(case.tiny.layers, folder.path()).expect("a cache");
    let (mut batch, _) = case.pack([0, 1], 1);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    engine.logits(&batch, &mut before).expect("logits");
    batch = PackedBatch::pack(&[&case.tiny.examples[0][..], &case.tiny.examples[1]], 1).expect("examples");
    batch.set_changes([case.change(1), ChangedTokens { added: &[4], ..case.change(1) }]).expect("changes");
    engine.logits(&batch, &mut after).expect("logits");
    for (before, after) in before.chunks(case.tiny.labels).zip(after.chunks(case.tiny.labels)) {
        assert_ne!(before, after);
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    let case = Case::bare(CASES[1]);
    let (unmarked, _) = case.tiny.first();
    let (marked, _) = case.first();
    let mut out = Vec::new();
    let error = case.engine(Precision::F32).logits(&unmarked, &mut out).expect_err("no changes");
    assert!(matches!(error, ModelError::NoChanges), "{error}");
    let error = case.tiny.engine(Precision::F32).logits(&marked, &mut out).expect_err("nothing reads them");
    assert!(matches!(error, ModelError::UnreadChanges), "{error}");
    let mut other = unmarked.clone();
    let change = ChangedTokens { removed: &[], added: &[], counters: &[1.0] };
    other.set_changes([change; 5]).expect("changes");
    let error = case.engine(Precision::F32).logits(&other, &mut out).expect_err("other counters");
    assert!(matches!(error, ModelError::Counters { given: 1, expected: 4 }), "{error}");
    let words = vec![vec![11]; case.tiny.labels];
    let error = case.engine(Precision::F32).classify_by_words(words).expect_err("two heads");
    assert!(matches!(error, ModelError::WordsBesideEdit), "{error}");

    let mut batch = unmarked;
    let error = batch.set_changes([change; 4]).expect_err("too few");
    assert_eq!(error, BatchError::Changes { changes: 4, examples: 5 });
    let tokens = case.tiny.examples[1].len();
    let late = [tokens as u32];
    let mut changes = [change; 5];
    changes[1].added = &late;
    let error = batch.set_changes(changes).expect_err("past the end");
    assert_eq!(error, BatchError::Position { example: 1, position: late[0], tokens });
    assert!(error.to_string().contains(&format!("has {tokens} tokens, but token {tokens} of it")), "{error}");
    changes[1] = ChangedTokens { counters: &[], ..change };
    let error = batch.set_changes(changes).expect_err("a counter is missing");
    assert_eq!(error, BatchError::Counters { example: 1, counters: 0, expected: 1 });
}
