//! From files to a trained model and back, with the real engine on a tiny Llama.

use crate::recorder::Recorder;
use crate::runs::{Place, failure, finish, interrupted, never};
use irtune_data::{Columns, DataError, Labels, Pair, Pairs};
use irtune_metrics::Bootstrap;
use irtune_model::{
    Base, BottleneckActivation, BottleneckPlace, LoraInit, ModelError, Precision, read_adapter, write_adapter,
};
use irtune_select::METHODS;
use irtune_testing::corpus::{WORD_LABELS, Words};
use irtune_testing::golden::tiny_llama;
use irtune_train::{
    Adapter, DataSplit, MethodOptions, Notice, Predictor, PredictorError, PredictorOptions, Reading,
    RunFolder, RunFolderError, StoredFile, StoredSource, TargetModules, TrainError, TrainOutcome,
    TrainRequest, TrainSettings, resume, resume_on, train,
};
use std::fs;
use std::path::{Path, PathBuf};

fn rows(count: usize, first: usize, documents: usize) -> String {
    Words { count, first, documents: Some(documents), labels: &[0, 1, 2] }.rows()
}

fn place() -> Place {
    Place::new(&rows(40, 0, 13), &rows(9, 500, 3))
}

fn pairs(path: &Path, labels: Labels) -> impl Iterator<Item = Result<Pair, DataError>> + use<> {
    Pairs::open(path, &Columns::default(), labels).unwrap()
}

fn adapter(path: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(RunFolder::open(path).unwrap().adapter_path()).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert_eq!(paths.len(), 4, "{paths:?}");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn losses(path: &Path) -> Vec<(f64, f64, Vec<usize>)> {
    let steps = RunFolder::open(path).unwrap().steps().unwrap();
    steps.map(Result::unwrap).map(|step| (step.loss, step.gradient_norm, step.active_layers)).collect()
}

#[test]
fn a_model_is_trained_kept_and_used() {
    let place = place();
    let mut request = place.request("run", |_| {});
    request.settings.epochs = 6;
    let (summary, recorder) = finish(&request);
    let losses: Vec<f64> = recorder.steps.iter().map(|step| step.loss).collect();
    assert!(losses.last().unwrap() < &(losses[0] * 0.7), "{losses:?}");
    assert_eq!(summary.steps, losses.len() as u64);
    assert!(
        summary.layer_steps.iter().all(|&steps| steps > 0),
        "every layer is tried: {:?}",
        summary.layer_steps
    );
    assert!(recorder.notices.iter().any(|notice| matches!(notice, Notice::HeldOut { .. })));
    assert!(place.names().iter().eq(["run", "test.jsonl", "train.jsonl"]));

    let folder = RunFolder::open(&request.out).unwrap();
    let mut written = request.settings.clone();
    written.method_options.complete(&METHODS[0]);
    written.target_modules = Some(TargetModules::Named(written.targets()));
    assert_eq!(folder.settings().unwrap(), written, "with what was left to the method's defaults");
    assert_eq!(
        folder.sources().unwrap().train,
        StoredSource::File(StoredFile::of(&place.path("train.jsonl")).unwrap())
    );
    assert_eq!(folder.labels().unwrap().names(), WORD_LABELS);
    assert_eq!(folder.summary().unwrap().unwrap(), summary);

    // The predictor measures what the run measured at its end.
    let mut predictor = Predictor::open(&request.out, &options()).unwrap();
    let measured = predictor
        .evaluate(pairs(&place.path("test.jsonl"), Labels::Required), Some(&Bootstrap::default()))
        .unwrap();
    let test = summary.test.unwrap();
    assert!((measured.loss - test.loss).abs() < 1e-5, "{} {}", measured.loss, test.loss);
    assert_eq!(measured.metrics.confusion, test.metrics.confusion);
    assert!(measured.metrics.intervals.is_some());

    // Predictions come one for one and in order, whatever the batch.
    let all = |batch_size, reading| {
        let mut predictor =
            Predictor::open(&request.out, &PredictorOptions { batch_size, ..options() }).unwrap();
        let stream = predictor.predict(pairs(&place.path("test.jsonl"), Labels::Optional), reading);
        stream.map(Result::unwrap).collect::<Vec<_>>()
    };
    let (large, small) = (all(16, Reading::Batch), all(2, Reading::Batch));
    assert_eq!(large, all(2, Reading::Ahead), "the order of classifying is no answer's");
    assert_eq!(large.len(), 9);
    for (index, (large, small)) in large.iter().zip(&small).enumerate() {
        assert_eq!(large.place.number(), index + 1);
        let (large, small) = (&large.prediction, &small.prediction);
        assert_eq!(large.id.as_deref(), Some(format!("row{}", 500 + index).as_str()));
        assert_eq!(large.told, small.told);
        let (large, small) = (large.probabilities.values(), small.probabilities.values());
        assert!((large.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (large, small) in large.iter().zip(small) {
            assert!((large - small).abs() < 1e-5);
        }
    }
}

fn options() -> PredictorOptions {
    PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() }
}

#[test]
fn resumed_equals_uninterrupted_bitwise() {
    let place = place();
    for (name, precision, method, options) in [
        ("paper", Precision::F32, "ir", MethodOptions::default()),
        ("published", Precision::Bf16, "ir", MethodOptions::of([("fidelity", "published")])),
        ("full", Precision::F32, "full", MethodOptions::default()),
    ] {
        let request = |out: String| {
            let mut request = place.request(&out, |_| {});
            request.settings.precision = precision;
            request.settings.method_options = options.clone();
            request.settings.method = method.into();
            request
        };
        let whole = request(format!("{name}-whole"));
        let (summary, _) = finish(&whole);
        for step in [1, 3, 5, summary.steps] {
            let parts = request(format!("{name}-{step}"));
            interrupted(&parts, step as usize);
            let outcome = resume(&parts.out, &mut Recorder::default(), &never()).unwrap();
            assert!(matches!(outcome, TrainOutcome::Finished(_)));
            assert_eq!(losses(&parts.out), losses(&whole.out), "{name} {step}");
            assert!(adapter(&parts.out) == adapter(&whole.out), "{name} {step}: another adapter");
        }
    }
}

#[test]
fn every_adapter_trains_resumes_bitwise_and_predicts() {
    let place = place();
    type Kind = (&'static str, fn(&mut TrainSettings));
    let kinds: [Kind; 8] = [
        ("rslora", |settings| settings.rslora = true),
        ("lora-plus", |settings| settings.lora_plus_ratio = 4.0),
        ("pissa", |settings| settings.lora_init = LoraInit::Pissa),
        ("dora", |settings| settings.adapter = Adapter::Dora),
        ("dora-norm", |settings| {
            (settings.adapter, settings.dora_detach_norm) = (Adapter::Dora, false);
        }),
        ("bottleneck", |settings| (settings.adapter, settings.bottleneck_size) = (Adapter::Bottleneck, 8)),
        ("serial", |settings| {
            (settings.adapter, settings.bottleneck_size) = (Adapter::Bottleneck, 8);
            (settings.bottleneck_activation, settings.bottleneck_place) =
                (BottleneckActivation::Gelu, BottleneckPlace::Serial);
        }),
        ("ia3", |settings| settings.adapter = Adapter::Ia3),
    ];
    for (name, change) in kinds {
        let request = |part: &str| {
            let mut request = place.request(&format!("{name}-{part}"), |_| {});
            // IST weakens adapters, so that every kind is weakened too.
            request.settings.method = "ist".into();
            request.settings.method_options = MethodOptions::of([("interval", "2")]);
            change(&mut request.settings);
            request
        };
        let whole = request("whole");
        let (summary, _) = finish(&whole);
        let parts = request("parts");
        interrupted(&parts, 3);
        resume(&parts.out, &mut Recorder::default(), &never()).unwrap();
        assert_eq!(losses(&parts.out), losses(&whole.out), "{name}");
        assert!(adapter(&parts.out) == adapter(&whole.out), "{name}: another adapter");

        let mut predictor = Predictor::open(&whole.out, &options()).unwrap();
        let measured = predictor.evaluate(pairs(&place.path("test.jsonl"), Labels::Required), None).unwrap();
        let test = summary.test.unwrap();
        assert!((measured.loss - test.loss).abs() < 1e-5, "{name}: {} {}", measured.loss, test.loss);
    }
}

#[test]
fn every_method_trains_and_resumes_bitwise_in_the_middle() {
    let place = place();
    let defaults = METHODS.iter().map(|method| (method.name, MethodOptions::default()));
    let more = [
        ("ir", MethodOptions::of([("metric", "cosine")])),
        ("ir", MethodOptions::of([("metric", "weight")])),
        ("ir", MethodOptions::of([("settle", "2")])),
        ("ist", MethodOptions::of([("interval", "2")])),
        ("lisa", MethodOptions::of([("interval", "2"), ("optimizer_state", "reset")])),
        ("badam", MethodOptions::of([("interval", "2")])),
    ];
    for (number, (method, options)) in defaults.chain(more).enumerate() {
        let request = |part: &str| {
            let mut request = place.request(&format!("{number}-{part}"), |_| {});
            request.settings.precision = Precision::F32;
            request.settings.method = method.into();
            request.settings.method_options = options.clone();
            request
        };
        let whole = request("whole");
        finish(&whole);
        let parts = request("parts");
        interrupted(&parts, 3);
        resume(&parts.out, &mut Recorder::default(), &never()).unwrap();
        assert_eq!(losses(&parts.out), losses(&whole.out), "{method} {options:?}");
        assert!(adapter(&parts.out) == adapter(&whole.out), "{method} {options:?}: another adapter");
        // Everything about the method is written down.
        let written = RunFolder::open(&whole.out).unwrap().settings().unwrap().method_options;
        let known = irtune_select::method(method).unwrap().options;
        assert_eq!(written.as_map().len(), known.len(), "{method}");
        assert!(options.as_map().iter().all(|(name, value)| written.get(name) == Some(value)));
    }
}

#[test]
fn kept_hidden_states_change_nothing_and_want_layers_below() {
    let place = place();
    let request = |out: &str, layers: &str| {
        let mut request = place.request(out, |_| {});
        request.settings.precision = Precision::F32;
        request.settings.method = "fixed".into();
        request.settings.method_options = MethodOptions::of([("layers", layers)]);
        request
    };
    let plain = request("plain", "top:1");
    finish(&plain);
    let mut cached = request("cached", "top:1");
    cached.settings.cache_states = true;
    finish(&cached);
    assert_eq!(losses(&cached.out), losses(&plain.out));
    assert!(adapter(&cached.out) == adapter(&plain.out));

    let mut all = request("all", "bottom:1");
    all.settings.cache_states = true;
    let error = train(&all, &mut Recorder::default(), &never()).unwrap_err();
    assert!(matches!(error, TrainError::NothingToCache { method: "fixed" }), "{error}");
    assert!(!all.out.exists(), "a request that can't be met leaves nothing behind");
}

#[test]
fn accumulated_equals_the_big_batch() {
    let place = place();
    let trained = |out: &str, batch_size, gradient_accumulation| {
        let mut request = place.request(out, |_| {});
        request.settings.batch_size = batch_size;
        request.settings.gradient_accumulation = gradient_accumulation;
        finish(&request);
        losses(&request.out)
    };
    let whole = trained("whole", 8, 1);
    for (whole, parts) in whole.iter().zip(&trained("parts", 2, 4)) {
        assert!((whole.0 - parts.0).abs() < 1e-3 * whole.0, "{} {}", whole.0, parts.0);
        assert_eq!(whole.2, parts.2);
    }
    let (first, parts) = (&whole[0], &trained("ones", 1, 8)[0]);
    assert!((first.0 - parts.0).abs() < 1e-5 * first.0, "{} {}", first.0, parts.0);
    assert!((first.1 - parts.1).abs() < 1e-4 * first.1, "{} {}", first.1, parts.1);
}

#[test]
fn what_cannot_be_met_leaves_nothing_behind() {
    let place = place();
    let before = place.names();
    let refuse = |change: &dyn Fn(&mut TrainRequest), expected: &[&str]| {
        let mut request = place.request("run", |_| {});
        change(&mut request);
        let message = failure(&request).to_string();
        for expected in expected {
            assert!(message.contains(expected), "{message}");
        }
        assert_eq!(place.names(), before);
    };
    refuse(
        &|request| (request.settings.rank, request.settings.learning_rate) = (0, -1.0),
        &["rank: 0 is not possible; use 1 to ", "learning_rate: -1 is not possible"],
    );
    refuse(&|request| request.base = "nowhere".into(), &["there is no base at ", "nowhere"]);
    refuse(&|request| request.train = "nowhere.jsonl".into(), &["nowhere.jsonl: cannot be opened"]);
    refuse(&|request| request.settings.prompt = "nowhere.txt".into(), &["nowhere.txt"]);
    refuse(&|request| request.settings.max_length = 2, &["max_length"]);
    refuse(&|request| request.out = place.path("train.jsonl"), &["train.jsonl is there and is no folder"]);
    refuse(&|request| request.out = place.path("train.jsonl").join("run"), &["train.jsonl"]);
}

#[test]
fn an_unknown_label_in_the_test_pairs_is_named() {
    let place = place();
    fs::write(place.path("test.jsonl"), rows(2, 0, 1).replace("fluency", "fluence")).unwrap();
    let error = failure(&place.request("run", |_| {}));
    assert!(matches!(error, TrainError::Data(DataError::UnknownLabel { .. })), "{error}");
    assert!(error.to_string().contains("test.jsonl:2"), "{error}");
    assert!(!place.path("run").exists());
}

#[test]
fn long_pairs_and_dropped_rows_are_told() {
    let place = place();
    let mut request = place.request("run", |_| {});
    for path in ["train.jsonl", "test.jsonl"].map(|name| place.path(name)) {
        let rows = fs::read_to_string(&path).unwrap();
        fs::write(
            path,
            rows.replace(r#""original":""#, r#""original":"w3 w4 w5 w6 w7 w8 w9 w3 w4 w5 w6 w7 "#),
        )
        .unwrap();
    }
    request.columns.drop_labels = vec!["style".into()];
    request.settings.max_length = 18;
    request.settings.max_steps = Some(2);
    let (_, recorder) = finish(&request);
    let shortened = |notice: &&Notice| matches!(notice, Notice::Shortened { max_length: 18, .. });
    assert_eq!(recorder.notices.iter().filter(shortened).count(), 3, "{:?}", recorder.notices);
    let dropped = Notice::Dropped { split: DataSplit::Train, rows: 13 };
    assert!(recorder.notices.contains(&dropped), "{:?}", recorder.notices);
    assert_eq!(RunFolder::open(&request.out).unwrap().labels().unwrap().names(), ["clarity", "fluency"]);
}

#[test]
fn each_reason_not_to_resume_has_its_error() {
    let place = place();
    let request = place.request("run", |_| {});
    interrupted(&request, 4);
    let again = || resume(&request.out, &mut Recorder::default(), &never());
    let message = || again().unwrap_err().to_string();

    let whole = fs::read(place.path("train.jsonl")).unwrap();
    fs::write(place.path("train.jsonl"), rows(40, 1, 13)).unwrap();
    assert!(matches!(again(), Err(TrainError::DataChanged { split: DataSplit::Train, .. })));
    assert!(message().contains("the training pairs are not those the run was begun with; restore "));
    fs::write(place.path("train.jsonl"), whole).unwrap();

    let sources = request.out.join("sources.json");
    let whole = fs::read_to_string(&sources).unwrap();
    fs::write(&sources, whole.replace("six_layers", "three_layers")).unwrap();
    assert!(matches!(again(), Err(TrainError::OtherBase(_))), "{}", message());
    fs::write(&sources, whole).unwrap();

    let best = fs::read_dir(request.out.join("checkpoints")).unwrap().map(|entry| entry.unwrap().path());
    let best = best.into_iter().find(|path| path.is_file()).expect("the stored best model");
    let whole = fs::read(&best).unwrap();
    fs::write(&best, &whole[1..]).unwrap();
    assert!(matches!(again(), Err(TrainError::Best { .. })), "{}", message());
    fs::write(&best, whole).unwrap();

    let state = request.out.join("checkpoints/step-00000004/state.json");
    let whole = fs::read(&state).unwrap();
    fs::write(&state, "{}").unwrap();
    assert!(matches!(again(), Err(TrainError::Checkpoint(_))), "{}", message());
    fs::write(&state, whole).unwrap();

    let metrics = request.out.join("metrics.jsonl");
    let whole = fs::read(&metrics).unwrap();
    fs::write(&metrics, "").unwrap();
    assert!(matches!(again(), Err(TrainError::Log { .. })), "{}", message());
    assert!(message().contains("metrics.jsonl: 0 bytes are there, "), "{}", message());
    fs::write(&metrics, whole).unwrap();

    again().unwrap();
    assert!(matches!(again(), Err(TrainError::Finished { .. })));
    assert!(message().contains("is finished; train into another folder"));
    let error = resume(&place.path("none"), &mut Recorder::default(), &never()).unwrap_err();
    assert!(matches!(error, TrainError::Folder(_)), "{error}");
}

#[test]
fn a_run_without_a_checkpoint_begins_anew() {
    let place = place();
    let (whole, request) = (place.request("whole", |_| {}), place.request("run", |_| {}));
    finish(&whole);
    interrupted(&request, 3);
    fs::remove_dir_all(request.out.join("checkpoints")).unwrap();
    resume(&request.out, &mut Recorder::default(), &never()).unwrap();
    assert_eq!(losses(&request.out), losses(&whole.out));
    assert!(adapter(&request.out) == adapter(&whole.out));
}

#[test]
fn each_reason_not_to_predict_has_its_error() {
    let place = place();
    let mut request = place.request("run", |_| {});
    request.settings.max_steps = Some(3);
    interrupted(&request, 1);
    let open = |options: &PredictorOptions| Predictor::open(&request.out, options).err().expect("an error");
    let error = open(&options());
    assert!(matches!(error, PredictorError::NoModel { .. }), "{error}");
    assert!(error.to_string().ends_with("has no model yet; continue it with --resume"), "{error}");
    resume(&request.out, &mut Recorder::default(), &never()).unwrap();

    let error = open(&PredictorOptions { base: Some(tiny_llama("three_layers")), ..options() });
    assert!(matches!(error, PredictorError::OtherBase(_)), "{error}");
    let error = open(&PredictorOptions { base: Some("nowhere".into()), ..options() });
    assert!(matches!(error, PredictorError::Model(_)), "{error}");
    let error = Predictor::open(&place.path("none"), &options()).err().unwrap();
    assert!(matches!(error, PredictorError::Folder(_)), "{error}");

    let mut predictor = Predictor::open(&request.out, &options()).unwrap();
    let error = predictor.evaluate(std::iter::empty(), None).unwrap_err();
    assert!(matches!(error, PredictorError::Metrics(_)), "{error}");

    // A pair that can't be read ends the stream after the predictions before it.
    fs::write(place.path("broken.jsonl"), rows(3, 0, 1) + "{broken\n" + &rows(3, 0, 1)).unwrap();
    for reading in [Reading::Batch, Reading::Ahead] {
        let stream = predictor.predict(pairs(&place.path("broken.jsonl"), Labels::Optional), reading);
        let found: Vec<_> = stream.collect();
        assert_eq!(found.len(), 4);
        assert!(found[..3].iter().all(Result::is_ok));
        assert!(matches!(found[3], Err(PredictorError::Data(_))));
    }

    let base = Base::open(&tiny_llama("six_layers")).unwrap();
    let folder = RunFolder::open(&request.out).unwrap().adapter_path();
    let mut diverged = read_adapter(&folder, &base.config).unwrap();
    diverged.tensors.last_mut().unwrap().data[0] = f32::NAN;
    let names = WORD_LABELS.map(str::to_owned);
    // The card says what another adapter is.
    fs::remove_file(folder.join("README.md")).unwrap();
    write_adapter(&folder, &diverged.adapter, &base.config, "tiny", &names, &diverged.tensors).unwrap();
    let mut predictor = Predictor::open(&request.out, &options()).unwrap();
    let mut stream = predictor.predict(pairs(&place.path("test.jsonl"), Labels::Optional), Reading::Batch);
    let error = stream.next().unwrap().unwrap_err();
    assert!(matches!(error, PredictorError::NotFinite { ref place } if place.number() == 1), "{error}");
    assert!(stream.next().is_none());

    let labels = request.out.join("labels.json");
    fs::write(&labels, r#"["clarity", "fluency"]"#).unwrap();
    let error = open(&options());
    let named =
        matches!(&error, PredictorError::Folder(RunFolderError::LabelNames { run, .. }) if run.len() == 2);
    assert!(named, "{error}");
}

#[cfg(unix)]
#[test]
fn a_run_is_continued_by_one_process_at_a_time() {
    let place = place();
    let request = place.request("run", |_| {});
    interrupted(&request, 2);
    let again = || resume(&request.out, &mut Recorder::default(), &never());
    let lock = RunFolder::open(&request.out).unwrap().lock().unwrap();
    let error = again().unwrap_err().to_string();
    assert!(error.starts_with("another process is training in") && error.ends_with("or stop it"), "{error}");
    drop(lock);
    again().unwrap();
}

#[test]
fn a_base_that_moved_can_be_named() {
    let place = place();
    let copy = place.path("base");
    fs::create_dir(&copy).unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(tiny_llama("six_layers").join(name), copy.join(name)).unwrap();
    }
    let request = place.request("run", |settings| settings.max_steps = Some(4));
    finish(&request);
    let mut begun = place.request("begun", |settings| settings.max_steps = Some(4));
    begun.base = copy.clone();
    interrupted(&begun, 2);
    let copy = place.path("elsewhere");
    fs::rename(&begun.base, &copy).unwrap();
    let mut recorder = Recorder::default();
    let gone = resume(&begun.out, &mut recorder, &never()).unwrap_err();
    assert!(matches!(gone, TrainError::Model(ModelError::Base(_))), "{gone}");
    let other = resume_on(&begun.out, Some(&tiny_llama("three_layers")), &mut recorder, &never());
    assert!(matches!(other, Err(TrainError::OtherBase(_))));
    resume_on(&begun.out, Some(&copy), &mut recorder, &never()).unwrap();
    assert_eq!(losses(&begun.out), losses(&request.out));
    let mut moved =
        Predictor::open(&request.out, &PredictorOptions { base: Some(copy), ..options() }).unwrap();
    let mut stayed = Predictor::open(&request.out, &options()).unwrap();
    let all = |predictor: &mut Predictor| {
        let stream = predictor.predict(pairs(&place.path("test.jsonl"), Labels::Optional), Reading::Batch);
        stream.map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(all(&mut moved), all(&mut stayed));
}
