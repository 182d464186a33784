//! What can be set about a training run beyond its method: loss, head, subsets, cross-validation, kept states.

use crate::recorder::Recorder;
use crate::runs::{Place, failure, finish, interrupted, never};
use irtune_data::{Columns, DataError, Labels, Pairs};
use irtune_model::{Precision, read_head};
use irtune_testing::corpus::Words;
use irtune_train::{
    ClassWeights, ClassWeightsError, Fold, FoldsError, FoldsOutcome, FoldsSummary, MethodOptions, Notice,
    Predictor, PredictorOptions, RunFolder, TrainError, TrainRequest, TrainSettings, cross_validate, resume,
    resume_cross_validation,
};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Half of the pairs are `style`, a third `fluency`, the rest `clarity`.
fn place() -> Place {
    let words = Words { count: 42, first: 0, documents: Some(13), labels: &[2, 1, 2, 0, 2, 1] };
    Place::new(&words.rows(), &Words { count: 12, first: 500, documents: Some(4), ..words }.rows())
}

/// That nothing but the data is there.
fn is_untouched(place: &Place) {
    assert!(place.names().iter().eq(["test.jsonl", "train.jsonl"]), "{:?}", place.names());
}

/// The same run, interrupted after some steps and resumed.
fn finish_in_parts(request: &TrainRequest, steps: usize) {
    interrupted(request, steps);
    resume(&request.out, &mut Recorder::default(), &never()).unwrap();
}

/// Everything that two equal runs have alike.
#[allow(clippy::type_complexity, reason = "used here only, and a name would say no more")]
fn traces(path: &Path) -> (Vec<(f64, f64, Vec<usize>)>, Vec<Vec<u8>>, Vec<f64>) {
    let run = RunFolder::open(path).unwrap();
    let steps = run.steps().unwrap().map(Result::unwrap);
    let steps = steps.map(|step| (step.loss, step.gradient_norm, step.active_layers)).collect();
    let mut files: Vec<PathBuf> =
        fs::read_dir(run.adapter_path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let adapter = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let evaluations = run.evaluations().unwrap().map(|evaluation| evaluation.unwrap().loss).collect();
    (steps, adapter, evaluations)
}

fn weights(weights: &[(&str, f64)]) -> ClassWeights {
    ClassWeights::Given(weights.iter().map(|(label, weight)| ((*label).to_owned(), *weight)).collect())
}

#[test]
fn accumulated_equals_the_big_batch_with_weights_and_smoothing() {
    let place = place();
    let trained = |out: &str, batch_size, gradient_accumulation| {
        let request = place.request(out, |settings| {
            settings.batch_size = batch_size;
            settings.gradient_accumulation = gradient_accumulation;
            settings.class_weights = weights(&[("clarity", 4.0), ("fluency", 0.5), ("style", 1.5)]);
            settings.label_smoothing = 0.2;
        });
        finish(&request);
        traces(&request.out).0
    };
    let (whole, parts) = (trained("whole", 8, 1), trained("parts", 2, 4));
    for (whole, parts) in whole.iter().zip(&parts) {
        assert!((whole.0 - parts.0).abs() < 1e-3 * whole.0, "{} {}", whole.0, parts.0);
    }
    assert!((whole[0].0 - parts[0].0).abs() < 1e-5 * whole[0].0, "{} {}", whole[0].0, parts[0].0);
    assert!((whole[0].1 - parts[0].1).abs() < 1e-4 * whole[0].1, "{} {}", whole[0].1, parts[0].1);
}

#[test]
fn class_weights_of_a_file_are_kept_with_the_run_and_make_it_again() {
    let place = place();
    let file = place.path("weights.json");
    fs::write(&file, r#"{"clarity": 3, "fluency": 1.5, "style": 0.75}"#).unwrap();
    let plain = place.request("plain", |_| {});
    finish(&plain);
    let request =
        place.request("first", |settings| settings.class_weights = ClassWeights::File(file.clone()));
    let (_, recorder) = finish(&request);
    assert_ne!(traces(&request.out), traces(&plain.out));
    let told = |notice: &&Notice| matches!(notice, Notice::ClassWeights { weights } if weights[0] == ("clarity".to_owned(), 3.0));
    assert_eq!(recorder.notices.iter().filter(told).count(), 1, "{:?}", recorder.notices);

    fs::remove_file(&file).unwrap();
    let kept = RunFolder::open(&request.out).unwrap().settings().unwrap();
    assert_eq!(kept.class_weights, weights(&[("clarity", 3.0), ("fluency", 1.5), ("style", 0.75)]));
    let again = place.request("again", |settings| *settings = kept.clone());
    finish(&again);
    assert_eq!(traces(&again.out), traces(&request.out));
    let parts = place.request("parts", |settings| *settings = kept);
    finish_in_parts(&parts, 3);
    assert_eq!(traces(&parts.out), traces(&request.out));
}

#[test]
fn balanced_weights_come_from_the_examples_that_are_trained_on() {
    let place = place();
    let request = |out: &str| {
        place.request(out, |settings| {
            settings.class_weights = ClassWeights::Balanced;
            settings.train_size = Some(12);
            settings.label_smoothing = 0.1;
        })
    };
    let (_, recorder) = finish(&request("whole"));
    let found = recorder.notices.iter().find_map(|notice| match notice {
        Notice::ClassWeights { weights } => Some(weights.clone()),
        _ => None,
    });
    // Two of clarity, four of fluency, six of style.
    let expected = [("clarity", 2.0), ("fluency", 1.0), ("style", 12.0 / 18.0)];
    assert_eq!(found.unwrap(), expected.map(|(label, weight)| (label.to_owned(), weight)));
    finish_in_parts(&request("parts"), 2);
    assert_eq!(traces(&place.path("parts")), traces(&place.path("whole")));
}

/// The same rows, in which each of three annotators has a say: two of the label, one of another.
fn annotated(rows: &str) -> String {
    let row = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        let label = row["label"].take();
        let other = if label == "style" { "clarity" } else { "style" };
        row["raw"] = json!([label, other, label]);
        format!("{row}\n")
    };
    rows.lines().map(row).collect()
}

#[test]
fn soft_labels_are_learned_and_resumed() {
    let plain = place();
    let [train, test] =
        ["train.jsonl", "test.jsonl"].map(|name| fs::read_to_string(plain.path(name)).unwrap());
    let place = Place::new(&annotated(&train), &annotated(&test));
    let request = |out: &str, soft_labels| TrainRequest {
        columns: Columns { label: Some("raw".to_owned()), ..Columns::default() },
        ..place.request(out, |settings| settings.soft_labels = soft_labels)
    };
    let tested = |request: &TrainRequest| finish(request).0.test.map(|evaluation| evaluation.metrics);
    let of_lists = tested(&request("hard", false));
    assert_eq!(of_lists, tested(&plain.request("plain", |_| ())), "the majority is the label");
    finish(&request("soft", true));
    let first_loss = |place: &Place, out: &str| traces(&place.path(out)).0[0].0;
    assert_eq!(first_loss(&place, "hard"), first_loss(&plain, "plain"));
    assert_ne!(first_loss(&place, "soft"), first_loss(&place, "hard"));
    finish_in_parts(&request("parts", true), 2);
    assert_eq!(traces(&place.path("parts")), traces(&place.path("soft")));

    let error = failure(&plain.request("refused", |settings| settings.soft_labels = true));
    assert!(matches!(error, TrainError::Data(DataError::NoVotes { .. })), "{error}");
}

#[test]
fn options_that_do_not_fit_the_data_leave_nothing_behind() {
    let place = place();
    let refused = |change: fn(&mut TrainSettings)| failure(&place.request("run", change));
    let error = refused(|settings| settings.class_weights = weights(&[("clearness", 1.0)]));
    assert!(matches!(error, TrainError::ClassWeights(ClassWeightsError::UnknownLabel { .. })), "{error}");
    let error = refused(|settings| settings.class_weights = ClassWeights::File("nowhere.json".into()));
    assert!(matches!(error, TrainError::ClassWeights(ClassWeightsError::Read { .. })), "{error}");
    let error = refused(|settings| {
        (settings.class_weights, settings.train_size) = (ClassWeights::Balanced, Some(2));
    });
    assert!(matches!(error, TrainError::ClassWeights(ClassWeightsError::NoExample { .. })), "{error}");
    let error = refused(|settings| settings.train_size = Some(1000));
    assert!(matches!(error, TrainError::Data(DataError::SubsetSize { size: 1000, .. })), "{error}");
    let error = refused(|settings| settings.fold = Fold::new(1, 2));
    assert!(matches!(error, TrainError::FoldAndTest { .. }), "{error}");
    let mut request = place.request("run", |settings| settings.fold = Fold::new(1, 14));
    request.test = None;
    let error = failure(&request);
    assert!(matches!(error, TrainError::Data(DataError::FewGroups { groups: 13, .. })), "{error}");
    is_untouched(&place);
}

#[test]
fn a_head_alone_is_trained_kept_and_used() {
    let place = place();
    let request =
        |out: &str| place.request(out, |settings| (settings.head_only, settings.epochs) = (true, 6));
    let whole = request("whole");
    let (summary, _) = finish(&whole);
    assert_eq!((summary.method.as_str(), &summary.layer_steps), ("head_only", &vec![0; 6]));
    let (steps, adapter, _) = traces(&whole.out);
    assert!(steps.last().unwrap().0 < steps[0].0 * 0.9, "{steps:?}");
    assert!(steps.iter().all(|(_, _, layers)| layers.is_empty()));
    assert_eq!(adapter.len(), 3, "a head, the classifier's configuration and the model card");
    assert_eq!(summary.parameters, 3 * 32, "numbers of a head");

    let folder = RunFolder::open(&whole.out).unwrap();
    let base = irtune_model::Base::open(&whole.base).unwrap();
    let head = read_head(&folder.adapter_path(), &base.config).unwrap();
    assert_eq!(head.labels.unwrap(), folder.labels().unwrap().names());
    let options = PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() };
    let mut predictor = Predictor::open(&whole.out, &options).unwrap();
    let pairs = Pairs::open(&place.path("test.jsonl"), &Columns::default(), Labels::Required).unwrap();
    let measured = predictor.evaluate(pairs, None).unwrap();
    let test = summary.test.unwrap();
    assert!((measured.loss - test.loss).abs() < 1e-5, "{} {}", measured.loss, test.loss);
    assert_eq!(measured.metrics.confusion, test.metrics.confusion);

    for steps in [2, 7] {
        let parts = request(&format!("parts-{steps}"));
        finish_in_parts(&parts, steps);
        assert_eq!(traces(&parts.out), traces(&whole.out));
    }
}

#[test]
fn a_subset_leaves_the_validation_pairs_as_they_are() {
    let place = place();
    let of = |train_size| {
        let request = place.request(&format!("{train_size:?}"), |settings| settings.train_size = train_size);
        let start = finish(&request).1.start.unwrap();
        (start.train_examples, start.validation_examples, start.labels.len())
    };
    let (all, validation, _) = of(None);
    assert_eq!(of(Some(6)), (6, validation, 3));
    assert_eq!(of(Some(all)), (all, validation, 3));
}

#[test]
fn every_pair_is_in_the_test_set_of_one_part() {
    let place = place();
    let mut tested = Vec::new();
    for part in 1..=3 {
        let mut request = place.request(&format!("fold-{part}"), |settings| {
            (settings.fold, settings.max_steps, settings.seed) =
                (Fold::new(part, 3), Some(1), 7 + part as u64);
        });
        request.test = None;
        let (summary, recorder) = finish(&request);
        let start = recorder.start.unwrap();
        assert_eq!(start.train_examples + start.validation_examples + start.test_examples, 42);
        let run = RunFolder::open(&request.out).unwrap();
        let predictions: Vec<_> = run.test_predictions().unwrap().map(Result::unwrap).collect();
        assert_eq!(predictions.len(), summary.test.unwrap().metrics.examples);
        tested.extend(predictions.into_iter().map(|prediction| prediction.label));
    }
    tested.sort();
    let count = |label: &str| tested.iter().filter(|found| *found == label).count();
    assert_eq!([count("clarity"), count("fluency"), count("style")], [7, 14, 21]);
}

fn folds(request: &TrainRequest, recorder: &mut Recorder<'_>, interrupt: &AtomicBool) -> FoldsOutcome {
    cross_validate(request, 3, recorder, interrupt).unwrap()
}

fn finished(outcome: FoldsOutcome) -> FoldsSummary {
    match outcome {
        FoldsOutcome::Finished(summary) => *summary,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cross_validation_is_continued_where_it_stood() {
    let place = place();
    let request = |out: &str| {
        let mut request = place.request(out, |settings| settings.max_steps = Some(4));
        request.test = None;
        request
    };
    let whole = finished(folds(&request("whole"), &mut Recorder::default(), &never()));
    assert_eq!((whole.folds, whole.runs.len(), whole.pooled.examples), (3, 3, 42));
    let accuracies: Vec<f64> = whole.runs.iter().map(|run| run.accuracy).collect();
    assert!((whole.accuracy.mean - accuracies.iter().sum::<f64>() / 3.0).abs() < 1e-12);
    let right: f64 = whole.runs.iter().map(|run| run.accuracy * run.examples as f64).sum();
    assert!(
        (whole.pooled.accuracy - right / 42.0).abs() < 1e-12,
        "pooled accuracy weighs parts by their pairs"
    );
    let written = fs::read(place.path("whole/folds.json")).unwrap();
    assert_eq!(serde_json::from_slice::<FoldsSummary>(&written).unwrap(), whole);

    // Interrupted in the second run: the first is kept, the second goes on, the third is made.
    let interrupt = never();
    let mut recorder = Recorder { interrupt_after: Some((6, &interrupt)), ..Default::default() };
    let outcome = folds(&request("parts"), &mut recorder, &interrupt);
    assert_eq!(outcome, FoldsOutcome::Interrupted { fold: Fold::new(2, 3).unwrap(), step: 2 });
    let mut recorder = Recorder::default();
    let parts =
        finished(resume_cross_validation(&place.path("parts"), None, &mut recorder, &never()).unwrap());
    assert_eq!(recorder.steps.len(), 2 + 4);
    assert!(recorder.notices.contains(&Notice::FoldKept { fold: Fold::new(1, 3).unwrap() }));
    assert_eq!(parts, whole);
    for part in 1..=3 {
        let traces = |out: &str| traces(&place.path(out).join(format!("fold-{part}")));
        assert_eq!(traces("parts"), traces("whole"));
    }
    // The same command again finds all of it done.
    let mut recorder = Recorder::default();
    assert_eq!(finished(folds(&request("parts"), &mut recorder, &never())), whole);
    assert_eq!(recorder.steps.len(), 0);
}

#[test]
fn each_reason_not_to_cross_validate_has_its_error() {
    let place = place();
    let request = |out: &str, change: fn(&mut TrainSettings)| {
        let mut request = place.request(out, change);
        request.test = None;
        request
    };
    let refused = |request: &TrainRequest, folds| match cross_validate(
        request,
        folds,
        &mut Recorder::default(),
        &never(),
    )
    .unwrap_err()
    {
        TrainError::Folds(error) => error,
        other => panic!("{other}"),
    };
    let error = refused(&request("run", |_| {}), 1);
    assert!(matches!(error, FoldsError::Count { folds: 1 }), "{error}");
    let error = refused(&place.request("run", |_| {}), 3);
    assert!(matches!(error, FoldsError::TestGiven { given: "test" }), "{error}");
    let error = refused(&request("run", |settings| settings.fold = Fold::new(1, 3)), 3);
    assert!(matches!(error, FoldsError::TestGiven { given: "fold" }), "{error}");
    is_untouched(&place);

    let short = |settings: &mut TrainSettings| settings.max_steps = Some(1);
    folds(&request("run", short), &mut Recorder::default(), &never());
    let error = refused(&request("run", |settings| settings.max_steps = Some(2)), 3);
    assert!(matches!(&error, FoldsError::Changed { what, .. } if what == "max_steps"), "{error}");
    let error = refused(&request("run", short), 4);
    assert!(matches!(&error, FoldsError::Changed { what, .. } if what == "folds"), "{error}");
    let whole = fs::read_to_string(place.path("train.jsonl")).unwrap();
    fs::write(place.path("train.jsonl"), whole.split_inclusive('\n').skip(1).collect::<String>()).unwrap();
    let again = resume_cross_validation(&place.path("run"), None, &mut Recorder::default(), &never());
    for error in [refused(&request("run", short), 3).to_string(), again.unwrap_err().to_string()] {
        assert!(error.contains("train.jsonl: the file has changed since the run was begun"), "{error}");
    }
    fs::write(place.path("train.jsonl"), whole).unwrap();
    let template = place.path("template.txt");
    fs::write(&template, "{labels}\n{original}\n{revised}").unwrap();
    let mut prompted = request("prompted", short);
    prompted.settings.prompt = template.display().to_string();
    folds(&prompted, &mut Recorder::default(), &never());
    fs::remove_dir_all(place.path("prompted/fold-2")).unwrap();
    fs::write(&template, "{labels}\n{revised}").unwrap();
    let error = refused(&prompted, 3);
    assert!(error.to_string().contains("template.txt: the file has changed since"), "{error}");
    fs::remove_file(place.path("run/fold-2/test_predictions.jsonl")).unwrap();
    let error = refused(&request("run", short), 3);
    assert!(matches!(&error, FoldsError::NoPredictions { path } if path.ends_with("fold-2")), "{error}");
    fs::write(place.path("run/plan.json"), "{}").unwrap();
    let error = refused(&request("run", short), 3);
    assert!(matches!(error, FoldsError::Json { .. }), "{error}");
    let mut occupied = request("train.jsonl", short);
    occupied.out = place.path("train.jsonl");
    let error = cross_validate(&occupied, 3, &mut Recorder::default(), &never()).unwrap_err();
    assert!(matches!(error, TrainError::Folder(_)), "{error}");
    let error = resume_cross_validation(&place.path("nowhere"), None, &mut Recorder::default(), &never())
        .unwrap_err();
    assert!(matches!(error, TrainError::Folds(FoldsError::Read { .. })), "{error}");
}

#[test]
fn states_kept_once_the_lowest_layer_is_known_change_nothing() {
    let place = place();
    for (number, (method, options, dropout)) in [
        ("ir", MethodOptions::of([("settle", "3")]), 0.0),
        ("ir", MethodOptions::of([("settle", "3")]), 0.2),
        ("ir", MethodOptions::of([("metric", "weight")]), 0.2),
        ("spectrum", MethodOptions::default(), 0.2),
    ]
    .into_iter()
    .enumerate()
    {
        let request = |part: &str, cache_states| {
            place.request(&format!("{number}-{part}"), |settings| {
                settings.method = method.into();
                settings.method_options = options.clone();
                settings.dropout = dropout;
                settings.epochs = 3;
                settings.cache_states = cache_states;
            })
        };
        let plain = request("plain", false);
        finish(&plain);
        let cached = request("cached", true);
        finish(&cached);
        assert_eq!(traces(&cached.out), traces(&plain.out), "{method} {options:?}");
        for steps in [2, 6] {
            let parts = request(&format!("parts-{steps}"), true);
            finish_in_parts(&parts, steps);
            assert_eq!(traces(&parts.out), traces(&plain.out), "{method} {options:?} {steps}");
        }
    }
}

#[test]
fn a_validation_split_of_documents_shares_none_with_the_rest() {
    let place = place();
    let pairs = Pairs::open(&place.path("train.jsonl"), &Columns::default(), Labels::Required).unwrap();
    let pairs: Vec<_> = pairs.map(Result::unwrap).collect();
    let groups = |pairs: &[irtune_data::Pair]| {
        pairs.iter().map(|pair| pair.group.clone().unwrap()).collect::<std::collections::BTreeSet<_>>()
    };
    let corpus =
        irtune_data::Corpus { name: "train.jsonl".into(), pairs, left_out: irtune_data::LeftOut::default() };
    for part in 1..=3 {
        let (rest, test) = corpus.clone().fold(part, 3).unwrap();
        let (train, validation) = rest.hold_out(0.2, 5).unwrap();
        let parts = [groups(&train.pairs), groups(&validation.pairs), groups(&test.pairs)];
        assert_eq!(parts.iter().map(|groups| groups.len()).sum::<usize>(), 13, "{parts:?}");
        assert_eq!(train.pairs.len() + validation.pairs.len() + test.pairs.len(), 42);
    }
}
