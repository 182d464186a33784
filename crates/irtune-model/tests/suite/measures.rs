//! What policies have measured: losses with weakened adapters, cosines, frozen weights; and clearing optimizer state.

use std::collections::BTreeMap;

use irtune_device::WeightView;
use irtune_model::{AdamW, Engine, ModelError, Precision, Targets, TrainingPass, spectrum};
use irtune_testing::golden::{case_json, tolerance};
use serde::Deserialize;

use crate::tiny::{CASES, Tiny, layer_of, name_of};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CosineCase {
    versions: BTreeMap<String, String>,
    examples: usize,
    cosines: BTreeMap<String, Vec<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpectrumCase {
    versions: BTreeMap<String, String>,
    seed: u64,
    matrices: Vec<Matrix>,
    layers: Vec<LayerMeasures>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    shape: [usize; 2],
    values: Vec<f32>,
    singular: Vec<f64>,
    ratio: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerMeasures {
    ratio: f64,
    output_norm: f64,
}

fn bits(engine: &dyn Engine) -> Vec<u32> {
    engine.parameters().iter().flat_map(|tensor| &tensor.data).map(|value| value.to_bits()).collect()
}

/// An engine whose adapters still add nothing, so that it is the base.
fn base_engine(tiny: &Tiny, precision: Precision) -> Box<dyn Engine> {
    let mut engine = tiny.engine(precision);
    let mut parameters = tiny.adapter.clone();
    for tensor in parameters.iter_mut().filter(|tensor| tensor.name.contains("lora_B")) {
        tensor.data.fill(0.0);
    }
    engine.load_parameters(&parameters).expect("the same parameters");
    engine
}

#[test]
fn cosines_are_those_of_transformers() {
    let case: CosineCase = case_json("layer_cosines");
    assert!(case.versions.contains_key("transformers") && case.cosines.len() == CASES.len());
    for name in CASES {
        let expected = &case.cosines[name.strip_prefix("tiny_llama/").unwrap()];
        for precision in [Precision::F32, Precision::Bf16] {
            let tiny = Tiny::bare(name);
            let mut engine = base_engine(&tiny, precision);
            let (batch, targets) = tiny.pack(0..case.examples);
            let frozen = vec![false; tiny.layers];
            engine.watch_cosines(true);
            engine.accumulate(&batch, &targets, &frozen, true, 5.0, None).expect("a pass");
            let mut cosines = Vec::new();
            engine.layer_cosines(&mut cosines);
            assert_eq!(cosines.len(), expected.len());
            let error =
                cosines.iter().zip(expected).map(|(own, other)| (own - other).abs()).fold(0.0, f64::max);
            let limit = tolerance("layer_cosines", name_of(precision)).largest;
            println!("layer_cosines {} {name} off by {error:.2e}", name_of(precision));
            assert!(error <= limit, "{name} {precision}: {cosines:?}, expected {expected:?}");
        }
    }
}

#[test]
fn cosines_are_measured_only_when_watched_in_training_and_averaged_over_passes() {
    let tiny = Tiny::bare(CASES[0]);
    let mut engine = tiny.engine(Precision::F32);
    let active = vec![true; tiny.layers];
    let mut cosines = vec![7.0];
    let mut pass = |engine: &mut dyn Engine, examples: std::ops::Range<usize>| {
        let (batch, targets) = tiny.pack(examples);
        engine.accumulate(&batch, &targets, &active, true, 1.0, None).expect("a pass");
        engine.layer_cosines(&mut cosines);
        cosines.clone()
    };
    assert!(pass(engine.as_mut(), 0..3).is_empty(), "not watched");
    engine.watch_cosines(true);
    engine.zero_gradients();
    let first = pass(engine.as_mut(), 0..3);
    let both = pass(engine.as_mut(), 3..5);
    engine.zero_gradients();
    let second = pass(engine.as_mut(), 3..5);
    for layer in 0..tiny.layers {
        assert!(
            (both[layer] - (first[layer] + second[layer]) / 2.0).abs() < 1e-12
                && first[layer] != second[layer]
        );
    }
    let (batch, targets) = tiny.first();
    engine.logits(&batch, &mut Vec::new()).expect("logits");
    engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss");
    let mut now = Vec::new();
    engine.layer_cosines(&mut now);
    assert_eq!(now, second, "evaluation is not measured");
}

#[test]
fn a_loss_is_that_of_the_logits_and_weakened_adapters_are_scaled_ones() {
    for case in CASES {
        for precision in [Precision::F32, Precision::Bf16] {
            let tiny = Tiny::bare(case);
            let mut engine = tiny.engine(precision);
            let before = bits(engine.as_ref());
            let (batch, targets) = tiny.first();
            let whole = engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss");
            let mut logits = Vec::new();
            engine.logits(&batch, &mut logits).expect("logits");
            let losses = logits.chunks_exact(tiny.labels).zip(&targets).map(|(logits, &target)| {
                let total: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
                total.ln() - f64::from(logits[target as usize])
            });
            assert!((whole - losses.sum::<f64>()).abs() < 1e-5 * whole);
            let ones = vec![1.0; tiny.layers];
            assert_eq!(engine.loss(&batch, Targets::Classes(&targets), Some(&ones)).expect("a loss"), whole);

            let factors: Vec<f32> = (0..tiny.layers).map(|layer| [0.25, 1.0, 0.3][layer % 3]).collect();
            let weakened = engine.loss(&batch, Targets::Classes(&targets), Some(&factors)).expect("a loss");
            assert_eq!(bits(engine.as_ref()), before, "the adapters come back as they were");
            assert_eq!(engine.loss(&batch, Targets::Classes(&targets), None).expect("a loss"), whole);

            let mut scaled = tiny.engine(precision);
            let mut parameters = scaled.parameters();
            for tensor in parameters.iter_mut().filter(|tensor| tensor.name.contains("lora_B")) {
                let factor = factors[layer_of(&tensor.name).expect("a layer")];
                tensor.data.iter_mut().for_each(|value| *value *= factor);
            }
            scaled.load_parameters(&parameters).expect("the same parameters");
            let expected = scaled.loss(&batch, Targets::Classes(&targets), None).expect("a loss");
            let error = (weakened - expected).abs() / expected;
            println!("weakened {} off by {error:.2e}", name_of(precision));
            assert!(
                error <= tolerance("weakened", name_of(precision)).largest,
                "{weakened}, expected {expected}"
            );
            assert_ne!(weakened, whole);
        }
    }
}

#[test]
fn a_loss_needs_a_target_an_example_and_a_factor_a_layer() {
    let tiny = Tiny::bare(CASES[0]);
    let mut engine = tiny.engine(Precision::F32);
    let (batch, targets) = tiny.first();
    let error = engine.loss(&batch, Targets::Classes(&targets[1..]), None).unwrap_err();
    assert!(matches!(error, ModelError::Targets { targets: 4, examples: 5 }), "{error}");
    let error = engine.loss(&batch, Targets::Classes(&[99; 5]), None).unwrap_err();
    assert!(matches!(error, ModelError::TargetOutOfRange { target: 99, .. }), "{error}");
    let error = engine.loss(&batch, Targets::Classes(&targets), Some(&[1.0, 0.5])).unwrap_err();
    assert_eq!(error.to_string(), "2 factors of adapters were given, but the base has 3 layers");
}

#[test]
fn distributions_meet_their_own_examples() {
    let tiny = Tiny::bare(CASES[0]);
    let mut engine = tiny.engine(Precision::F32);
    let (batch, targets) = tiny.first();
    let (active, labels) = (vec![true; tiny.layers], tiny.labels);
    let mut logits = Vec::new();
    engine.logits(&batch, &mut logits).expect("logits");
    // Shares differ from example to example, so packing must not mix them up.
    let shares: Vec<f32> = (0..targets.len() * labels)
        .map(|place| {
            let (example, label) = (place / labels, place % labels);
            let own = if label == example % labels { 0.7 } else { 0.0 };
            own + if label == targets[example] as usize { 0.3 } else { 0.0 }
        })
        .collect();
    let expected = logits.chunks_exact(labels).zip(shares.chunks_exact(labels)).map(|(logits, shares)| {
        let total: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
        let losses = logits.iter().zip(shares);
        losses.map(|(&logit, &share)| f64::from(share) * (total.ln() - f64::from(logit))).sum::<f64>()
    });
    let expected: f64 = expected.sum();
    let pass = TrainingPass { active: &active, train_head: true, normalizer: 5.0, dropout: None };
    engine.add_gradients(&batch, Targets::Distributions(&shares), pass).expect("gradients");
    let found = engine.last_loss();
    assert!((found - expected).abs() < 1e-5 * expected, "{found}, expected {expected}");

    let mut whole = vec![0.0; targets.len() * labels];
    for (example, &target) in targets.iter().enumerate() {
        whole[example * labels + target as usize] = 1.0;
    }
    let gradients = [Targets::Classes(&targets), Targets::Distributions(&whole)].map(|targets| {
        engine.zero_gradients();
        engine.add_gradients(&batch, targets, pass).expect("gradients");
        engine.gradients()
    });
    assert_eq!(gradients[0], gradients[1], "a whole share is a target");

    // Of several labels each has a binary cross-entropy of its own.
    let has: Vec<f32> = (0..whole.len()).map(|place| f32::from(u8::from(place * 7 % 5 < 2))).collect();
    let losses = logits.iter().zip(&has).map(|(&logit, &has)| {
        let own = f64::from(if has == 1.0 { logit } else { -logit });
        (-own).exp().ln_1p()
    });
    let expected: f64 = losses.sum();
    engine.add_gradients(&batch, Targets::Labels(&has), pass).expect("gradients");
    let evaluated = engine.loss(&batch, Targets::Labels(&has), None).expect("a loss");
    for found in [engine.last_loss(), evaluated] {
        assert!((found - expected).abs() < 1e-5 * expected, "{found}, expected {expected}");
    }

    let expected = targets.len() * labels;
    for wrong in [Targets::Distributions(&shares[1..]), Targets::Labels(&has[1..])] {
        let error = engine.add_gradients(&batch, wrong, pass).unwrap_err();
        let found = matches!(error, ModelError::Shares { expected: found, .. } if found == expected);
        assert!(found, "{error}");
    }
}

#[test]
fn only_the_layer_asked_for_forgets_its_optimizer_state() {
    let tiny = Tiny::bare(CASES[0]);
    let mut engine = tiny.engine(Precision::F32);
    let (batch, targets) = tiny.first();
    let active = vec![true; tiny.layers];
    let settings = AdamW { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
    engine.accumulate(&batch, &targets, &active, true, 5.0, None).expect("a pass");
    engine.update(&active, true, &settings).expect("an update");
    let before = engine.optimizer_state();
    engine.reset_optimizer(1);
    let mut cleared = 0;
    for (before, after) in before.iter().zip(engine.optimizer_state()) {
        if layer_of(&before.name) == Some(1) {
            assert!(before.data.iter().any(|&value| value != 0.0), "{}", before.name);
            assert!(after.data.iter().all(|&value| value == 0.0), "{}", before.name);
            cleared += 1;
        } else {
            assert_eq!(*before, after);
        }
    }
    assert_eq!(cleared, 3 * 2 * tiny.lora.target_modules.len());
}

#[test]
fn singular_values_ratios_and_norms_are_those_of_torch() {
    let case: SpectrumCase = case_json("spectrum");
    assert!(case.versions.contains_key("torch") && case.seed > 0 && case.matrices.len() == 5);
    let close = |own: f64, other: f64, what: &str| {
        assert!((own - other).abs() <= 1e-9 * other.abs().max(1.0), "{what}: {own}, expected {other}");
    };
    for matrix in &case.matrices {
        let [rows, columns] = matrix.shape;
        let singular = spectrum::singular_values(&WeightView::of(&matrix.values, rows, columns));
        assert_eq!(singular.len(), matrix.singular.len());
        singular
            .iter()
            .zip(&matrix.singular)
            .for_each(|(own, other)| close(*own, *other, "a singular value"));
        close(spectrum::signal_to_noise(&singular, rows, columns), matrix.ratio, "a ratio");
        // One value less gives another ratio.
        let off = spectrum::signal_to_noise(&singular[1..], rows, columns);
        assert!(singular.len() == 1 || (off - matrix.ratio).abs() > 1e-6, "{off} {}", matrix.ratio);
    }
    let tiny = Tiny::bare(CASES[1]);
    let engine = tiny.engine(Precision::F32);
    assert_eq!(case.layers.len(), tiny.layers);
    for (layer, measures) in case.layers.iter().enumerate() {
        close(engine.signal_to_noise(layer).expect("a ratio"), measures.ratio, "a layer's ratio");
        close(engine.output_projection_norm(layer).expect("a norm"), measures.output_norm, "a norm");
    }
    assert!(engine.signal_to_noise(99).is_err() && engine.output_projection_norm(99).is_err());
    assert_eq!(spectrum::signal_to_noise(&[0.0, 0.0], 2, 2), 0.0);
    assert_eq!(spectrum::signal_to_noise(&[], 0, 4), 0.0);
}
