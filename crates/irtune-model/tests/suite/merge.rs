//! A merged model says what the base with its adapters, or with its tuned weights, says.

use std::sync::Arc;

use crate::tiny::{CASES, Tiny, engine::engine, every_case, options};
use irtune_model::{
    AdamW, AdapterConfig, Base, Changes, Engine, HostTensor, Ia3Config, MergedType, Precision, Trained,
    WEIGHTS_HEAD_NAME, write_merged,
};
use irtune_testing::golden::{Errors, assert_close, tolerance};

fn logits(tiny: &Tiny, engine: &mut dyn Engine) -> Vec<f32> {
    let mut logits = Vec::new();
    engine.logits(&tiny.first().0, &mut logits).expect("logits");
    logits
}

/// The logits of the merged model, opened anew.
fn merged_logits(tiny: &Tiny, changes: &Changes<'_>, stored: MergedType) -> Vec<f32> {
    let folder = tempfile::tempdir().expect("a folder");
    let labels: Vec<String> = (0..tiny.labels).map(|label| format!("label {label}")).collect();
    write_merged(folder.path(), &tiny.base, changes, &labels, stored, &mut |_, _| {})
        .expect("a merged model");
    let base = Arc::new(Base::open(folder.path()).expect("the merged model opens"));
    let head = base.weights.values(WEIGHTS_HEAD_NAME).expect("a head");
    let head =
        HostTensor::new("base_model.model.score.weight", vec![tiny.labels, base.config.hidden_size], head);
    let mut plain = engine(base, Trained::Head, tiny.labels, 1, options(Precision::F32)).expect("an engine");
    plain.load_parameters(&[head]).expect("the head fits");
    logits(tiny, &mut *plain)
}

fn close(expected: &[f32], found: &[f32], precision: &str) {
    assert_close("logits", expected, found, tolerance("merged_logits", precision));
}

#[test]
fn merged_adapters() {
    for case in every_case() {
        let tiny = Tiny::bare(case);
        let expected = logits(&tiny, &mut *tiny.engine(Precision::F32));
        let changes = Changes::Adapter { adapter: &tiny.lora.clone().into(), tensors: &tiny.adapter };
        close(&expected, &merged_logits(&tiny, &changes, MergedType::F32), "f32");
        close(&expected, &merged_logits(&tiny, &changes, MergedType::Bf16), "bf16");
    }
}

/// A vector over a projection's output scales its bias too.
#[test]
fn a_merged_vector_scales_the_bias() {
    let tiny = Tiny::bare("tiny_families/qwen3/biased");
    let adapter: AdapterConfig =
        Ia3Config { target_modules: tiny.base.config.projections().collect() }.into();
    let trained = Trained::Adapter(adapter.clone());
    let mut made =
        engine(tiny.base.clone(), trained, tiny.labels, 1, options(Precision::F32)).expect("an engine");
    let mut parameters = made.parameters();
    for parameter in parameters.iter_mut().filter(|parameter| parameter.name.ends_with("ia3_l")) {
        let values = parameter.data.iter_mut().enumerate();
        values.for_each(|(at, value)| *value += (at % 7) as f32 / 10.0 - 0.25);
    }
    let before = logits(&tiny, &mut *made);
    made.load_parameters(&parameters).expect("parameters");
    let expected = logits(&tiny, &mut *made);
    assert!(Errors::of(&before, &expected).expect("logits").largest > 0.01);
    let changes = Changes::Adapter { adapter: &adapter, tensors: &parameters };
    close(&expected, &merged_logits(&tiny, &changes, MergedType::F32), "f32");
}

#[test]
fn merged_weights() {
    for case in CASES {
        let tiny = Tiny::bare(case);
        let mut tuned = engine(
            tiny.base.clone(),
            Trained::Weights { lowest: 0 },
            tiny.labels,
            1,
            options(Precision::F32),
        )
        .expect("an engine");
        let before = logits(&tiny, &mut *tuned);
        let (batch, targets) = tiny.first();
        let mut active = vec![true; tiny.layers];
        active[1] = false;
        let settings =
            AdamW { learning_rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
        tuned.accumulate(&batch, &targets, &active, true, 5.0, None).expect("gradients");
        tuned.update(&active, true, &settings).expect("an update");
        let expected = logits(&tiny, &mut *tuned);
        let moved = Errors::of(&before, &expected).expect("logits").largest;
        assert!(moved > 0.01, "training moved the logits by {moved}");
        let parameters = tuned.parameters();
        let found = merged_logits(&tiny, &Changes::Weights { tensors: &parameters }, MergedType::F32);
        assert_eq!(found, expected, "the same f32 values, so the same logits");
        close(
            &expected,
            &merged_logits(&tiny, &Changes::Weights { tensors: &parameters }, MergedType::Bf16),
            "bf16",
        );
    }
}
