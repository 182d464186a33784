//! A head that reads what changed, through whole runs on a tiny Llama.

use crate::runs::{Place, finish, interrupted, never};
use irtune_data::{Columns, Labels, Pairs, Row};
use irtune_model::Precision;
use irtune_testing::corpus::Words;
use irtune_train::{
    Adapter, HeadKind, MergeOptions, MethodOptions, Predictor, PredictorError, PredictorOptions, Reading,
    RunFolder, TrainOutcome, TrainSettings, Tune, Worker, WorkerOptions, merge, resume,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn rows(count: usize, first: usize, documents: usize) -> String {
    Words { count, first, documents: Some(documents), labels: &[0, 1, 2] }.rows()
}

fn place() -> Place {
    Place::new(&rows(40, 0, 13), &rows(9, 500, 3))
}

fn options() -> PredictorOptions {
    PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() }
}

/// A step's loss, gradient norm and layers.
type Step = (f64, f64, Vec<usize>);

/// A run's steps, and the files of its model.
fn traces(path: &Path) -> (Vec<Step>, BTreeMap<String, Vec<u8>>) {
    let run = RunFolder::open(path).unwrap();
    let steps = run.steps().unwrap().map(Result::unwrap);
    let steps = steps.map(|step| (step.loss, step.gradient_norm, step.active_layers)).collect();
    let entries = fs::read_dir(run.model_path(run.settings().unwrap().tune)).unwrap();
    let files = entries.map(|entry| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
    });
    (steps, files.collect())
}

/// The probabilities of every test pair.
fn probabilities(place: &Place, model: &Path) -> Vec<f64> {
    let mut predictor = Predictor::open(model, &options()).unwrap();
    let pairs = Pairs::open(&place.path("test.jsonl"), &Columns::default(), Labels::Optional).unwrap();
    let answers = predictor.predict(pairs, Reading::Ahead).map(Result::unwrap);
    answers.flat_map(|answer| answer.prediction.probabilities.values().to_vec()).collect()
}

fn close(left: &[f64], right: &[f64], most: f64) {
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        assert!((left - right).abs() < most, "{left} {right}");
    }
}

#[test]
fn every_kind_of_run_keeps_its_head_resumes_bitwise_and_predicts() {
    let place = place();
    type Change = fn(&mut TrainSettings);
    let cases: [(&str, Change, &[&str]); 6] = [
        (
            "adapters",
            |_| {},
            &[
                "README.md",
                "adapter_config.json",
                "adapter_model.safetensors",
                "classifier.json",
                "edit_head.safetensors",
            ],
        ),
        (
            "ist in parts",
            |settings| (settings.method, settings.micro_batch_tokens) = ("ist".into(), 40),
            &[
                "README.md",
                "adapter_config.json",
                "adapter_model.safetensors",
                "classifier.json",
                "edit_head.safetensors",
            ],
        ),
        (
            "bf16, states kept",
            |settings| {
                (settings.precision, settings.cache_states) = (Precision::Bf16, true);
                settings.method = "fixed".into();
                settings.method_options = MethodOptions::of([("layers", "top:3")]);
            },
            &[
                "README.md",
                "adapter_config.json",
                "adapter_model.safetensors",
                "classifier.json",
                "edit_head.safetensors",
            ],
        ),
        (
            "bottleneck",
            |settings| settings.adapter = Adapter::Bottleneck,
            &[
                "README.md",
                "adapter_config.json",
                "bottleneck_model.safetensors",
                "classifier.json",
                "edit_head.safetensors",
            ],
        ),
        (
            "head alone",
            |settings| settings.head_only = true,
            &["README.md", "classifier.json", "head.safetensors"],
        ),
        (
            "weights",
            |settings| (settings.tune, settings.adapter) = (Tune::Weights, Adapter::None),
            &["README.md", "classifier.json", "tuned_weights.safetensors"],
        ),
    ];
    for (name, change, files) in cases {
        let request = |out: &str| {
            place.request(&format!("{name} {out}"), |settings| {
                settings.head = HeadKind::Edit;
                change(settings);
            })
        };
        let whole = request("whole");
        let (summary, _) = finish(&whole);
        let (steps, kept) = traces(&whole.out);
        assert!(steps.iter().all(|(loss, norm, _)| loss.is_finite() && *norm > 0.0), "{name}: {steps:?}");
        assert!(kept.keys().eq(files.iter()), "{name}: {:?}", kept.keys());

        let mut predictor = Predictor::open(
            &whole.out,
            &PredictorOptions { precision: whole.settings.precision, ..options() },
        )
        .unwrap();
        let pairs = Pairs::open(&place.path("test.jsonl"), &Columns::default(), Labels::Required).unwrap();
        let measured = predictor.evaluate(pairs, None).unwrap();
        let test = summary.test.unwrap();
        assert!((measured.loss - test.loss).abs() < 1e-5, "{name}: {} {}", measured.loss, test.loss);
        assert_eq!(measured.metrics.confusion, test.metrics.confusion, "{name}");

        // Without one of its files it would be taken for another model.
        for file in files.iter().filter(|file| file.starts_with("edit") || file.starts_with("classifier")) {
            let path = RunFolder::open(&whole.out).unwrap().model_path(whole.settings.tune).join(file);
            let content = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            let error = Predictor::open(&whole.out, &options()).err().unwrap().to_string();
            assert!(
                error.contains(file) && error.contains("is missing, and the model is not whole"),
                "{error}"
            );
            if file.starts_with("classifier") {
                fs::write(&path, "{}").unwrap();
                let error = Predictor::open(&whole.out, &options()).err().unwrap().to_string();
                assert!(error.contains("classifier.json: it lacks `edit_head`"), "{error}");
            }
            fs::write(&path, content).unwrap();
        }

        let parts = request("parts");
        interrupted(&parts, 3);
        let outcome = resume(&parts.out, &mut crate::recorder::Recorder::default(), &never()).unwrap();
        assert!(matches!(outcome, TrainOutcome::Finished(_)), "{outcome:?}");
        assert_eq!(traces(&parts.out), (steps, kept), "{name}");
    }
}

#[test]
fn a_batch_in_parts_is_the_same_step() {
    let place = place();
    let losses = |out: &str, micro_batch_tokens| {
        let request = place.request(out, |settings| {
            (settings.head, settings.method) = (HeadKind::Edit, "full".into());
            (settings.micro_batch_tokens, settings.max_steps) = (micro_batch_tokens, Some(3));
        });
        finish(&request);
        traces(&request.out).0.into_iter().map(|(loss, ..)| loss).collect::<Vec<_>>()
    };
    close(&losses("whole", 0), &losses("parts", 30), 1e-4);
}

#[test]
fn a_worker_and_a_merged_model_say_the_same() {
    let place = place();
    let request = place.request("run", |settings| settings.head = HeadKind::Edit);
    finish(&request);
    let expected = probabilities(&place, &request.out);

    let worker = Worker::start(Predictor::open(&request.out, &options()).unwrap(), WorkerOptions::default());
    let pairs = Pairs::open(&place.path("test.jsonl"), &Columns::default(), Labels::Optional).unwrap();
    let rows = pairs.map(|pair| pair.map(|pair| Row::new(pair.original, pair.revised)).unwrap()).collect();
    let answers = worker.caller().classify(rows).unwrap();
    worker.finish();
    let said: Vec<f64> =
        answers.iter().flat_map(|answer| answer.prediction.probabilities.values().to_vec()).collect();
    close(&said, &expected, 1e-9);

    let merged = place.path("merged");
    merge(&request.out, &merged, &MergeOptions::default(), &mut |_, _| {}).unwrap();
    close(&probabilities(&place, &merged), &expected, 1e-4);
    let config = fs::read_to_string(merged.join("config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    let class = "LlamaForRevisionClassification";
    assert_eq!(config["architectures"][0], class);
    assert_eq!(config["auto_map"]["AutoModelForSequenceClassification"], format!("modeling_irtune.{class}"));
    let python = fs::read_to_string(merged.join("modeling_irtune.py")).unwrap();
    assert!(python.contains("(\"Revision\", EditHead)") && python.contains("\"Llama\""), "the class's parts");
    assert_eq!(config["edit_head"]["counters"].as_array().unwrap().len(), irtune_data::COUNTERS.len());
}

#[test]
fn a_head_that_reads_other_counters_is_refused() {
    let place = place();
    let request = place.request("run", |settings| {
        (settings.head, settings.max_steps) = (HeadKind::Edit, Some(1));
    });
    finish(&request);
    let path = RunFolder::open(&request.out).unwrap().adapter_path().join("classifier.json");
    let text = fs::read_to_string(&path).unwrap();
    let first = format!("\"{}\"", irtune_data::COUNTERS[0]);
    assert!(text.contains(&first));
    fs::write(&path, text.replacen(&first, "\"moons\"", 1)).unwrap();
    let error = Predictor::open(&request.out, &options()).err().unwrap();
    assert!(matches!(error, PredictorError::Counters { .. }), "{error}");
    assert!(error.to_string().contains("use the version that trained it"), "{error}");
}
