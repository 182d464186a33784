//! The calibration of a run: fitted once, applied by everything that uses its model.

use irtune_data::{Columns, CorpusSource, Labels, Row};
use irtune_metrics::Predictions;
use irtune_model::Precision;
use irtune_testing::corpus::{WORD_LABELS, Words};
use irtune_train::{
    Decision, MergeOptions, Offsets, Predictor, PredictorOptions, Reading, RunFolder, StoredCalibration,
    Worker, WorkerOptions, merge,
};
use std::fs;
use std::path::Path;

use crate::runs::{Place, finish};

fn rows(count: usize, first: usize) -> String {
    Words { count, first, documents: None, labels: &[0, 1, 2] }.rows()
}

fn options() -> PredictorOptions {
    PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() }
}

fn measured(folder: &Path, test: &Path, options: &PredictorOptions) -> irtune_train::Measured {
    let pairs = CorpusSource::from(test.to_owned()).pairs(&Columns::default(), Labels::Required).unwrap();
    Predictor::open(folder, options).unwrap().evaluate(pairs, None).unwrap()
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
}

#[test]
fn a_run_fits_it_once_and_everything_applies_it() {
    let place = Place::new(&rows(40, 0), &rows(12, 500));
    let request = place.request("run", |settings| settings.max_steps = Some(4));
    let (summary, _) = finish(&request);
    let test = place.path("test.jsonl");
    let run = RunFolder::open(&request.out).unwrap();
    let found = summary.calibration.unwrap();
    let effect = found.test.unwrap();
    assert_ne!(effect.plain, effect.calibrated, "a test that says something needs a calibration");

    let calibrated = measured(&request.out, &test, &options());
    near(calibrated.loss, effect.calibrated.log_loss);
    near(calibrated.loss, summary.test.as_ref().unwrap().loss);
    near(calibrated.uncalibrated.unwrap().log_loss, effect.plain.log_loss);
    let plain = measured(&request.out, &test, &PredictorOptions { calibrated: false, ..options() });
    near(plain.loss, effect.plain.log_loss);
    assert_eq!((plain.metrics.macro_f1, plain.uncalibrated), (effect.plain.macro_f1, None));

    // A merged model carries it.
    let merged = place.path("merged");
    merge(&request.out, &merged, &MergeOptions::default(), &mut |_, _| {}).unwrap();
    let file = |folder: &Path| fs::read(folder.join("calibration.json")).unwrap();
    assert_eq!(file(&merged), file(&request.out));
    near(measured(&merged, &test, &options()).loss, calibrated.loss);

    // What is kept of the test pairs is calibrated, and the plain outputs lie beside it.
    let labels = run.labels().unwrap();
    let kept: Vec<_> = run.test_predictions().unwrap().map(Result::unwrap).collect();
    let targets: Vec<u32> = kept.iter().map(|line| labels.index(&line.label).unwrap()).collect();
    let logits: Vec<f32> = kept.iter().flat_map(|line| line.logits.clone().unwrap()).collect();
    let Decision::One(calibration) = run.calibration(&labels).unwrap().unwrap() else { panic!() };
    let again = Predictions::new(&targets, &calibration.probabilities(&logits), labels.len()).unwrap();
    assert_eq!(run.predictions(&labels).unwrap(), Some(again));

    // Without the file there is none, and a damaged one is no model's.
    let path = request.out.join("calibration.json");
    let stored: StoredCalibration = serde_json::from_slice(&file(&request.out)).unwrap();
    assert!(stored.offsets.keys().eq(WORD_LABELS));
    fs::write(&path, "{\"temperature\": 1.0, \"offsets\": {}, \"metric\": null}").unwrap();
    let error = Predictor::open(&request.out, &options()).err().unwrap().to_string();
    assert!(error.contains("there is no offset for the label `clarity`"), "{error}");
    fs::remove_file(&path).unwrap();
    assert_eq!(measured(&request.out, &test, &options()).metrics, plain.metrics);
}

#[test]
fn whoever_is_not_sure_enough_abstains() {
    let place = Place::new(&rows(40, 0), &rows(12, 500));
    let request = place.request("run", |settings| {
        (settings.max_steps, settings.offsets) = (Some(4), Offsets::None);
    });
    let (summary, _) = finish(&request);
    let found = summary.calibration.unwrap();
    assert_eq!((found.offsets, found.fitted.metric), (None, None));
    assert!(found.fitted.offsets.values().all(|offset| *offset == 0.0));
    let all = |options: &PredictorOptions| {
        let pairs = CorpusSource::from(place.path("test.jsonl"));
        let pairs = pairs.pairs(&Columns::default(), Labels::Optional).unwrap();
        let mut predictor = Predictor::open(&request.out, options).unwrap();
        let answers: Vec<_> =
            predictor.predict(pairs, Reading::Ahead).map(|answer| answer.unwrap().prediction).collect();
        answers
    };
    let answers = all(&options());
    let highest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let mut sure: Vec<f64> = answers.iter().map(|answer| highest(answer.probabilities.values())).collect();
    sure.sort_by(f64::total_cmp);
    let half = PredictorOptions { abstain_below: Some(sure[6]), ..options() };
    let abstaining = all(&half);
    assert_eq!(abstaining.iter().filter(|answer| answer.abstained()).count(), 6);
    for (answer, all) in abstaining.iter().zip(&answers) {
        assert_eq!(answer.probabilities, all.probabilities);
        assert_eq!(answer.label(), all.label().filter(|_| highest(all.probabilities.values()) >= sure[6]));
        assert_eq!(answer.label().is_none(), answer.abstained());
    }
    let measured = measured(&request.out, &place.path("test.jsonl"), &half).answered.unwrap();
    assert_eq!((measured.coverage, measured.metrics.unwrap().examples), (0.5, 6));

    let worker = Worker::start(
        Predictor::open(&request.out, &PredictorOptions { abstain_below: Some(1.0), ..options() }).unwrap(),
        WorkerOptions::default(),
    );
    let answers = worker.caller().classify(vec![Row::new("A car.", "The car.")]).unwrap();
    assert!(answers[0].prediction.abstained() && answers[0].prediction.label().is_none());
    worker.finish();
}
