//! Layers whose own weights train, held against full fine-tuning by PyTorch (`golden/tuned_weights`) and against algebra.

use std::{collections::BTreeSet, ops::RangeInclusive};

use crate::tiny::{
    CASES, FAMILY_CASES, Tiny, compare_gradients,
    engine::{EngineOptions, engine},
    find, layer_of, name_of, options,
    slope::steepest,
};
use irtune_model::{
    AdamW, Engine, HostTensor, ModelError, ParameterError, Precision, Targets, Trained, WEIGHTS_HEAD_NAME,
};
use irtune_testing::golden::{Golden, assert_close, golden_folder, sections, tolerance};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int16];
const ADAMW: AdamW =
    AdamW { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };

/// Runs `check` on every case in every precision; `sections` are what it reads of the golden.
fn everywhere(sections: &[&str], check: impl Fn(&Tiny, &Golden, Precision)) {
    for case in cases() {
        for precision in PRECISIONS {
            let golden = Golden::open(&golden_of(case), sections);
            check(&Tiny::bare(case), &golden, precision);
            golden.passes();
        }
    }
}

/// Cases whose layers' own weights train in a golden.
fn cases() -> impl Iterator<Item = &'static str> {
    let of_families = FAMILY_CASES.into_iter().filter(|case| golden_folder().join(golden_of(case)).is_dir());
    CASES.into_iter().chain(of_families)
}

fn golden_of(case: &str) -> String {
    match case.strip_prefix("tiny_llama/") {
        Some(case) => format!("tuned_weights/{case}"),
        None => format!("{case}/weights"),
    }
}

/// An engine whose layers' weights train, with the golden's head.
fn weights_engine_of(tiny: &Tiny, options: EngineOptions) -> Box<dyn Engine> {
    let mut made = engine(tiny.base.clone(), Trained::Weights { lowest: 0 }, tiny.labels, 1, options)
        .expect("an engine");
    let head = find(&tiny.adapter, "base_model.model.score.weight");
    let head = HostTensor { name: WEIGHTS_HEAD_NAME.to_owned(), ..head.clone() };
    made.load_parameters(&[head]).expect("the head fits");
    made
}

fn names(tensors: &[HostTensor]) -> Vec<&str> {
    tensors.iter().map(|tensor| tensor.name.as_str()).collect()
}

/// Which values of a bias have no effect: where a key's values don't turn with its position, its bias moves all scores of a
/// query alike. Their gradients are rounding alone, of which AdamW makes whole steps.
fn idle_key_biases(tiny: &Tiny, name: &str) -> Vec<usize> {
    let config = &tiny.base.config;
    let first = match name {
        name if name.ends_with("k_proj.bias") => 0,
        name if name.ends_with("c_attn.bias") => config.query_size(),
        _ => return Vec::new(),
    };
    let turning = if config.layer(0).rotary.is_some() { config.variant.rotary.size } else { 0 };
    let idle = (0..config.key_value_size()).filter(|at| at % config.head_size >= turning);
    idle.map(|at| first + at).collect()
}

/// A tensor of the base as its files hold it.
fn stored_values(tiny: &Tiny, name: &str) -> Vec<f32> {
    let values = tiny.base.weights.values(name).expect("in the base");
    let tensor = tiny.base.weights.tensor(name).expect("in the base");
    match tensor.shape[..] {
        [rows, columns] if tensor.transposed => (0..columns)
            .flat_map(|column| (0..rows).map(move |row| row * columns + column))
            .map(|index| values[index])
            .collect(),
        _ => values,
    }
}

/// The layers that tensors belong to.
fn layers_of(tensors: &[HostTensor]) -> BTreeSet<usize> {
    tensors.iter().filter_map(|tensor| layer_of(&tensor.name)).collect()
}

fn only(layers: usize, trained: RangeInclusive<usize>) -> Vec<bool> {
    (0..layers).map(|layer| trained.contains(&layer)).collect()
}

#[test]
fn every_section_of_the_goldens_is_read_by_a_test() {
    assert!(cases().count() > CASES.len());
    for case in cases() {
        let known = ["logits", "loss", "gradients", "trace_all", "trace_some"];
        assert_eq!(sections(&golden_of(case)), BTreeSet::from(known.map(str::to_owned)), "{case}");
    }
}

#[test]
fn logits_loss_and_every_gradient() {
    everywhere(&["logits", "loss", "gradients"], |tiny, golden, precision| {
        let mut engine = weights_engine_of(tiny, options(precision));
        let mut logits = Vec::new();
        engine.logits(&tiny.first().0, &mut logits).expect("logits");
        golden.compare("logits/logits", &logits, tolerance("logits", name_of(precision)));
        let loss = tiny.accumulate_first(&mut *engine, &vec![true; tiny.layers]);
        golden.compare("loss/mean", &[loss as f32], tolerance("loss", name_of(precision)));
        compare_gradients(golden, &*engine, tolerance("weight_gradients", name_of(precision)));
        assert_eq!(names(&engine.gradients()), names(&engine.parameters()));

        let gradients = engine.gradients();
        let mut norms = Vec::new();
        for layer in 0..tiny.layers {
            engine.gradient_norms(layer, &mut norms);
            let of_layer = gradients.iter().filter(|tensor| layer_of(&tensor.name) == Some(layer));
            let expected: Vec<f64> = of_layer
                .map(|tensor| tensor.data.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt())
                .collect();
            assert_eq!(norms.len(), expected.len());
            let close = norms.iter().zip(&expected).all(|(left, right)| (left - right).abs() <= 1e-6 * right);
            assert!(close, "layer {layer}: {norms:?}, from the gradients {expected:?}");
        }
    });
}

#[test]
fn a_perturbed_golden_is_refused() {
    let limit = tolerance("weight_gradients", "f32").largest;
    for case in cases() {
        let tiny = Tiny::bare(case);
        let mut golden = Golden::open(&golden_of(case), &["gradients"]);
        let key = golden.keys("gradients").swap_remove(3);
        golden.perturb(&key, 5, 4.0 * limit as f32);
        let mut engine = weights_engine_of(&tiny, options(Precision::F32));
        tiny.accumulate_first(&mut *engine, &vec![true; tiny.layers]);
        compare_gradients(&golden, &*engine, tolerance("weight_gradients", name_of(Precision::F32)));
        golden.refuses(&key, 5);
    }
}

#[test]
fn ten_steps_with_every_layer() {
    ten_steps("trace_all");
}

#[test]
fn ten_steps_with_layers_that_take_turns() {
    ten_steps("trace_some");
}

fn ten_steps(section: &str) {
    everywhere(&[section], |tiny, golden, precision| {
        let mut engine = weights_engine_of(tiny, options(precision));
        let trace = tiny.trace(golden, section, &mut *engine);
        let of = |rung| tolerance(rung, name_of(precision));
        golden.compare(&format!("{section}/losses"), &trace.losses, of("weight_trace_losses"));
        golden.compare(&format!("{section}/gradient_norms"), &trace.norms, of("weight_trace_norms"));
        let parameters = engine.parameters();
        assert_eq!(
            layers_of(&parameters),
            trace.trained,
            "the layers that trained have masters, and no others"
        );
        if section == "trace_some" {
            for key in golden.keys(section).iter().filter(|key| key.contains("/final.")) {
                let name = key.rsplit_once("final.").expect("a final").1;
                let found = parameters.iter().find(|parameter| parameter.name == name);
                let mut data =
                    found.map_or_else(|| stored_values(tiny, name), |parameter| parameter.data.clone());
                for at in idle_key_biases(tiny, name) {
                    data[at] = golden.floats(key)[at];
                }
                golden.compare(key, &data, of("weight_trace_final"));
            }
        }
    });
}

#[test]
fn finite_differences_agree() {
    for case in CASES {
        let tiny = Tiny::bare(case);
        let mut engine = weights_engine_of(&tiny, options(Precision::F32));
        let all = vec![true; tiny.layers];
        tiny.accumulate_first(&mut *engine, &all);
        let (mut parameters, gradients) = (engine.parameters(), engine.gradients());
        assert_eq!(parameters.len(), 9 * tiny.layers + 1);
        for at in 0..parameters.len() {
            let gradient = &gradients[at].data;
            let (expected, slope) = steepest(&mut parameters, at, gradient, &mut |changed| {
                engine.load_parameters(changed).expect("parameters fit");
                tiny.accumulate_first(&mut *engine, &all)
            });
            let tolerance = tolerance("weight_finite_differences", "f32");
            assert_close(&parameters[at].name, &[slope as f32], &[expected], tolerance);
        }
    }
}

#[test]
fn a_layer_that_never_trained_is_the_files() {
    everywhere(&["logits"], |tiny, golden, precision| {
        let mut engine = weights_engine_of(tiny, options(precision));
        tiny.accumulate_first(&mut *engine, &only(tiny.layers, 1..=1));
        assert_eq!(layers_of(&engine.parameters()), BTreeSet::from([1]));
        assert_eq!(layers_of(&engine.gradients()), BTreeSet::from([1]));
        assert_eq!(layers_of(&engine.optimizer_state()), BTreeSet::new(), "no update, no moments");
        // The copy says what the file says, and its logits those of the file.
        for parameter in engine.parameters().iter().filter(|parameter| layer_of(&parameter.name).is_some()) {
            assert_eq!(parameter.data, stored_values(tiny, &parameter.name), "{}", parameter.name);
        }
        let mut logits = Vec::new();
        engine.logits(&tiny.first().0, &mut logits).expect("logits");
        golden.compare("logits/logits", &logits, tolerance("logits", name_of(precision)));
        engine.update(&only(tiny.layers, 1..=1), true, &ADAMW).expect("an update");
        assert_eq!(layers_of(&engine.optimizer_state()), BTreeSet::from([1]));
        engine.reset_optimizer(1);
        assert_eq!(layers_of(&engine.optimizer_state()), BTreeSet::new(), "moments are freed");
        engine.zero_gradients();
        assert_eq!(layers_of(&engine.gradients()), BTreeSet::new(), "gradients are freed");
        assert_eq!(layers_of(&engine.parameters()), BTreeSet::from([1]), "masters stay");
    });
}

#[test]
fn a_reset_optimizer_is_a_new_one() {
    // Two layers take turns and leave each other their moments; each must begin at zero.
    let tiny = Tiny::bare(CASES[0]);
    let updated = |turns: &[usize]| {
        let mut engine = weights_engine_of(&tiny, options(Precision::F32));
        for &turn in turns {
            engine.reset_optimizer(turn);
            let active = only(tiny.layers, turn..=turn);
            tiny.accumulate_first(&mut *engine, &active);
            engine.update(&active, false, &ADAMW).expect("an update");
            engine.reset_optimizer(turn);
        }
        let steps = engine.optimizer_state();
        assert!(layers_of(&steps).is_empty());
        engine.parameters()
    };
    // The first step of Adam moves every value by the learning rate, whatever the gradient.
    let parameters = updated(&[0, 1]);
    let name = "model.layers.1.mlp.up_proj.weight";
    let (after, before) = (find(&parameters, name), tiny.base.weights.values(name).expect("in the base"));
    let decayed = |value: f32| value * (1.0 - 1e-3 * 0.01);
    let moved: Vec<f32> =
        after.data.iter().zip(&before).map(|(after, &before)| (after - decayed(before)).abs()).collect();
    let whole = moved.iter().filter(|&&step| (step - 1e-3).abs() < 2e-5).count();
    assert!(whole * 100 > moved.len() * 99, "{whole} of {} moved by the learning rate", moved.len());
}

#[test]
fn a_restored_engine_goes_on_bitwise() {
    for case in CASES {
        for precision in PRECISIONS {
            let tiny = Tiny::bare(case);
            let turns = [only(tiny.layers, 1..=2), only(tiny.layers, 2..=2), only(tiny.layers, 0..=1)];
            let step = |engine: &mut dyn Engine, active: &[bool]| {
                let loss = tiny.accumulate_first(engine, active);
                engine.update(active, true, &ADAMW).expect("an update");
                loss.to_bits()
            };
            let mut whole = weights_engine_of(&tiny, options(precision));
            for active in &turns[..2] {
                step(&mut *whole, active);
            }
            let mut resumed = weights_engine_of(&tiny, options(precision));
            // What it trained before is forgotten.
            step(&mut *resumed, &only(tiny.layers, 0..=0));
            resumed.load_parameters(&whole.parameters()).expect("parameters fit");
            resumed.load_optimizer_state(&whole.optimizer_state()).expect("state fits");
            assert_eq!(layers_of(&resumed.parameters()), BTreeSet::from([1, 2]));
            assert_eq!(step(&mut *whole, &turns[2]), step(&mut *resumed, &turns[2]));
            assert_eq!(whole.parameters(), resumed.parameters());
            assert_eq!(whole.optimizer_state(), resumed.optimizer_state());
        }
    }
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    let tiny = Tiny::bare(CASES[0]);
    let mut engine = weights_engine_of(&tiny, options(Precision::F32));
    tiny.accumulate_first(&mut *engine, &only(tiny.layers, 1..=1));
    let all = engine.parameters();
    let mut refused = |tensors: &[HostTensor]| engine.load_parameters(tensors).unwrap_err();
    let error = refused(&all[1..]);
    assert!(
        matches!(&error, ModelError::Parameter(ParameterError::MissingParameter { name }) if *name == all[0].name),
        "{error}"
    );
    let error = refused(&all[..9]);
    assert!(
        matches!(&error, ModelError::Parameter(ParameterError::MissingParameter { name }) if name == WEIGHTS_HEAD_NAME),
        "{error}"
    );
    let mut other = all.clone();
    other[0].shape = vec![1, 64];
    let error = refused(&other);
    assert!(matches!(error, ModelError::Parameter(ParameterError::ParameterShape { .. })), "{error}");
    let mut other = all.clone();
    other.push(HostTensor::new("model.embed_tokens.weight", vec![1], vec![0.0]));
    let error = refused(&other);
    assert!(matches!(error, ModelError::Parameter(ParameterError::UnknownParameter { .. })), "{error}");
}

#[test]
fn layers_computed_again_have_the_same_gradients() {
    for precision in PRECISIONS {
        let tiny = Tiny::bare(CASES[1]);
        let make = |memory_bytes| {
            let options = EngineOptions { memory_bytes, ..options(precision) };
            engine(tiny.base.clone(), Trained::Weights { lowest: 0 }, tiny.labels, 1, options)
        };
        let Err(ModelError::Memory { needed, .. }) = make(Some(1)) else { panic!("a byte is not enough") };
        for lowest in [0, 3] {
            let active = only(tiny.layers, lowest..=4);
            let gradients = |memory_bytes| {
                let options = EngineOptions { memory_bytes, ..options(precision) };
                let mut engine = weights_engine_of(&tiny, options);
                tiny.accumulate_first(&mut *engine, &active);
                engine.gradients()
            };
            assert_eq!(gradients(Some(needed)), gradients(None), "layers from {lowest} up");
        }
    }
}

#[test]
fn the_limit_of_memory_counts_masters_with_gradient_and_moments() {
    let tiny = Tiny::bare(CASES[1]);
    let needed = |lowest| {
        let options = EngineOptions { memory_bytes: Some(1), ..options(Precision::F32) };
        match engine(tiny.base.clone(), Trained::Weights { lowest }, tiny.labels, 1, options) {
            Err(ModelError::Memory { needed, .. }) => needed,
            _ => panic!("a byte is not enough"),
        }
    };
    let config = &tiny.base.config;
    let parameters = 2 * config.hidden_size
        + config
            .projections()
            .map(|projection| config.projection_shape(projection))
            .map(|(outputs, inputs)| outputs * inputs)
            .sum::<usize>();
    assert_eq!(needed(0) - needed(4), 4 * 16 * parameters);
}

#[test]
fn there_is_nothing_to_weaken() {
    let tiny = Tiny::bare(CASES[0]);
    let mut engine = weights_engine_of(&tiny, options(Precision::F32));
    let (batch, targets) = tiny.first();
    let plain = engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss");
    assert_eq!(engine.loss(&batch, Targets::Classes(&targets), Some(&[1.0; 3])).expect("a loss"), plain);
    let error = engine.loss(&batch, Targets::Classes(&targets), Some(&[1.0, 0.5, 1.0])).unwrap_err();
    assert!(matches!(error, ModelError::NothingToWeaken), "{error}");
    assert!(error.to_string().contains("ist"), "{error}");
}
