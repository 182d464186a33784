//! The engine held against transformers and PEFT on tiny classifiers of every family, rung by rung.

use std::{collections::BTreeSet, sync::Arc};

use crate::tiny::{
    Tiny, compare_gradients, cut_model, engine::engine, every_case, find, layer_of, name_of, options,
};
use irtune_model::{Base, Engine, HostTensor, PackedBatch, Precision, SHORTEST_SHARED, Trained};
use irtune_testing::golden::{Golden, sections, tolerance};

const PRECISIONS: [Precision; 4] = [Precision::F32, Precision::Bf16, Precision::Int16, Precision::Int8];

/// Where single gradients of models this small are worth holding: in 8 bits they are off by as much as they are large, and
/// those of SmolLM2 are held instead.
const PRECISE: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int16];

/// Runs `check` on every case in these precisions; `sections` are what it reads of the golden.
fn everywhere(precisions: &[Precision], sections: &[&str], check: impl Fn(&Tiny, &Golden, Precision)) {
    for case in every_case() {
        for &precision in precisions {
            let (tiny, golden) = Tiny::open(case, sections);
            check(&tiny, &golden, precision);
            golden.passes();
        }
    }
}

#[test]
fn every_section_of_the_goldens_is_read_by_a_test() {
    let known = ["pool", "adapter", "blocks", "logits", "loss", "gradients", "trace_all", "trace_some"];
    for case in every_case() {
        assert_eq!(sections(case), BTreeSet::from(known.map(str::to_owned)), "{case}");
    }
}

#[test]
fn states_after_each_layer() {
    for case in every_case() {
        for precision in PRECISIONS {
            let (tiny, golden) = Tiny::open(case, &["blocks"]);
            for depth in 1..=tiny.layers {
                let states = normed_states(case, &tiny, depth, precision);
                golden.compare(&format!("blocks/{depth}"), &states, tolerance("blocks", name_of(precision)));
            }
            golden.passes();
        }
    }
}

/// The normed states of example 0 after `depth` layers: what a classifier with the identity as its head says of each
/// beginning of the example.
fn normed_states(case: &str, tiny: &Tiny, depth: usize, precision: Precision) -> Vec<f32> {
    let folder = tempfile::tempdir().expect("a folder");
    cut_model(case, depth, folder.path());
    let base = Arc::new(Base::open(folder.path()).expect("the cut base opens"));
    let width = base.config.hidden_size;
    let mut identity = vec![0.0; width * width];
    identity.iter_mut().step_by(width + 1).for_each(|value| *value = 1.0);
    let inside = |tensor: &&HostTensor| layer_of(&tensor.name).is_some_and(|layer| layer < depth);
    let mut parameters: Vec<HostTensor> = tiny.adapter.iter().filter(inside).cloned().collect();
    parameters.push(HostTensor::new("base_model.model.score.weight", vec![width, width], identity));
    let mut cut = engine(base, Trained::Adapter(tiny.lora.clone().into()), width, 1, options(precision))
        .expect("an engine");
    cut.load_parameters(&parameters).expect("the parameters fit");
    let beginnings: Vec<&[u32]> = (1..=tiny.examples[0].len()).map(|end| &tiny.examples[0][..end]).collect();
    let mut states = Vec::new();
    cut.logits(&PackedBatch::pack(&beginnings, SHORTEST_SHARED).expect("beginnings pack"), &mut states)
        .expect("states");
    states
}

#[test]
fn logits() {
    everywhere(&PRECISIONS, &["logits"], |tiny, golden, precision| {
        let (batch, _) = tiny.first();
        let mut found = Vec::new();
        tiny.engine(precision).logits(&batch, &mut found).expect("logits");
        golden.compare("logits/adapted", &found, tolerance("logits", name_of(precision)));

        let mut bare =
            engine(tiny.base.clone(), Trained::Head, tiny.labels, 1, options(precision)).expect("an engine");
        let head = find(&tiny.adapter, "base_model.model.score.weight").clone();
        bare.load_parameters(&[head]).expect("the head fits");
        bare.logits(&batch, &mut found).expect("logits");
        golden.compare("logits/base", &found, tolerance("logits", name_of(precision)));
    });
}

#[test]
fn loss_and_every_gradient() {
    everywhere(&PRECISE, &["loss", "gradients"], |tiny, golden, precision| {
        let mut engine = tiny.engine(precision);
        let loss = tiny.accumulate_first(&mut *engine, &vec![true; tiny.layers]);
        golden.compare("loss/mean", &[loss as f32], tolerance("loss", name_of(precision)));
        compare_gradients(golden, &*engine, tolerance("gradients", name_of(precision)));
        norms_are_those_of_the_gradients(tiny.layers, &*engine);
    });
}

#[test]
fn a_perturbed_golden_is_refused() {
    let tolerance = tolerance("gradients", "f32");
    for case in every_case() {
        let (tiny, mut golden) = Tiny::open(case, &["gradients"]);
        let key = golden.keys("gradients").swap_remove(3);
        golden.perturb(&key, 5, 4.0 * tolerance.largest as f32);
        let mut engine = tiny.engine(Precision::F32);
        tiny.accumulate_first(&mut *engine, &vec![true; tiny.layers]);
        compare_gradients(&golden, &*engine, tolerance);
        golden.refuses(&key, 5);
    }
}

#[test]
fn ten_steps_with_every_layer() {
    ten_steps("trace_all");
}

#[test]
fn ten_steps_with_other_layers_every_time() {
    ten_steps("trace_some");
}

#[test]
fn ten_steps_with_another_rate_of_the_head() {
    for precision in PRECISIONS {
        let tiny = Tiny::bare("tiny_llama/three_layers");
        let golden = Golden::open("head_rate", &["trace_head"]);
        let mut engine = tiny.engine(precision);
        let rate = golden.facts["traces"]["trace_head"]["head_rate"].as_f64().expect("head_rate");
        engine.set_head_rate(rate as f32);
        holds_ten_steps(&tiny, &golden, "trace_head", &mut *engine, precision);
        golden.passes();
    }
}

fn ten_steps(section: &str) {
    everywhere(&PRECISIONS, &[section], |tiny, golden, precision| {
        let mut engine = tiny.engine(precision);
        holds_ten_steps(tiny, golden, section, &mut *engine, precision);
    });
}

fn holds_ten_steps(
    tiny: &Tiny,
    golden: &Golden,
    section: &str,
    engine: &mut dyn Engine,
    precision: Precision,
) {
    let trace = tiny.trace(golden, section, engine);
    let of = |rung| tolerance(rung, name_of(precision));
    golden.compare(&format!("{section}/losses"), &trace.losses, of("trace_losses"));
    golden.compare(&format!("{section}/gradient_norms"), &trace.norms, of("trace_norms"));
    for parameter in engine.parameters() {
        let key = format!("{section}/final.{}", parameter.name);
        assert_eq!(golden.shape(&key), parameter.shape, "{key}");
        golden.compare(&key, &parameter.data, of("trace_final"));
    }
}

fn norms_are_those_of_the_gradients(layers: usize, engine: &dyn Engine) {
    let norm =
        |tensor: &HostTensor| tensor.data.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    let close = |left: f64, right: f64| (left - right).abs() <= 1e-6 * right;
    let gradients = engine.gradients();
    let mut found = Vec::new();
    for layer in 0..layers {
        let of_layer = |tensor: &&HostTensor| layer_of(&tensor.name) == Some(layer);
        let expected: Vec<f64> = gradients.iter().filter(of_layer).map(norm).collect();
        engine.gradient_norms(layer, &mut found);
        assert_eq!(found.len(), expected.len());
        let all_close = found.iter().zip(&expected).all(|(&left, &right)| right > 0.0 && close(left, right));
        assert!(all_close, "layer {layer}: {found:?}, from the gradients {expected:?}");
    }
    let head = norm(find(&gradients, "base_model.model.score.weight"));
    assert!(close(engine.head_gradient_norm(), head), "{} {head}", engine.head_gradient_norm());
}
