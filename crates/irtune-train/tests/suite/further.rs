//! A merged classifier as a base: training goes on from its head.

use crate::recorder::Recorder;
use crate::runs::{Place, failure, finish};
use irtune_data::{Columns, Labels, Pairs};
use irtune_model::Precision;
use irtune_testing::corpus::Words;
use irtune_train::{HeadKind, MergeOptions, Notice, Predictor, PredictorOptions, TrainRequest, merge};
use std::fs;
use std::path::{Path, PathBuf};

fn place() -> Place {
    let rows = |count, first| Words { count, first, documents: Some(5), labels: &[0, 1, 2] }.rows();
    Place::new(&rows(16, 0), &rows(6, 500))
}

/// A trained run and the whole model of it.
fn merged(place: &Place) -> (TrainRequest, PathBuf) {
    let request = place.request("first", |settings| settings.max_steps = Some(4));
    finish(&request);
    let out = place.path("merged");
    merge(&request.out, &out, &MergeOptions::default(), &mut |_, _| {}).unwrap();
    (request, out)
}

/// One step that changes next to nothing, over another base.
fn further(first: &TrainRequest, base: &Path, out: &Path) -> TrainRequest {
    let mut request = TrainRequest { base: base.to_owned(), out: out.to_owned(), ..first.clone() };
    (request.settings.max_steps, request.settings.learning_rate) = (Some(1), 1e-9);
    request
}

fn logits(place: &Place, folder: &Path) -> Vec<f32> {
    let options = PredictorOptions {
        precision: Precision::F32,
        threads: Some(1),
        calibrated: false,
        ..Default::default()
    };
    let mut predictor = Predictor::open(folder, &options).unwrap();
    let pairs = Pairs::open(&place.path("test.jsonl"), &Columns::default(), Labels::Required).unwrap();
    predictor.outputs(pairs).unwrap().logits
}

fn told(recorder: &Recorder<'_>) -> Vec<Notice> {
    let of_heads = |notice: &&Notice| matches!(notice, Notice::HeadOfBase | Notice::HeadLeftOut { .. });
    recorder.notices.iter().filter(of_heads).cloned().collect()
}

#[test]
fn the_head_of_a_classifier_with_the_same_labels_is_where_training_starts() {
    let place = place();
    let (first, model) = merged(&place);
    let before = logits(&place, &model);
    let mut request = further(&first, &model, &place.path("second"));
    let (_, recorder) = finish(&request);
    assert_eq!(told(&recorder), [Notice::HeadOfBase]);
    let after = logits(&place, &request.out);
    let difference = before.iter().zip(&after).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-4, "{difference}");

    // Rows belong to names, whatever their order in the base.
    let config = model.join("config.json");
    let mut written: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    let names = written["id2label"].as_object().unwrap().len();
    assert!(names >= 2);
    let other = serde_json::json!("another label");
    written["id2label"]["0"] = other;
    fs::write(&config, written.to_string()).unwrap();
    request.out = place.path("third");
    let (_, recorder) = finish(&request);
    assert_eq!(told(&recorder), [Notice::HeadLeftOut { other_labels: true }]);
}

#[test]
fn a_head_that_reads_something_else_is_left_out_and_told() {
    let place = place();
    let (first, model) = merged(&place);
    let mut request = further(&first, &model, &place.path("second"));
    request.settings.head = HeadKind::Edit;
    assert_eq!(told(&finish(&request).1), [Notice::HeadLeftOut { other_labels: false }]);
    assert_eq!(told(&finish(&further(&first, &first.base, &place.path("third"))).1), []);
}

#[test]
fn a_base_with_values_that_are_not_numbers_is_named() {
    let place = place();
    let base = place.path("base");
    fs::create_dir(&base).unwrap();
    irtune_testing::base::SyntheticBase::of_bytes().write_folder(&base);
    let path = base.join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let mut request = place.request("run", |settings| settings.max_length = 400);
    request.base = base;
    let message = failure(&request).to_string();
    assert!(
        message.starts_with("step 1: the loss is NaN, because ") && message.contains("model.safetensors"),
        "{message}"
    );
    assert!(message.contains("that are infinite or not numbers; download the base again"), "{message}");
}

#[test]
fn labels_of_adapter_and_run_that_disagree_are_an_error() {
    let place = place();
    let (first, _) = merged(&place);
    let path = first.out.join("adapter/classifier.json");
    let mut written: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let names = written["id2label"].clone();
    (written["id2label"]["0"], written["id2label"]["1"]) = (names["1"].clone(), names["0"].clone());
    fs::write(&path, written.to_string()).unwrap();
    let refused =
        Predictor::open(&first.out, &PredictorOptions::default()).err().expect("an error").to_string();
    assert!(refused.contains("answers would get wrong names"), "{refused}");
    let refused = merge(&first.out, &place.path("other"), &MergeOptions::default(), &mut |_, _| {});
    assert!(refused.unwrap_err().to_string().contains("answers would get wrong names"));
    // What transformers numbers where nobody named labels says nothing.
    for (number, label) in written["id2label"].as_object_mut().unwrap() {
        *label = format!("LABEL_{number}").into();
    }
    fs::write(&path, written.to_string()).unwrap();
    Predictor::open(&first.out, &PredictorOptions::default()).unwrap();
}
