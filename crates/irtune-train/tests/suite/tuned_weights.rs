//! Runs that train the layers' own weights, and merging: with the real engine on a tiny Llama.

use crate::recorder::Recorder;
use crate::runs::{Place, finish, interrupted, never};
use irtune_data::{Columns, DataError, Labels, Pair, Pairs};
use irtune_model::{Base, LoraInit, MergedType, Precision, TunedWeights, read_tuned_weights};
use irtune_select::METHODS;
use irtune_testing::corpus::{WORD_LABELS, Words};
use irtune_testing::golden::tiny_llama;
use irtune_train::{
    Adapter, MergeOptions, MergeRunError, MethodOptions, Prediction, Predictor, PredictorError,
    PredictorOptions, Reading, RunFolder, TrainError, TrainRequest, TrainSettings, Tune, merge, resume,
    train,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const LAYERS: usize = 6;

fn place() -> Place {
    let words = Words { count: 32, first: 0, documents: None, labels: &[0, 1, 2] };
    Place::new(&words.rows(), &Words { count: 9, first: 500, ..words }.rows())
}

fn request(place: &Place, out: &str, method: &str, options: &MethodOptions) -> TrainRequest {
    place.request(out, |settings| {
        settings.method = method.into();
        settings.method_options = options.clone();
        settings.tune = Tune::Weights;
        settings.adapter = Adapter::None;
        settings.learning_rate = 0.003;
    })
}

fn predictions(place: &Place, run: &Path) -> Vec<Prediction> {
    let mut predictor = Predictor::open(run, &options()).unwrap();
    let answers = predictor.predict(pairs(place, Labels::Optional), Reading::Batch);
    answers.map(|answer| answer.unwrap().prediction).collect()
}

fn pairs(place: &Place, labels: Labels) -> impl Iterator<Item = Result<Pair, DataError>> + use<> {
    Pairs::open(&place.path("test.jsonl"), &Columns::default(), labels).unwrap()
}

fn options() -> PredictorOptions {
    PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() }
}

fn steps(path: &Path) -> Vec<(f64, f64, Vec<usize>)> {
    let steps = RunFolder::open(path).unwrap().steps().unwrap();
    steps.map(Result::unwrap).map(|step| (step.loss, step.gradient_norm, step.active_layers)).collect()
}

fn tuned(path: &Path) -> TunedWeights {
    let base = Base::open(&tiny_llama("six_layers")).unwrap();
    read_tuned_weights(&path.join("weights"), &base.config).unwrap()
}

#[test]
fn a_model_is_trained_kept_and_used() {
    let place = place();
    let mut request = request(&place, "run", "full", &MethodOptions::default());
    request.settings.epochs = 6;
    let (summary, recorder) = finish(&request);
    let losses: Vec<f64> = recorder.steps.iter().map(|step| step.loss).collect();
    assert!(losses.last().unwrap() < &(losses[0] * 0.7), "{losses:?}");
    assert!(!request.out.join("adapter").exists() && !request.out.join("checkpoints").exists());
    assert_eq!(RunFolder::open(&request.out).unwrap().settings().unwrap().tune, Tune::Weights);
    let kept = tuned(&request.out);
    assert_eq!(kept.labels.as_deref(), Some(&WORD_LABELS.map(str::to_owned)[..]));
    assert_eq!(kept.layers, (0..LAYERS).collect::<Vec<_>>());
    assert_eq!(summary.parameters, kept.tensors.iter().map(|tensor| tensor.data.len()).sum::<usize>());

    let mut predictor = Predictor::open(&request.out, &options()).unwrap();
    let measured = predictor.evaluate(pairs(&place, Labels::Required), None).unwrap();
    let test = summary.test.unwrap();
    assert!((measured.loss - test.loss).abs() < 1e-5, "{} {}", measured.loss, test.loss);
    assert_eq!(measured.metrics.confusion, test.metrics.confusion);
}

#[test]
fn every_method_that_needs_no_adapters_trains_and_resumes_bitwise() {
    let place = place();
    let methods = METHODS.iter().map(|method| (method.name, MethodOptions::default()));
    let more = [
        ("lisa", MethodOptions::of([("interval", "2")])),
        ("lisa", MethodOptions::of([("interval", "2"), ("optimizer_state", "reset")])),
        ("badam", MethodOptions::of([("interval", "2")])),
        ("ir", MethodOptions::of([("fidelity", "published")])),
    ];
    for (number, (method, options)) in methods.chain(more).enumerate() {
        let request = |part: &str| request(&place, &format!("{number}-{part}"), method, &options);
        let whole = request("whole");
        if method == "ist" {
            let error = train(&whole, &mut Recorder::default(), &never()).unwrap_err();
            assert!(matches!(error, TrainError::Settings { .. }), "{error}");
            assert!(error.to_string().contains("`ist` needs adapters"), "{error}");
            continue;
        }
        finish(&whole);
        let parts = request("parts");
        interrupted(&parts, 3);
        // A checkpoint holds the layers that have trained, and no others.
        let trained: BTreeSet<usize> =
            steps(&parts.out).into_iter().flat_map(|(_, _, active)| active).collect();
        let checkpoint = parts.out.join("checkpoints/step-00000003/parameters.safetensors");
        let bytes = fs::read(checkpoint).unwrap();
        let stored = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let layer = |name: &str| name.split('.').nth(2).and_then(|layer| layer.parse().ok());
        let stored: BTreeSet<usize> = stored.names().into_iter().filter_map(layer).collect();
        assert_eq!(stored, trained, "{method}");

        resume(&parts.out, &mut Recorder::default(), &never()).unwrap();
        assert_eq!(steps(&parts.out), steps(&whole.out), "{method} {options:?}");
        let file = |run: &Path| fs::read(run.join("weights/tuned_weights.safetensors")).unwrap();
        assert!(file(&parts.out) == file(&whole.out), "{method} {options:?}: other weights");
        let best = RunFolder::open(&whole.out).unwrap().summary().unwrap().unwrap().best_step as usize;
        let trained: BTreeSet<usize> =
            steps(&whole.out).into_iter().take(best).flat_map(|(_, _, active)| active).collect();
        assert_eq!(tuned(&whole.out).layers, trained.into_iter().collect::<Vec<_>>(), "{method}");
    }
}

#[test]
fn a_limit_of_memory_and_kept_hidden_states_change_nothing() {
    let place = place();
    let top = MethodOptions::of([("layers", "top:2")]);
    let plain = request(&place, "plain", "fixed", &top);
    finish(&plain);
    let mut limited = request(&place, "limited", "fixed", &top);
    limited.settings.memory = Some("1MB".parse().unwrap());
    let error = train(&limited, &mut Recorder::default(), &never()).unwrap_err();
    assert!(error.to_string().starts_with("training needs at least "), "{error}");
    limited.settings.memory = Some("52MB".parse().unwrap());
    finish(&limited);
    let mut cached = request(&place, "cached", "fixed", &top);
    cached.settings.cache_states = true;
    finish(&cached);
    for other in [&limited, &cached] {
        assert_eq!(steps(&other.out), steps(&plain.out));
        assert_eq!(tuned(&other.out), tuned(&plain.out));
    }
}

#[test]
fn a_merged_run_says_what_the_run_says() {
    let place = place();
    type Change = fn(&mut TrainSettings);
    let cases: [(&str, Change); 6] = [
        ("weights", |_| {}),
        ("lora", |settings| (settings.tune, settings.adapter) = (Tune::Adapters, Adapter::Lora)),
        ("pissa", |settings| {
            (settings.tune, settings.adapter) = (Tune::Adapters, Adapter::Lora);
            settings.lora_init = LoraInit::Pissa;
        }),
        ("dora", |settings| (settings.tune, settings.adapter) = (Tune::Adapters, Adapter::Dora)),
        ("ia3", |settings| (settings.tune, settings.adapter) = (Tune::Adapters, Adapter::Ia3)),
        ("head", |settings| (settings.tune, settings.head_only) = (Tune::Adapters, true)),
    ];
    for (name, change) in cases {
        let mut request = request(&place, &format!("run-{name}"), "lisa", &MethodOptions::default());
        change(&mut request.settings);
        request.settings.rank = 4;
        request.settings.learning_rate = 0.01;
        finish(&request);
        let expected = predictions(&place, &request.out);
        for stored in [MergedType::F32, MergedType::Bf16] {
            let out = place.path(&format!("merged-{name}-{stored}"));
            let mut told = Vec::new();
            let outcome = merge(&request.out, &out, &MergeOptions { base: None, stored }, &mut |done, of| {
                told.push((done, of));
            })
            .unwrap();
            assert_eq!(outcome.merged.tensors, 9 * LAYERS + 3);
            assert_eq!(told.last(), Some(&(outcome.merged.bytes, outcome.merged.bytes)));
            let found = predictions(&place, &out);
            let limit = if stored == MergedType::F32 { 1e-5 } else { 0.05 };
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                for (found, expected) in
                    found.probabilities.values().iter().zip(expected.probabilities.values())
                {
                    assert!((found - expected).abs() < limit, "{name} {stored}: {found} {expected}");
                }
            }
        }
    }
    assert!(place.names().iter().all(|name| !name.starts_with('.')), "{:?}", place.names());
}

#[test]
fn a_bottleneck_is_not_merged() {
    let place = place();
    let mut request = request(&place, "run", "lisa", &MethodOptions::default());
    (request.settings.tune, request.settings.adapter) = (Tune::Adapters, Adapter::Bottleneck);
    request.settings.max_steps = Some(1);
    finish(&request);
    let before = place.names();
    let error = merge(&request.out, &place.path("merged"), &MergeOptions::default(), &mut |_, _| {});
    let message = error.unwrap_err().to_string();
    assert!(message.contains("can't be merged into the base: a bottleneck's activation"), "{message}");
    assert_eq!(place.names(), before);
}

#[test]
fn each_reason_not_to_merge_has_its_error_and_leaves_nothing() {
    let place = place();
    let mut request = request(&place, "run", "full", &MethodOptions::default());
    request.settings.max_steps = Some(3);
    interrupted(&request, 1);
    let before = place.names();
    let out = place.path("merged");
    let merged = |out: &Path, base: Option<PathBuf>| {
        let options = MergeOptions { base, stored: MergedType::F32 };
        merge(&request.out, out, &options, &mut |_, _| {})
    };
    let error = merged(&out, None).unwrap_err();
    assert!(matches!(error, MergeRunError::NoModel { .. }), "{error}");
    resume(&request.out, &mut Recorder::default(), &never()).unwrap();
    let error = merged(&request.out, None).unwrap_err();
    assert!(matches!(error, MergeRunError::Exists { .. }), "{error}");
    let error = merged(&out, Some(tiny_llama("three_layers"))).unwrap_err();
    assert!(matches!(error, MergeRunError::OtherBase(_)), "{error}");
    let error = merged(&out, Some("nowhere".into())).unwrap_err();
    assert!(matches!(error, MergeRunError::Model(_)), "{error}");
    let too_long = place.path(&"x".repeat(250));
    let error = merged(&too_long, None).unwrap_err();
    assert!(matches!(error, MergeRunError::Write { .. }), "{error}");
    let error = merge(&place.path("none"), &out, &MergeOptions::default(), &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, MergeRunError::Folder(_)), "{error}");
    assert_eq!(place.names(), before);

    merged(&out, None).unwrap();
    let open = |options: &PredictorOptions| Predictor::open(&out, options).err().expect("an error");
    let error = open(&PredictorOptions { base: Some(tiny_llama("six_layers")), ..options() });
    assert!(matches!(error, PredictorError::WholeModel { .. }), "{error}");
    let known = fs::read_to_string(out.join("irtune.json")).unwrap();
    fs::write(out.join("irtune.json"), known.replace("\"clarity\",", "")).unwrap();
    let error = open(&options());
    assert!(matches!(error, PredictorError::Labels { model: 3, run: 2, .. }), "{error}");
    fs::write(out.join("irtune.json"), "{").unwrap();
    let error = open(&options());
    assert!(matches!(error, PredictorError::Folder(_)), "{error}");
}
