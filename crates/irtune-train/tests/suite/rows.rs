//! Training from rows in memory, on another thread, and using what came out from many.

use crate::recorder::Recorder;
use crate::runs::{Place, failure, finish, interrupted, never};
use irtune_data::{Columns, CorpusSource, Labels, Row};
use irtune_model::Precision;
use irtune_testing::corpus::{WORD_LABELS, word_pair};
use irtune_train::{
    Answer, FoldsError, FoldsOutcome, Notice, Observer, Predictor, PredictorOptions, Reading, RunFolder,
    StepReport, StoredSource, TrainError, TrainOutcome, TrainRequest, Worker, WorkerError, WorkerOptions,
    cross_validate, resume, resume_cross_validation, train,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

fn row(number: usize) -> Row {
    let (original, revised) = word_pair(number, number % 3);
    Row {
        label: Some(WORD_LABELS[number % 3].into()),
        group: Some(format!("d{}", number % 13)),
        id: Some(format!("row{number}").into()),
        ..Row::new(original, revised)
    }
}

fn train_rows() -> Vec<Row> {
    (0..40).map(row).collect()
}

fn test_rows() -> Vec<Row> {
    (500..509).map(row).collect()
}

fn lines(rows: &[Row]) -> String {
    rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect()
}

/// Files of the same rows.
fn place() -> Place {
    Place::new(&lines(&train_rows()), &lines(&test_rows()))
}

fn request(place: &Place, out: &str) -> TrainRequest {
    TrainRequest {
        train: CorpusSource::rows("training rows", train_rows()),
        test: Some(CorpusSource::rows("test rows", test_rows())),
        ..place.request(out, |_| {})
    }
}

/// All that a run leaves and that does not depend on the clock or on what files are called, as its card does.
fn left(run: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = RunFolder::open(run).unwrap();
    let adapter = fs::read_dir(folder.adapter_path()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        adapter.chain(["test_predictions.jsonl", "labels.json"].map(|name| run.join(name))).collect();
    paths.retain(|path| !path.ends_with("README.md"));
    paths.sort();
    paths.into_iter().map(|path| (path.file_name().unwrap().into(), fs::read(path).unwrap())).collect()
}

fn losses(run: &Path) -> Vec<(f64, Vec<usize>)> {
    let steps = RunFolder::open(run).unwrap().steps().unwrap();
    steps.map(Result::unwrap).map(|step| (step.loss, step.active_layers)).collect()
}

#[test]
fn rows_train_the_same_model_as_a_file_of_them() {
    let place = place();
    let file = place.request("file", |_| {});
    finish(&file);
    let rows = request(&place, "rows");
    finish(&rows);
    assert_eq!(losses(&rows.out), losses(&file.out));
    assert!(left(&rows.out) == left(&file.out), "another model");
    assert!(!file.out.join("data").exists(), "a run from files keeps no rows");
    assert_eq!(fs::read_to_string(rows.out.join("data/train.jsonl")).unwrap(), lines(&train_rows()));

    // Resumed without the rows, and without any file of them.
    let parts = request(&place, "parts");
    interrupted(&parts, 3);
    for name in ["train.jsonl", "test.jsonl"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    resume(&parts.out, &mut Recorder::default(), &never()).unwrap();
    assert_eq!(losses(&parts.out), losses(&rows.out));
    assert!(left(&parts.out) == left(&rows.out), "another model");
}

#[test]
fn kept_rows_that_were_changed_are_named() {
    let place = place();
    let request = request(&place, "run");
    interrupted(&request, 2);
    let kept = request.out.join("data/test.jsonl");
    fs::write(&kept, lines(&test_rows()[1..])).unwrap();
    let error = resume(&request.out, &mut Recorder::default(), &never()).unwrap_err();
    assert!(matches!(error, TrainError::Folder(_)), "{error}");
    assert!(
        error.to_string().contains("test.jsonl: these are not the rows that the run was begun with"),
        "{error}"
    );
    fs::remove_file(&kept).unwrap();
    let error = resume(&request.out, &mut Recorder::default(), &never()).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("test.jsonl"), "{error}");
}

#[test]
fn what_is_wrong_with_a_row_names_it_and_leaves_nothing_behind() {
    let place = place();
    let before = place.names();
    let mut rows = test_rows();
    rows[1].label = Some("fluence".into());
    let wrong = TrainRequest { test: Some(CorpusSource::rows("test rows", rows)), ..request(&place, "run") };
    let error = failure(&wrong).to_string();
    assert!(
        error.starts_with("test rows, row 2: unknown label \"fluence\" (did you mean \"fluency\"?)"),
        "{error}"
    );
    let mut fold = request(&place, "run");
    fold.settings.fold = irtune_train::Fold::new(1, 3);
    let error = failure(&fold).to_string();
    assert!(error.contains("but test rows is given too"), "{error}");
    assert_eq!(place.names(), before);
}

#[test]
fn a_cross_validation_keeps_its_rows() {
    let place = place();
    let request = |out: &str, train: CorpusSource| {
        let mut request = place.request(out, |settings| settings.max_steps = Some(2));
        (request.train, request.test) = (train, None);
        request
    };
    let rows = || CorpusSource::rows("training rows", train_rows());
    let folds = |request: &TrainRequest, recorder: &mut Recorder<'_>, interrupt: &AtomicBool| {
        cross_validate(request, 2, recorder, interrupt)
    };
    let file = request("file", place.path("train.jsonl").into());
    let FoldsOutcome::Finished(expected) = folds(&file, &mut Recorder::default(), &never()).unwrap() else {
        panic!("it is not finished");
    };

    let given = request("rows", rows());
    let interrupt = never();
    let mut recorder = Recorder { interrupt_after: Some((3, &interrupt)), ..Default::default() };
    let outcome = folds(&given, &mut recorder, &interrupt).unwrap();
    assert!(matches!(outcome, FoldsOutcome::Interrupted { step: 1, .. }), "{outcome:?}");
    let mut recorder = Recorder::default();
    let outcome = resume_cross_validation(&given.out, None, &mut recorder, &never()).unwrap();
    let FoldsOutcome::Finished(found) = outcome else { panic!("it is not finished") };
    assert_eq!(found, expected);
    assert!(recorder.notices.iter().any(|notice| matches!(notice, Notice::FoldKept { .. })));

    let others = CorpusSource::rows("training rows", train_rows().into_iter().rev());
    let error = folds(&request("rows", others), &mut Recorder::default(), &never()).unwrap_err();
    let TrainError::Folds(error) = error else { panic!("{error}") };
    assert!(matches!(&error, FoldsError::Changed { what, .. } if what == "train"), "{error}");
}

/// Sends every step to another thread, and waits until that has seen it.
struct Sends {
    steps: SyncSender<u64>,
    seen: Receiver<()>,
}

impl Observer for Sends {
    fn on_step(&mut self, report: &StepReport) {
        self.steps.send(report.step).unwrap();
        self.seen.recv().unwrap();
    }
}

#[test]
fn a_run_trains_on_another_thread_and_is_interrupted_from_this_one() {
    let place = place();
    let request = request(&place, "run");
    let out = request.out.clone();
    let (steps, made) = sync_channel(0);
    let (tell, seen) = sync_channel(0);
    let interrupt = Arc::new(never());
    let flag = interrupt.clone();
    let run = std::thread::spawn(move || train(&request, &mut Sends { steps, seen }, &flag));
    for step in 1..=3 {
        assert_eq!(made.recv().unwrap(), step);
        if step == 3 {
            interrupt.store(true, Ordering::Relaxed);
        }
        tell.send(()).unwrap();
    }
    let outcome = run.join().unwrap().unwrap();
    assert!(matches!(outcome, TrainOutcome::Interrupted { step: 3, .. }), "{outcome:?}");
    assert_eq!(losses(&out).len(), 3);
    let stored = RunFolder::open(&out).unwrap().sources().unwrap().train;
    assert!(matches!(stored, StoredSource::Rows(rows) if rows.name == "training rows"));
}

fn options() -> PredictorOptions {
    PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() }
}

fn predicted(run: &Path, rows: &[Row]) -> Vec<Answer> {
    let mut predictor = Predictor::open(run, &options()).unwrap();
    let source = CorpusSource::rows("request", rows.iter().cloned());
    let pairs = source.pairs(&Columns::default(), Labels::Optional).unwrap();
    predictor.predict(pairs, Reading::Ahead).map(Result::unwrap).collect()
}

/// How close two batchings of the same pairs are promised to be in f32. Measured was no difference at all.
const NEAR: f64 = 1e-5;

#[test]
fn a_worker_answers_many_callers_as_the_predictor_does() {
    let place = place();
    let mut request = request(&place, "run");
    // All prompts begin alike: a shared prefix where several pairs are computed together, and none for one alone.
    let template = place.path("prompt.txt");
    fs::write(&template, "w1 w2 w3 w4 w5 w6 w7 w8 w9 w3 w4 w5\n{original}\n{revised}").unwrap();
    request.settings.prompt = template.display().to_string();
    finish(&request);
    let start =
        |options_: WorkerOptions| Worker::start(Predictor::open(&request.out, &options()).unwrap(), options_);

    // A request that is computed alone: bitwise.
    let rows: Vec<Row> = (0..25).map(row).collect();
    let expected = predicted(&request.out, &rows);
    let worker = start(WorkerOptions::default());
    assert_eq!(worker.caller().classify(rows.clone()).unwrap(), expected);
    worker.finish();

    // Requests of eight threads, gathered as they come.
    let worker = start(WorkerOptions { queue: 3, patience: Duration::from_millis(1), ..Default::default() });
    let farthest = std::thread::scope(|scope| {
        let callers = (0..8).map(|thread| {
            let caller = worker.caller();
            let (rows, expected) = (&rows, &expected);
            scope.spawn(move || {
                let mut farthest = 0.0f64;
                for number in 0..20 {
                    let first = (thread * 7 + number * 3) % 20;
                    let own = first..first + 1 + number % 5;
                    let found = caller.classify(rows[own.clone()].to_vec()).unwrap();
                    assert_eq!(found.len(), own.len());
                    for (place, (found, expected)) in found.iter().zip(&expected[own]).enumerate() {
                        assert_eq!(found.place.number(), place + 1);
                        let (found, expected) = (&found.prediction, &expected.prediction);
                        assert_eq!((&found.id, &found.told), (&expected.id, &expected.told));
                        let pairs = found.probabilities.iter().zip(expected.probabilities.iter());
                        for ((name, found), (expected_name, expected)) in pairs {
                            assert_eq!(name, expected_name);
                            farthest = farthest.max((found - expected).abs());
                        }
                    }
                }
                farthest
            })
        });
        let callers: Vec<_> = callers.collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).fold(0.0, f64::max)
    });
    assert!(farthest < NEAR, "{farthest:e}");

    // A row that can't be used is its caller's matter.
    let caller = worker.caller();
    let error = caller.classify(vec![Row::new("a", "b"), Row::new(" ", "")]).unwrap_err();
    assert!(matches!(&error, WorkerError::Predictor(_)), "{error}");
    assert!(
        error.to_string().starts_with("request, row 2: original and revised text are both empty"),
        "{error}"
    );
    worker.finish();
    assert!(matches!(caller.classify(rows), Err(WorkerError::Stopped)));
}
