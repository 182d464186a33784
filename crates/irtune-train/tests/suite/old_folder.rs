//! Folders that an earlier version has left are read: resumed, measured, used, and shown.
//!
//! `tests/old_folder` holds a run that version 0.1.0 was interrupted in after 26 steps, the same run resumed and
//! finished by that version, what it then predicted, and the plan of a cross-validation. `BASE` and `DATA` stand for
//! the paths, `tiny/llama` for the base's name. The goldens' tiny Llama of six layers is the base.

use irtune_data::{Columns, CorpusSource, Labels};
use irtune_model::Precision;
use irtune_testing::golden::tiny_llama;
use irtune_train::{
    Answer, Decided, FoldsOutcome, Prediction, Predictor, PredictorOptions, Reading, RunFolder, StepReport,
    TrainOutcome, resume, resume_cross_validation,
};
use std::fs;
use std::path::{Path, PathBuf};

use crate::recorder::Recorder;
use crate::runs::never;

/// Another processor sums in another order; on the one that wrote the folders all of it is bitwise the same.
const NEAR: f64 = 1e-3;

/// A copy of the folders with the paths of this machine.
fn copied() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_folder"), place.path());
    for file in ["begun/sources.json", "finished/sources.json", "folds/plan.json"] {
        let path = place.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        let base = tiny_llama("six_layers").canonicalize().unwrap();
        let text = text.replace("BASE", base.to_str().unwrap());
        fs::write(&path, text.replace("DATA", place.path().to_str().unwrap())).unwrap();
    }
    place
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

fn steps(run: &Path) -> Vec<StepReport> {
    RunFolder::open(run).unwrap().steps().unwrap().map(Result::unwrap).collect()
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < NEAR * expected.abs().max(1.0), "{found} {expected}");
}

#[test]
fn an_interrupted_run_is_resumed_to_the_same_end() {
    let place = copied();
    let (begun, finished) = (place.path().join("begun"), place.path().join("finished"));
    let outcome = resume(&begun, &mut Recorder::default(), &never()).unwrap();
    let TrainOutcome::Finished(summary) = outcome else { panic!("{outcome:?}") };
    let expected = RunFolder::open(&finished).unwrap().summary().unwrap().unwrap();
    assert_eq!((summary.steps, summary.best_step), (expected.steps, expected.best_step));
    assert_eq!(summary.layer_steps, expected.layer_steps);
    near(summary.test.unwrap().loss, expected.test.unwrap().loss);
    let (found, expected) = (steps(&begun), steps(&finished));
    assert_eq!(found.len(), 60);
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!((found.step, &found.active_layers), (expected.step, &expected.active_layers));
        near(found.loss, expected.loss);
    }
    let names = |run: &Path| -> Vec<PathBuf> {
        let mut names: Vec<_> =
            fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
        names.sort();
        names
    };
    let mut expected = names(&finished);
    expected.push("linear.safetensors".into());
    expected.sort();
    assert_eq!(
        names(&begun),
        expected,
        "a run folder holds what it always did, and the linear model of its pairs"
    );
}

#[test]
fn a_finished_run_is_read_measured_and_used() {
    let place = copied();
    let run = RunFolder::open(&place.path().join("finished")).unwrap();
    assert_eq!(run.settings().unwrap().max_steps, Some(60));
    assert_eq!((run.platform().unwrap().seed, run.evaluations().unwrap().count()), (171, 4));
    let test = run.sources().unwrap().test.unwrap().load(run.path()).unwrap();
    assert_eq!(test, CorpusSource::File(place.path().join("test.jsonl")));

    let options = PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() };
    let mut predictor = Predictor::open(run.path(), &options).unwrap();
    let pairs = |labels| test.pairs(&Columns::default(), labels).unwrap();
    let measured = predictor.evaluate(pairs(Labels::Required), None).unwrap();
    near(measured.loss, run.summary().unwrap().unwrap().test.unwrap().loss);
    let stored = run.predictions(predictor.labels()).unwrap().unwrap();
    let Decided::One(said) = predictor.predictions(pairs(Labels::Required)).unwrap() else { panic!() };
    assert_eq!(said.predicted(), stored.predicted());

    // Line by line as that version wrote them.
    let written = fs::read_to_string(place.path().join("predictions.jsonl")).unwrap();
    let answers = predictor.predict(pairs(Labels::Optional), Reading::Ahead).map(Result::unwrap);
    let answers: Vec<Answer> = answers.collect();
    assert_eq!(answers.len(), written.lines().count());
    for (answer, line) in answers.iter().zip(written.lines()) {
        let expected: Prediction = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&expected).unwrap(), line);
        assert_eq!((&answer.prediction.id, &answer.prediction.told), (&expected.id, &expected.told));
        for ((label, found), (name, share)) in
            answer.prediction.probabilities.iter().zip(expected.probabilities.iter())
        {
            assert_eq!(label, name);
            near(found, share);
        }
    }
}

#[test]
fn a_cross_validation_goes_on_by_its_plan() {
    let place = copied();
    let folder = place.path().join("folds");
    let outcome = resume_cross_validation(&folder, None, &mut Recorder::default(), &never()).unwrap();
    let FoldsOutcome::Finished(summary) = outcome else { panic!("{outcome:?}") };
    assert_eq!((summary.folds, summary.pooled.examples), (2, 40));
}
