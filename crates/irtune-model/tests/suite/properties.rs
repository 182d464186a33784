//! What must hold of the engine whatever the model: algebra, not goldens.

use crate::tiny::engine::{EngineOptions, engine};
use crate::tiny::{CASES, Tiny, every_case, find, layer_of, name_of, options, slope::steepest};
use irtune_cpu::{Level, level};
use irtune_model::{
    AdamW, DropoutKey, Engine, HostTensor, LoraConfig, LossOptions, ModelError, PackedBatch, Precision,
    Targets, Trained,
};
use irtune_testing::golden::{assert_close, tolerance};

const PRECISIONS: [Precision; 4] = [Precision::F32, Precision::Bf16, Precision::Int16, Precision::Int8];
const DROPOUT: f32 = 0.3;

/// Runs `check` on every case in every precision.
fn everywhere(check: impl Fn(&Tiny, Precision)) {
    for case in every_case() {
        for precision in PRECISIONS {
            check(&Tiny::bare(case), precision);
        }
    }
}

fn assert_close_gradients(expected: &[HostTensor], found: &[HostTensor], rung: &str, precision: Precision) {
    assert_eq!(expected.len(), found.len());
    for (expected, found) in expected.iter().zip(found) {
        assert_eq!((&expected.name, &expected.shape), (&found.name, &found.shape));
        assert_close(&expected.name, &expected.data, &found.data, tolerance(rung, name_of(precision)));
    }
}

fn dropping(tiny: &Tiny) -> LoraConfig {
    LoraConfig { dropout: DROPOUT, ..tiny.lora.clone() }
}

const KEY: DropoutKey = DropoutKey { seed: 7, step: 3 };

#[test]
fn packed_with_shared_beginnings_is_each_example_alone() {
    everywhere(|tiny, precision| {
        let active = vec![true; tiny.layers];
        let (batch, targets) = tiny.first();
        assert!(batch.segments.iter().any(|segment| segment.shared));
        let mut packed = tiny.engine(precision);
        let mut together = Vec::new();
        packed.logits(&batch, &mut together).expect("logits");
        let sum = packed.accumulate(&batch, &targets, &active, true, 5.0, None).expect("gradients");

        let mut alone = tiny.engine(precision);
        let (mut apart, mut apart_sum) = (Vec::new(), 0.0);
        for example in 0..tiny.batch {
            let (batch, targets) = tiny.pack([example]);
            assert_eq!(batch.segments.len(), 1);
            let mut logits = Vec::new();
            alone.logits(&batch, &mut logits).expect("logits");
            apart.extend(logits);
            apart_sum += alone.accumulate(&batch, &targets, &active, true, 5.0, None).expect("gradients");
        }
        assert_close("logits", &apart, &together, tolerance("packed_logits", name_of(precision)));
        assert_close(
            "loss",
            &[apart_sum as f32],
            &[sum as f32],
            tolerance("packed_logits", name_of(precision)),
        );
        assert_close_gradients(&alone.gradients(), &packed.gradients(), "packed_gradients", precision);
    });
}

#[test]
fn without_sharing_a_batch_is_the_same() {
    everywhere(|tiny, precision| {
        let examples = &tiny.examples[..tiny.batch];
        let (shared, _) = tiny.first();
        let apart = PackedBatch::pack(examples, usize::MAX / 2).expect("examples pack");
        let mut engine = tiny.engine(precision);
        let (mut with, mut without) = (Vec::new(), Vec::new());
        engine.logits(&shared, &mut with).expect("logits");
        engine.logits(&apart, &mut without).expect("logits");
        assert_close("logits", &without, &with, tolerance("packed_logits", name_of(precision)));
    });
}

#[test]
fn merged_matrices_give_the_logits_of_both() {
    everywhere(|tiny, precision| {
        let (batch, _) = tiny.first();
        let options = EngineOptions { training: false, ..options(precision) };
        let trained = Trained::Adapter(tiny.lora.clone().into());
        let mut engine = engine(tiny.base.clone(), trained, tiny.labels, 1, options).expect("an engine");
        engine.load_parameters(&tiny.adapter).expect("the adapter fits");
        let (mut apart, mut merged, mut again) = (Vec::new(), Vec::new(), Vec::new());
        engine.logits(&batch, &mut apart).expect("logits");
        engine.prepack();
        engine.logits(&batch, &mut merged).expect("logits");
        assert_close("logits", &apart, &merged, tolerance("logits", name_of(precision)));
        let merges = match precision {
            Precision::Int8 => true,
            Precision::Bf16 => level() == Level::Avx512Bf16,
            _ => false,
        };
        assert_eq!(apart != merged, merges, "int8 merges, and bf16 where it is multiplied");
        engine.load_parameters(&tiny.adapter).expect("the adapter fits");
        engine.logits(&batch, &mut again).expect("logits");
        assert_eq!(apart, again, "new parameters end the merging");
    });
}

#[test]
fn accumulated_micro_batches_are_the_big_batch() {
    everywhere(|tiny, precision| {
        let active = vec![true; tiny.layers];
        for dropout in [false, true] {
            let lora = if dropout { dropping(tiny) } else { tiny.lora.clone() };
            let key = dropout.then_some(KEY);
            let mut big = tiny.engine_with(lora.clone(), precision, 1);
            let (batch, targets) = tiny.pack(0..6);
            let sum = big.accumulate(&batch, &targets, &active, true, 6.0, key).expect("gradients");
            let mut small = tiny.engine_with(lora, precision, 1);
            let mut parts = 0.0;
            for first in [0, 2, 4] {
                let (batch, targets) = tiny.pack(first..first + 2);
                parts += small.accumulate(&batch, &targets, &active, true, 6.0, key).expect("gradients");
            }
            assert_close(
                "loss",
                &[sum as f32],
                &[parts as f32],
                tolerance("packed_logits", name_of(precision)),
            );
            assert_close_gradients(&big.gradients(), &small.gradients(), "packed_gradients", precision);
        }
    });
}

#[test]
fn layers_computed_again_have_the_same_gradients() {
    everywhere(|tiny, precision| {
        let (batch, targets) = tiny.first();
        let make = |memory_bytes| {
            let options = EngineOptions { memory_bytes, ..options(precision) };
            engine(tiny.base.clone(), Trained::Adapter(dropping(tiny).into()), tiny.labels, 1, options)
        };
        let Err(ModelError::Memory { limit: 1, needed }) = make(Some(1)) else {
            panic!("a byte is not enough")
        };
        for lowest in 0..tiny.layers {
            let active: Vec<bool> = (0..tiny.layers).map(|layer| layer >= lowest).collect();
            let gradients = |memory_bytes| {
                let mut engine = make(memory_bytes).expect("an engine");
                engine.load_parameters(&tiny.adapter).expect("parameters");
                engine.accumulate(&batch, &targets, &active, true, 5.0, Some(KEY)).expect("gradients");
                engine.gradients()
            };
            assert_eq!(gradients(Some(needed)), gradients(None), "layers from {lowest} up");
        }
    });
}

#[test]
fn kept_hidden_states_change_nothing() {
    everywhere(|tiny, precision| {
        let folder = tempfile::tempdir().expect("a folder");
        let (layers, lowest) = (tiny.layers, tiny.layers - 2);
        let active: Vec<bool> = (0..layers).map(|layer| layer >= lowest).collect();
        let mut plain = tiny.engine_with(dropping(tiny), precision, 1);
        let mut keeping = tiny.engine_with(dropping(tiny), precision, 1);
        // Adapters below must do nothing for what is below to stay the same.
        let mut parameters = plain.parameters();
        for parameter in &mut parameters {
            if layer_of(&parameter.name).is_some_and(|layer| layer < lowest)
                && parameter.name.contains("lora_B")
            {
                parameter.data.fill(0.0);
            }
        }
        for engine in [&mut plain, &mut keeping] {
            engine.load_parameters(&parameters).expect("parameters");
        }
        for bad in [0, layers + 1] {
            let error = keeping.cache_states(bad, folder.path()).unwrap_err();
            assert!(matches!(error, ModelError::CacheLayer { .. }), "{error}");
        }
        let error = keeping.cache_states(lowest, &folder.path().join("nowhere")).unwrap_err();
        assert!(matches!(error, ModelError::Cache { .. }), "{error}");
        keeping.cache_states(lowest, folder.path()).expect("a cache");
        // Twice over other divisions of the examples: the second time, every state is known.
        for indices in [vec![0, 1, 2], vec![3, 4], vec![4, 0, 3], vec![1, 2]] {
            let (batch, targets) = tiny.pack(indices);
            let mut steps = [&mut plain, &mut keeping].map(|engine| {
                engine.zero_gradients();
                let loss =
                    engine.accumulate(&batch, &targets, &active, true, 5.0, Some(KEY)).expect("gradients");
                let mut logits = Vec::new();
                engine.logits(&batch, &mut logits).expect("logits");
                (loss, logits, engine.gradients())
            });
            let [expected, found] = &mut steps;
            assert_eq!(expected, found);
        }
        // A step that trains below goes without.
        let (batch, targets) = tiny.first();
        let all = vec![true; layers];
        for engine in [&mut plain, &mut keeping] {
            engine.zero_gradients();
            engine.accumulate(&batch, &targets, &all, true, 5.0, None).expect("gradients");
        }
        assert_eq!(plain.gradients(), keeping.gradients());
    });
}

/// Gradients, loss and logits of a batch, the gradients of nothing below `lowest`.
fn pass(
    tiny: &Tiny,
    engine: &mut dyn Engine,
    indices: &[usize],
    lowest: usize,
    dropout: Option<DropoutKey>,
) -> (f64, Vec<f32>, Vec<HostTensor>) {
    let (batch, targets) = tiny.pack(indices.iter().copied());
    let active: Vec<bool> = (0..tiny.layers).map(|layer| layer >= lowest).collect();
    engine.zero_gradients();
    let loss = engine.accumulate(&batch, &targets, &active, true, 5.0, dropout).expect("gradients");
    let mut logits = Vec::new();
    engine.logits(&batch, &mut logits).expect("logits");
    (loss, logits, engine.gradients())
}

#[test]
fn states_above_trained_adapters_are_kept_until_those_change() {
    everywhere(|tiny, precision| {
        let folder = tempfile::tempdir().expect("a folder");
        let (layers, lowest) = (tiny.layers, tiny.layers - 1);
        let mut plain = tiny.engine_with(dropping(tiny), precision, 1);
        let mut keeping = tiny.engine_with(dropping(tiny), precision, 1);
        keeping.cache_states(lowest, folder.path()).expect("a cache");
        let compare = |plain: &mut dyn Engine, keeping: &mut dyn Engine| {
            for dropout in [None, Some(KEY), None, Some(DropoutKey { step: KEY.step + 1, ..KEY })] {
                for indices in [&[0, 1, 2][..], &[3, 4], &[4, 0, 3]] {
                    let expected = pass(tiny, plain, indices, lowest, dropout);
                    assert_eq!(pass(tiny, keeping, indices, lowest, dropout), expected);
                }
            }
        };
        compare(&mut *plain, &mut *keeping);
        // A loss with weakened layers below doesn't take what is kept, nor leave anything of its own.
        let (batch, targets) = tiny.first();
        let factors: Vec<f32> = (0..layers).map(|layer| if layer == 0 { 0.25 } else { 1.0 }).collect();
        let mut losses = [&mut plain, &mut keeping]
            .map(|engine| engine.loss(&batch, Targets::Classes(&targets), Some(&factors)).expect("a loss"));
        assert_eq!(losses[0], losses[1]);
        let whole = keeping.loss(&batch, Targets::Classes(&targets), None).expect("a loss");
        assert_ne!(whole, losses[1], "weakening does something");
        compare(&mut *plain, &mut *keeping);
        // An update below, and other parameters, make other states.
        let settings =
            AdamW { learning_rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
        let all = vec![true; layers];
        for engine in [&mut plain, &mut keeping] {
            engine.zero_gradients();
            engine.accumulate(&batch, &targets, &all, true, 5.0, None).expect("gradients");
            engine.update(&all, true, &settings).expect("an update");
        }
        losses = [&mut plain, &mut keeping]
            .map(|engine| engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss"));
        assert_eq!(losses[0], losses[1]);
        assert_ne!(losses[0], whole, "the update does something");
        compare(&mut *plain, &mut *keeping);
        for engine in [&mut plain, &mut keeping] {
            engine.load_parameters(&tiny.adapter).expect("parameters");
        }
        compare(&mut *plain, &mut *keeping);
    });
}

#[test]
fn a_head_alone_reads_pooled_rows_that_are_kept() {
    everywhere(|tiny, precision| {
        let folder = tempfile::tempdir().expect("a folder");
        let make = || {
            let options = options(precision);
            let mut made =
                engine(tiny.base.clone(), Trained::Head, tiny.labels, 1, options).expect("an engine");
            let head = find(&tiny.adapter, "base_model.model.score.weight").clone();
            made.load_parameters(&[head]).expect("the head fits");
            made
        };
        let (mut plain, mut keeping) = (make(), make());
        keeping.cache_states(tiny.layers, folder.path()).expect("a cache");
        for indices in [&[0, 1, 2][..], &[3, 4], &[4, 0, 3], &[1, 2]] {
            let expected = pass(tiny, &mut *plain, indices, tiny.layers, Some(KEY));
            assert_eq!(pass(tiny, &mut *keeping, indices, tiny.layers, Some(KEY)), expected);
            // The gradient is the head's beside adapters that do nothing.
            let mut silent = tiny.engine(precision);
            let mut parameters = silent.parameters();
            for parameter in parameters.iter_mut().filter(|parameter| parameter.name.contains("lora_B")) {
                parameter.data.fill(0.0);
            }
            silent.load_parameters(&parameters).expect("parameters");
            let (loss, logits, mut gradients) = pass(tiny, &mut *silent, indices, tiny.layers, None);
            gradients.retain(|gradient| layer_of(&gradient.name).is_none());
            assert_eq!((loss, logits, gradients), expected);
        }
    });
}

#[test]
fn class_weights_and_smoothing_reach_loss_and_gradients() {
    everywhere(|tiny, precision| {
        let of = |options: LossOptions, normalizer: f64| {
            let mut engine = tiny.engine(precision);
            engine.set_loss(options).expect("options");
            let (batch, targets) = tiny.first();
            let active = vec![true; tiny.layers];
            let loss =
                engine.accumulate(&batch, &targets, &active, true, normalizer, None).expect("gradients");
            (loss / normalizer, engine.gradients())
        };
        let plain = of(LossOptions::default(), 5.0);
        // Weights of 2 and twice the normalizer change no bit.
        let twos = LossOptions { class_weights: Some(vec![2.0; tiny.labels]), label_smoothing: 0.0 };
        assert_eq!(of(twos, 10.0), plain);
        let smooth = of(LossOptions { class_weights: None, label_smoothing: 0.3 }, 5.0);
        assert_ne!(smooth.1, plain.1);
        let mut engine = tiny.engine(precision);
        let wrong = LossOptions { class_weights: Some(vec![1.0]), label_smoothing: 0.0 };
        let error = engine.set_loss(wrong).unwrap_err();
        assert!(matches!(error, ModelError::ClassWeights { weights: 1, .. }), "{error}");
        assert_eq!(engine.loss_options(), &LossOptions::default());
    });
}

#[test]
fn frozen_layers_get_no_gradient_and_the_others_the_same_as_ever() {
    everywhere(|tiny, precision| {
        let (batch, targets) = tiny.first();
        let run = |active: &[bool], head: bool| {
            let mut engine = tiny.engine(precision);
            engine.accumulate(&batch, &targets, active, head, 5.0, None).expect("gradients");
            engine.gradients()
        };
        let full = run(&vec![true; tiny.layers], true);
        for set in 1..1u32 << tiny.layers {
            let active: Vec<bool> = (0..tiny.layers).map(|layer| set >> layer & 1 == 1).collect();
            let head = set % 3 != 0;
            let found = run(&active, head);
            assert_eq!(found.len(), full.len());
            for (found, full) in found.iter().zip(&full) {
                let trains = layer_of(&found.name).map_or(head, |layer| active[layer]);
                if trains {
                    assert_eq!(found, full, "layers {active:?}");
                } else {
                    assert!(found.data.iter().all(|&value| value == 0.0), "{} in {active:?}", found.name);
                }
            }
        }
    });
}

#[test]
fn frozen_layers_are_not_updated() {
    everywhere(|tiny, precision| {
        let (batch, targets) = tiny.first();
        let mut engine = tiny.engine(precision);
        let mut active = vec![true; tiny.layers];
        active[1] = false;
        engine.accumulate(&batch, &targets, &active, false, 5.0, None).expect("gradients");
        let settings = irtune_model::AdamW {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.1,
        };
        engine.update(&active, false, &settings).expect("an update");
        for parameter in engine.parameters() {
            let start = find(&tiny.adapter, &parameter.name);
            let trains = layer_of(&parameter.name).is_some_and(|layer| active[layer]);
            assert_eq!(parameter.data != start.data, trains, "{}", parameter.name);
            let state = engine.optimizer_state();
            assert_eq!(
                find(&state, &format!("{}.steps", parameter.name)).data,
                [f32::from(u8::from(trains))]
            );
        }
    });
}

#[test]
fn finite_differences_agree() {
    for case in CASES {
        let tiny = Tiny::bare(case);
        differences_agree(&tiny, tiny.lora.clone(), None);
    }
}

#[test]
fn finite_differences_agree_under_dropout() {
    for case in CASES {
        let tiny = Tiny::bare(case);
        differences_agree(&tiny, dropping(&tiny), Some(KEY));
    }
}

/// Holds the largest gradient of every parameter against the slope of the loss, in f32.
fn differences_agree(tiny: &Tiny, lora: LoraConfig, key: Option<DropoutKey>) {
    let mut engine = tiny.engine_with(lora, Precision::F32, 1);
    let (batch, targets) = tiny.first();
    let active = vec![true; tiny.layers];
    let loss = |engine: &mut dyn Engine, parameters: &[HostTensor]| {
        engine.load_parameters(parameters).expect("parameters fit");
        engine.zero_gradients();
        engine.accumulate(&batch, &targets, &active, true, 1.0, key).expect("a loss")
    };
    let mut parameters = tiny.adapter.clone();
    loss(&mut *engine, &parameters);
    let gradients = engine.gradients();
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    for at in 0..parameters.len() {
        let gradient = &find(&gradients, &parameters[at].name).data;
        let (gradient, slope) =
            steepest(&mut parameters, at, gradient, &mut |changed| loss(&mut *engine, changed));
        found.push(slope as f32);
        expected.push(gradient);
    }
    assert!(expected.len() > 20);
    for ((expected, found), parameter) in expected.iter().zip(&found).zip(&tiny.adapter) {
        assert_close(&parameter.name, &[*found], &[*expected], tolerance("finite_differences", "f32"));
    }
}

#[test]
fn dropout_drops_in_training_only_and_by_its_key() {
    everywhere(|tiny, precision| {
        let (batch, targets) = tiny.first();
        let active = vec![true; tiny.layers];
        let mut plain = tiny.engine(precision);
        let mut dropping = tiny.engine_with(dropping(tiny), precision, 1);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        plain.logits(&batch, &mut left).expect("logits");
        dropping.logits(&batch, &mut right).expect("logits");
        assert_eq!(left, right, "evaluation drops nothing");
        let mut loss = |key| dropping.accumulate(&batch, &targets, &active, true, 5.0, key).expect("a loss");
        let other_step = DropoutKey { step: 4, ..KEY };
        let (first, again, other) = (loss(Some(KEY)), loss(Some(KEY)), loss(Some(other_step)));
        assert_eq!(first.to_bits(), again.to_bits());
        assert_ne!(first.to_bits(), other.to_bits());
    });
}

#[test]
fn a_run_repeats_itself_bitwise() {
    everywhere(|tiny, precision| {
        let run = || {
            let mut engine = tiny.engine_with(dropping(tiny), precision, 2);
            let (batch, targets) = tiny.first();
            let active = vec![true; tiny.layers];
            let sum = engine.accumulate(&batch, &targets, &active, true, 5.0, Some(KEY)).expect("a loss");
            (sum.to_bits(), engine.gradients())
        };
        assert_eq!(run(), run());
    });
}
