//! The run around the steps: resuming, killing, full disks, the best model, stopping.

use crate::counting_engine::{CountingEngine, LAYERS, data};
use crate::recorder::Recorder;
use crate::runs::stored_file;
use crate::test_files::{Fate, TestFiles};
use irtune_data::{Columns, Ending, Target, Template};
use irtune_files::Files;
use irtune_model::{BaseFormat, BaseSource, HostTensor, ProblemType, weights::WeightError};
use irtune_train::checkpoint;
use irtune_train::data::RunData;
use irtune_train::run::{self, RunParts};
use irtune_train::{
    BestMetric, Collapsed, Evaluation, Every, HeadKind, Notice, Observer, Platform, RunContents, RunFolder,
    Sources, StepReport, StoredSource, Summary, Task, TrainError, TrainOutcome, TrainSettings, tensor_file,
};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Six steps an epoch, two epochs, an evaluation every second step, a checkpoint every third.
fn settings() -> TrainSettings {
    TrainSettings {
        learning_rate: 0.05,
        warmup_steps: Some(2),
        batch_size: 4,
        epochs: 2,
        min_steps: 0,
        head: HeadKind::Pooled,
        stack: false,
        eval_every: Every::Steps(2),
        save_every: Every::Steps(3),
        best_metric: BestMetric::Loss,
        ..Default::default()
    }
}

fn contents(settings: &TrainSettings, data: &RunData) -> RunContents {
    let base = BaseSource {
        path: "base".into(),
        format: BaseFormat::Gguf,
        bytes: 1,
        fingerprint: String::new(),
        files: BTreeMap::new(),
    };
    RunContents {
        settings: settings.clone(),
        sources: Sources {
            base,
            base_name: "base".into(),
            train: StoredSource::File(stored_file("train.jsonl")),
            validation: None,
            test: None,
            columns: Columns::default(),
        },
        kept: Vec::new(),
        platform: Platform {
            version: "0".into(),
            operating_system: "none".into(),
            architecture: "none".into(),
            cores: 1,
            precision: "f32".into(),
            threads: 1,
            seed: settings.seed,
        },
        task: Task {
            labels: data.labels.clone(),
            template: Template::pair(),
            problem: ProblemType::SingleLabel,
            verbalizer: None,
            ending: Ending::default(),
        },
    }
}

fn export(path: &Path, tensors: &[HostTensor]) -> Result<(), irtune_model::ModelError> {
    fs::create_dir_all(path).unwrap();
    let mut bytes = Vec::new();
    tensor_file::write_tensors(tensors, &mut bytes).unwrap();
    fs::File::create(path.join("adapter")).unwrap().write_all(&bytes).unwrap();
    Ok(())
}

/// Begins a run in `path`, or continues the one that is there.
fn go(
    path: &Path,
    settings: &TrainSettings,
    data: &RunData,
    files: &dyn Files,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<TrainOutcome, TrainError> {
    go_with(&mut CountingEngine::new(), path, settings, data, files, observer, interrupt)
}

fn go_with(
    engine: &mut CountingEngine,
    path: &Path,
    settings: &TrainSettings,
    data: &RunData,
    files: &dyn Files,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<TrainOutcome, TrainError> {
    let folder = match RunFolder::open(path) {
        Ok(folder) => folder,
        Err(_) => RunFolder::create(files, path, &contents(settings, data))?,
    };
    let newest = checkpoint::list(&folder.checkpoints_path())?.into_iter().next();
    let saved = newest.map(|path| checkpoint::load(&path)).transpose()?;
    let method = irtune_select::method(&settings.method).unwrap();
    let mut policy = method.build(LAYERS, settings.method_options.as_map()).unwrap();
    let parts = RunParts {
        settings,
        engine,
        policy: policy.as_mut(),
        data,
        folder: &folder,
        files,
        linear: None,
        export: &export,
        check_base: &|| Ok(()),
    };
    run::run(parts, observer, interrupt, saved)
}

fn finish(path: &Path, settings: &TrainSettings, data: &RunData) -> (Summary, Vec<Notice>) {
    let mut recorder = Recorder::default();
    let files = TestFiles::new(Fate::Lives);
    match go(path, settings, data, &files, &mut recorder, &AtomicBool::new(false)).unwrap() {
        TrainOutcome::Finished(summary) => (*summary, recorder.notices),
        other => panic!("{other:?}"),
    }
}

/// All that a finished run leaves, without what the clock says.
fn traces(path: &Path) -> (Vec<Vec<u8>>, Vec<StepReport>, Vec<Evaluation>, Summary) {
    let folder = RunFolder::open(path).unwrap();
    let step = |report: StepReport| StepReport {
        seconds: 0.0,
        tokens_per_second: 0.0,
        examples_per_second: 0.0,
        ..report
    };
    let evaluation = |evaluation: Evaluation| Evaluation { seconds: 0.0, ..evaluation };
    let summary = folder.summary().unwrap().unwrap();
    assert!(!folder.checkpoints_path().exists(), "a finished run keeps no checkpoints");
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let hidden: Vec<String> = names.filter(|name| name.starts_with('.')).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
    (
        ["adapter/adapter", "calibration.json", "test_predictions.jsonl"]
            .into_iter()
            .filter_map(|name| fs::read(path.join(name)).ok())
            .collect(),
        folder.steps().unwrap().map(|report| step(report.unwrap())).collect(),
        folder.evaluations().unwrap().map(|found| evaluation(found.unwrap())).collect(),
        Summary {
            step_seconds: 0.0,
            evaluation_seconds: 0.0,
            examples_per_second: 0.0,
            tokens_per_second: 0.0,
            peak_bytes: None,
            test: summary.test.clone().map(evaluation),
            ..summary
        },
    )
}

/// Tags and steps of a TensorBoard file would need a reader; its length stands for them.
fn events(path: &Path) -> u64 {
    fs::metadata(RunFolder::open(path).unwrap().events_path()).unwrap().len()
}

#[test]
fn a_run_learns_and_tells_what_it_does() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let mut recorder = Recorder::default();
    let files = TestFiles::new(Fate::Lives);
    let outcome = go(&path, &settings(), &data(), &files, &mut recorder, &AtomicBool::new(false)).unwrap();
    let TrainOutcome::Finished(summary) = outcome else { panic!("{outcome:?}") };
    assert_eq!(recorder.steps.len(), 12);
    assert_eq!(recorder.steps[11].epoch, 2.0);
    assert!(recorder.steps[11].loss < recorder.steps[0].loss);
    // Every second step, and the test pairs at the end.
    assert_eq!(
        recorder.evaluations.iter().map(|found| found.step).collect::<Vec<_>>()[..6],
        [2, 4, 6, 8, 10, 12]
    );
    assert_eq!(recorder.evaluations.len(), 7);
    // Every third step; the last one is stored before the test.
    assert_eq!(recorder.checkpoints, [3, 6, 9, 12]);
    assert_eq!(summary.layer_steps.len(), LAYERS);
    let trained: usize = recorder.steps.iter().map(|report| report.active_layers.len()).sum();
    assert_eq!(summary.layer_steps.iter().sum::<u64>(), trained as u64);
    assert_eq!(summary.examples, 44);
    assert!(recorder.notices.is_empty(), "{:?}", recorder.notices);
    let start = recorder.start.unwrap();
    assert_eq!((start.total_steps, start.steps_per_epoch, start.completed_steps), (12, 6, 0));
}

#[test]
fn resumed_after_any_step_equals_uninterrupted() {
    let directory = tempfile::tempdir().unwrap();
    let data = data();
    for save_every in [Every::Steps(3), Every::Never, Every::Steps(1)] {
        let settings = TrainSettings { save_every, ..settings() };
        let whole = directory.path().join(format!("whole-{save_every}"));
        finish(&whole, &settings, &data);
        for step in 1..=12 {
            let path = directory.path().join(format!("run-{save_every}-{step}"));
            let interrupt = AtomicBool::new(false);
            let mut recorder =
                Recorder { interrupt_after: Some((step as usize, &interrupt)), ..Default::default() };
            let files = TestFiles::new(Fate::Lives);
            let outcome = go(&path, &settings, &data, &files, &mut recorder, &interrupt).unwrap();
            let TrainOutcome::Interrupted { step: stopped, checkpoint } = outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!(stopped, step);
            assert!(checkpoint.is_dir());
            finish(&path, &settings, &data);
            assert_eq!(traces(&path), traces(&whole), "interrupted after step {step}");
            assert_eq!(events(&path), events(&whole));
        }
    }
}

#[test]
fn killed_between_any_two_file_operations_equals_uninterrupted() {
    let directory = tempfile::tempdir().unwrap();
    let (settings, data) = (settings(), data());
    let whole = directory.path().join("whole");
    let files = TestFiles::new(Fate::Lives);
    go(&whole, &settings, &data, &files, &mut Recorder::default(), &AtomicBool::new(false)).unwrap();
    assert!(files.operations() > 50);
    for operation in 0..files.operations() {
        let path = directory.path().join(format!("run-{operation}"));
        let dying = TestFiles::new(Fate::Dies(operation));
        go(&path, &settings, &data, &dying, &mut Recorder::default(), &AtomicBool::new(false)).unwrap_err();
        if RunFolder::open(&path).is_ok_and(|folder| folder.summary().unwrap().is_some()) {
            // Killed while tidying after the end.
            continue;
        }
        finish(&path, &settings, &data);
        assert_eq!(traces(&path), traces(&whole), "killed at operation {operation}");
        assert_eq!(events(&path), events(&whole));
    }
}

#[test]
fn killed_twice_equals_uninterrupted() {
    let directory = tempfile::tempdir().unwrap();
    let (settings, data) = (settings(), data());
    let whole = directory.path().join("whole");
    finish(&whole, &settings, &data);
    for first in (5..60).step_by(7) {
        for second in (0..40).step_by(3) {
            let path = directory.path().join(format!("run-{first}-{second}"));
            for operation in [first, second] {
                let dying = TestFiles::new(Fate::Dies(operation));
                go(&path, &settings, &data, &dying, &mut Recorder::default(), &AtomicBool::new(false))
                    .unwrap_err();
            }
            finish(&path, &settings, &data);
            assert_eq!(traces(&path), traces(&whole), "killed at {first}, then at {second}");
        }
    }
}

#[test]
fn a_full_disk_is_an_error_that_leaves_nothing_half_written() {
    let directory = tempfile::tempdir().unwrap();
    let (settings, data) = (settings(), data());
    let whole = directory.path().join("whole");
    let files = TestFiles::new(Fate::Lives);
    go(&whole, &settings, &data, &files, &mut Recorder::default(), &AtomicBool::new(false)).unwrap();
    for operation in 0..files.operations() {
        let path = directory.path().join(format!("run-{operation}"));
        let filling = TestFiles::new(Fate::Fills(operation));
        let result = go(&path, &settings, &data, &filling, &mut Recorder::default(), &AtomicBool::new(false));
        let message = result.unwrap_err().to_string();
        assert!(message.contains("the disk is full; free some space"), "{message}");
        let beside = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = beside.filter(|name| name.to_string_lossy().ends_with(".writing")).collect();
        assert!(left.is_empty(), "operation {operation} left {left:?}");
        let Ok(folder) = RunFolder::open(&path) else {
            assert!(!path.exists(), "a folder that is no run");
            continue;
        };
        assert!(!folder.checkpoints_path().join(".writing").exists(), "operation {operation}");
        for report in folder.steps().unwrap() {
            report.unwrap();
        }
        for checkpoint in checkpoint::list(&folder.checkpoints_path()).unwrap() {
            checkpoint::load(&checkpoint).unwrap();
        }
        if folder.summary().unwrap().is_none() {
            finish(&path, &settings, &data);
            assert_eq!(traces(&path), traces(&whole), "full at operation {operation}");
        }
    }
}

#[test]
fn the_best_model_is_kept_and_tested() {
    let directory = tempfile::tempdir().unwrap();
    let mut data = data();
    // With some wrong labels to be measured by, learning helps only for a while.
    for example in data.validation.iter_mut().step_by(3) {
        let class = example.target.as_ref().and_then(Target::class);
        example.target = class.map(|class| Target::Class((class + 1) % 3));
    }
    let settings = TrainSettings { learning_rate: 1.0, eval_every: Every::Steps(1), ..settings() };
    let path = directory.path().join("run");
    let (summary, _) = finish(&path, &settings, &data);
    let (files, _, evaluations, _) = traces(&path);
    let validations: Vec<&Evaluation> = evaluations[..12].iter().collect();
    let lowest = validations.iter().map(|found| found.loss).fold(f64::INFINITY, f64::min);
    let best = validations.iter().find(|found| found.loss == lowest).unwrap();
    assert_eq!((summary.best_value, summary.best_step), (Some(lowest), best.step));
    assert!(
        (3..12).contains(&best.step),
        "a test that says something needs a best model between, not {}",
        best.step
    );
    assert_eq!(evaluations[12].step, best.step);
    // Training just as long gives the same model.
    let shorter = directory.path().join("shorter");
    let outcome = {
        let interrupt = AtomicBool::new(false);
        let mut recorder =
            Recorder { interrupt_after: Some((best.step as usize, &interrupt)), ..Default::default() };
        go(&shorter, &settings, &data, &TestFiles::new(Fate::Lives), &mut recorder, &interrupt).unwrap()
    };
    let TrainOutcome::Interrupted { checkpoint, .. } = outcome else { panic!("{outcome:?}") };
    let mut bytes = Vec::new();
    tensor_file::write_tensors(&checkpoint::load(&checkpoint).unwrap().parameters, &mut bytes).unwrap();
    assert_eq!(bytes, files[0]);
}

#[test]
fn what_the_best_model_said_of_the_validation_pairs_is_computed_again_only_where_it_is_not_known() {
    let directory = tempfile::tempdir().unwrap();
    let batches = |learning_rate: f64, best_metric: BestMetric, calibrate: bool| {
        let path = directory.path().join(format!("run-{best_metric}-{calibrate}"));
        let settings = TrainSettings { learning_rate, calibrate, best_metric, ..settings() };
        let mut batches = 0;
        for steps in [Some(5), None] {
            let (mut engine, interrupt) = (CountingEngine::new(), AtomicBool::new(false));
            let interrupt_after = steps.map(|steps| (steps, &interrupt));
            let mut recorder = Recorder { interrupt_after, ..Default::default() };
            let files = TestFiles::new(Fate::Lives);
            go_with(&mut engine, &path, &settings, &data(), &files, &mut recorder, &interrupt).unwrap();
            batches += engine.batches;
        }
        let summary = RunFolder::open(&path).unwrap().summary().unwrap().unwrap();
        assert_eq!(path.join("calibration.json").is_file(), calibrate);
        assert_eq!(summary.calibration.is_some(), calibrate);
        (batches, summary.best_step)
    };
    let (learning, best_step) = batches(0.05, BestMetric::Loss, true);
    assert!(best_step > 5, "a better model has to come after the run was resumed, not {best_step}");
    assert_eq!(learning, batches(0.05, BestMetric::Loss, false).0);
    // Nothing improves on what the run had before it was interrupted: nine pairs, four in a batch.
    assert_eq!(
        batches(1e-12, BestMetric::Accuracy, true),
        (batches(1e-12, BestMetric::Accuracy, false).0 + 3, 2)
    );
}

#[test]
fn a_run_stops_when_nothing_improves() {
    let directory = tempfile::tempdir().unwrap();
    let settings = TrainSettings {
        learning_rate: 1e-12,
        eval_every: Every::Steps(2),
        best_metric: BestMetric::Accuracy,
        early_stopping_patience: Some(2),
        ..settings()
    };
    let (summary, notices) = finish(&directory.path().join("run"), &settings, &data());
    // The first evaluation is the best so far; the next two are no better.
    assert_eq!((summary.steps, summary.stopped_early, summary.best_step), (6, true, 2));
    assert_eq!(notices, [Notice::StoppedEarly { step: 6, evaluations: 2 }]);
}

#[test]
fn a_model_that_tells_no_labels_apart_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let mut data = data();
    data.train.iter_mut().for_each(|example| example.target = Some(Target::Class(2)));
    let settings = TrainSettings { learning_rate: 1.0, eval_every: Every::Never, ..settings() };
    let (summary, notices) = finish(&path, &settings, &data);
    assert_eq!(summary.collapsed, Some(Collapsed::Label("style".to_owned())));
    assert_eq!(notices, [Notice::Collapsed { answer: Collapsed::Label("style".to_owned()) }]);
    assert_eq!(RunFolder::open(&path).unwrap().summary().unwrap(), Some(summary));
    let (summary, notices) = finish(
        &directory.path().join("other"),
        &TrainSettings { eval_every: Every::Never, ..self::settings() },
        &self::data(),
    );
    assert_eq!((summary.collapsed, notices), (None, vec![]));
}

#[test]
fn without_validation_the_last_model_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let data = RunData { validation: Vec::new(), ..data() };
    let settings = TrainSettings { warmup_steps: Some(12), ..settings() };
    let (summary, notices) = finish(&directory.path().join("run"), &settings, &data);
    assert_eq!((summary.best_step, summary.best_value), (12, None));
    assert!(summary.calibration.is_none() && !directory.path().join("run/calibration.json").exists());
    let warm_up = Notice::WarmupLongerThanRun {
        warmup_steps: 12,
        total_steps: 12,
        highest: settings.learning_rate * 11.0 / 12.0,
    };
    assert_eq!(notices, [warm_up, Notice::NoValidation]);
}

#[test]
fn accumulated_equals_the_big_batch() {
    let directory = tempfile::tempdir().unwrap();
    let data = data();
    let losses = |batch_size: usize, gradient_accumulation: usize| {
        let path = directory.path().join(format!("run-{batch_size}"));
        let settings = TrainSettings { batch_size, gradient_accumulation, dropout: 0.125, ..settings() };
        let (summary, _) = finish(&path, &settings, &data);
        let (_, steps, ..) = traces(&path);
        (steps.iter().map(|report| report.loss).collect::<Vec<_>>(), summary.layer_steps)
    };
    let (whole, layers) = losses(8, 1);
    for (batch_size, accumulation) in [(4, 2), (2, 4), (1, 8)] {
        let (parts, part_layers) = losses(batch_size, accumulation);
        assert_eq!(part_layers, layers);
        for (part, whole) in parts.iter().zip(&whole) {
            assert!((part - whole).abs() < 1e-5 * whole, "{batch_size}: {part} {whole}");
        }
    }
    let without_dropout = TrainSettings { batch_size: 8, dropout: 0.0, ..settings() };
    finish(&directory.path().join("run"), &without_dropout, &data);
    let (_, steps, ..) = traces(&directory.path().join("run"));
    assert_ne!(steps[0].loss, whole[0], "dropout must make a difference for this test to say something");
}

#[test]
fn a_loss_that_is_no_number_names_the_last_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let settings = TrainSettings { learning_rate: 1e38, ..settings() };
    let path = directory.path().join("run");
    let files = TestFiles::new(Fate::Lives);
    let run =
        |settings| go(&path, settings, &data(), &files, &mut Recorder::default(), &AtomicBool::new(false));
    let message = run(&settings).unwrap_err().to_string();
    assert!(
        message.starts_with("step 3: the loss is ") || message.starts_with("step 4: the loss is "),
        "{message}"
    );
    assert!(message.contains("checkpoint") && message.contains("lower learning_rate"), "{message}");
}

#[test]
fn an_evaluation_that_is_no_number_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let settings = TrainSettings {
        learning_rate: 1e38,
        warmup_steps: Some(0),
        eval_every: Every::Steps(1),
        ..settings()
    };
    let files = TestFiles::new(Fate::Lives);
    let path = directory.path().join("run");
    let error =
        go(&path, &settings, &data(), &files, &mut Recorder::default(), &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, TrainError::Metrics { .. }), "{error}");
    let way_out =
        "the model's output is not finite: the training has diverged; train with a lower learning_rate";
    assert!(error.to_string().contains(way_out), "{error}");
}

#[test]
fn another_method_cannot_continue_a_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let interrupt = AtomicBool::new(false);
    let mut recorder = Recorder { interrupt_after: Some((3, &interrupt)), ..Default::default() };
    let files = TestFiles::new(Fate::Lives);
    go(&path, &settings(), &data(), &files, &mut recorder, &interrupt).unwrap();
    let settings = TrainSettings { method: "full".into(), ..settings() };
    let mut policy = irtune_select::method("full").unwrap().build(LAYERS, &BTreeMap::new()).unwrap();
    let folder = RunFolder::open(&path).unwrap();
    let newest = checkpoint::list(&folder.checkpoints_path()).unwrap().remove(0);
    let parts = RunParts {
        settings: &settings,
        engine: &mut CountingEngine::new(),
        policy: policy.as_mut(),
        data: &data(),
        folder: &folder,
        files: &files,
        linear: None,
        export: &export,
        check_base: &|| Ok(()),
    };
    let saved = checkpoint::load(&newest).unwrap();
    let error = run::run(parts, &mut recorder, &AtomicBool::new(false), Some(saved)).unwrap_err();
    assert!(matches!(error, TrainError::Select(_)), "{error}");
    assert!(error.to_string().contains("resume with the run's own method"), "{error}");
}

#[test]
fn a_base_that_is_replaced_meanwhile_stops_the_run_at_its_next_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let settings = TrainSettings { save_every: Every::Steps(2), ..settings() };
    let files = TestFiles::new(Fate::Lives);
    let folder = RunFolder::create(&files, &path, &contents(&settings, &data())).unwrap();
    let method = irtune_select::method(&settings.method).unwrap();
    let mut policy = method.build(LAYERS, settings.method_options.as_map()).unwrap();
    let asked = std::cell::Cell::new(0);
    let check_base = || {
        asked.set(asked.get() + 1);
        match asked.get() {
            1 => Ok(()),
            _ => Err(WeightError::Changed { path: "base/model.safetensors".into() }.into()),
        }
    };
    let parts = RunParts {
        settings: &settings,
        engine: &mut CountingEngine::new(),
        policy: policy.as_mut(),
        data: &data(),
        folder: &folder,
        files: &files,
        linear: None,
        export: &export,
        check_base: &check_base,
    };
    let error = run::run(parts, &mut Recorder::default(), &AtomicBool::new(false), None).unwrap_err();
    assert!(error.to_string().starts_with("base/model.safetensors: the file was changed"), "{error}");
    // What was written before the base was replaced stays, and the run can go on from it.
    let saved = checkpoint::list(&folder.checkpoints_path()).unwrap();
    assert_eq!(checkpoint::load(&saved[0]).unwrap().state.step, 2);
}
