//! Pairs that can have several labels, through whole runs on a tiny Llama.

use crate::recorder::Recorder;
use crate::runs::{Place, failure, finish, interrupted, never};
use irtune_data::{Columns, DataError, Labels, Pairs, Row, Votes};
use irtune_model::{Precision, ProblemType};
use irtune_testing::corpus::WORD_LABELS;
use irtune_train::{
    ClassWeights, DataSplit, Decided, Decision, FoldsError, FoldsOutcome, HeadKind, HeldOut, MergeOptions,
    Notice, Prediction, Predictor, PredictorError, PredictorOptions, Reading, RunFolder, StoredCalibration,
    Told, TrainError, TrainOutcome, Worker, WorkerOptions, cross_validate, merge, resume,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Which labels a row has: each of the eight sets in turn, `style` in fewer rows than the others.
fn has(number: usize) -> [bool; 3] {
    [number & 1 == 1, number & 2 == 2, number.is_multiple_of(5)]
}

fn texts(number: usize) -> (String, String) {
    let original = format!("w{} w{} w{}", 10 + number % 7, 20 + number % 5, 30 + number % 11);
    let added = (0..3).filter(|&label| has(number)[label]);
    let added: String = added.map(|label| format!(" w{}", 100 + 20 * label)).collect();
    (original.clone(), format!("{original} w{}{added}", 60 + number % 3))
}

fn labels(number: usize) -> Vec<&'static str> {
    (0..3).filter(|&label| has(number)[label]).map(|label| WORD_LABELS[label]).collect()
}

/// Rows whose label is a list; what was added tells which labels it holds.
fn rows(count: usize, first: usize) -> String {
    let row = |number: usize| {
        let (original, revised) = texts(number);
        let row = json!({
            "id": format!("row{number}"), "original": original, "revised": revised, "label": labels(number),
            "group": format!("d{}", number % 13),
        });
        format!("{row}\n")
    };
    (first..first + count).map(row).collect()
}

fn place() -> Place {
    Place::new(&rows(60, 0), &rows(16, 500))
}

fn options() -> PredictorOptions {
    PredictorOptions { precision: Precision::F32, threads: Some(1), ..Default::default() }
}

fn read(place: &Place, labels: Labels) -> Pairs {
    Pairs::open(&place.path("test.jsonl"), &Columns::default(), labels).unwrap()
}

fn predictions(place: &Place, model: &Path, options: &PredictorOptions) -> Vec<Prediction> {
    let mut predictor = Predictor::open(model, options).unwrap();
    let answers = predictor.predict(read(place, Labels::Optional), Reading::Ahead);
    answers.map(|answer| answer.unwrap().prediction).collect()
}

/// A step's loss, gradient norm and layers.
type Step = (f64, f64, Vec<usize>);

/// Everything that two equal runs have alike.
fn traces(path: &Path) -> (Vec<Step>, BTreeMap<String, Vec<u8>>) {
    let run = RunFolder::open(path).unwrap();
    let steps = run.steps().unwrap().map(Result::unwrap);
    let steps = steps.map(|step| (step.loss, step.gradient_norm, step.active_layers)).collect();
    let entries = fs::read_dir(run.adapter_path()).unwrap().map(|entry| entry.unwrap().path());
    let beside = ["calibration.json", "test_predictions.jsonl"].map(|name| path.join(name));
    let files = entries
        .chain(beside)
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()));
    (steps, files.collect())
}

#[test]
fn a_run_learns_any_number_of_labels_with_either_head() {
    let place = place();
    for head in [HeadKind::Pooled, HeadKind::Edit] {
        let request = |out: &str| {
            place.request(&format!("{head} {out}"), |settings| {
                (settings.multi_label, settings.head) = (true, head);
                (settings.epochs, settings.learning_rate) = (8, 0.02);
            })
        };
        let whole = request("whole");
        let (summary, recorder) = finish(&whole);
        let run = RunFolder::open(&whole.out).unwrap();
        let (steps, kept) = traces(&whole.out);
        assert!(steps.last().unwrap().0 < steps[0].0 * 0.7, "{head}: {steps:?}");
        assert!(summary.linear.is_none() && summary.collapsed.is_none());
        let told =
            |notice: &Notice| matches!(notice, Notice::NoLinear { reason } if reason.contains("several"));
        assert!(recorder.notices.iter().any(told), "{:?}", recorder.notices);

        // Measured again, it is what the run measured, by the thresholds that it tuned.
        let test = summary.test.unwrap();
        let several = test.metrics.multi_label.unwrap();
        assert!(several.micro_f1 > 0.6 && test.metrics.confusion.is_empty(), "{head}: {:?}", test.metrics);
        let mut predictor = Predictor::open(&whole.out, &options()).unwrap();
        assert_eq!(predictor.problem(), ProblemType::MultiLabel);
        let measured = predictor.evaluate(read(&place, Labels::Several), None).unwrap();
        assert!((measured.loss - test.loss).abs() < 1e-5, "{head}: {} {}", measured.loss, test.loss);
        assert_eq!(measured.metrics.classes, test.metrics.classes, "{head}");
        assert!((measured.probabilities.log_loss - measured.loss).abs() < 1e-6);
        assert_eq!(measured.kinds[0].accuracy, measured.metrics.accuracy);
        let stored: StoredCalibration = serde_json::from_slice(&kept["calibration.json"]).unwrap();
        assert!(stored.offsets.is_empty() && stored.thresholds.keys().eq(WORD_LABELS));
        let Some(Decided::Several(decided)) = run.decided(&run.labels().unwrap()).unwrap() else { panic!() };
        assert_eq!((decided.examples(), decided.truth(0)), (16, &has(500)[..]));

        // Answers are lists, and a probability for each label, which need not sum to 1.
        let answers = predictions(&place, &whole.out, &options());
        let Some(Decision::Several(rule)) = run.calibration(predictor.labels()).unwrap() else { panic!() };
        for (example, answer) in answers.iter().enumerate() {
            let given: Vec<String> = decided
                .predicted(example)
                .iter()
                .zip(WORD_LABELS)
                .filter(|(given, _)| **given)
                .map(|(_, label)| label.to_owned())
                .collect();
            assert_eq!(answer.told, Told::Labels(given));
            let sure = answer.probabilities.values().iter().zip(rule.thresholds());
            assert_eq!(sure.filter(|(value, threshold)| value >= threshold).count(), answer.labels().len());
        }
        let sums: Vec<f64> =
            answers.iter().map(|answer| answer.probabilities.values().iter().sum()).collect();
        assert!(sums.iter().any(|sum| (sum - 1.0).abs() > 0.1), "{sums:?}");
        let line: Value = serde_json::to_value(&answers[0]).unwrap();
        assert!(line["labels"].is_array() && line.get("label").is_none(), "{line}");
        assert_eq!(serde_json::from_value::<Prediction>(line).unwrap(), answers[0]);

        // transformers is told how the outputs are meant, and a merged model says the same.
        let config: Value = serde_json::from_slice(&kept["classifier.json"]).unwrap();
        assert_eq!(config["problem_type"], "multi_label_classification");
        let merged = place.path(&format!("{head} merged"));
        merge(&whole.out, &merged, &MergeOptions::default(), &mut |_, _| {}).unwrap();
        let config: Value = serde_json::from_slice(&fs::read(merged.join("config.json")).unwrap()).unwrap();
        assert_eq!(config["problem_type"], "multi_label_classification");
        for (one, other) in predictions(&place, &merged, &options()).iter().zip(&answers) {
            assert_eq!((&one.id, &one.told), (&other.id, &other.told));
            for (one, other) in one.probabilities.values().iter().zip(other.probabilities.values()) {
                assert!((one - other).abs() < 1e-4);
            }
        }

        let parts = request("parts");
        interrupted(&parts, 5);
        let outcome = resume(&parts.out, &mut Recorder::default(), &never()).unwrap();
        assert!(matches!(outcome, TrainOutcome::Finished(_)), "{outcome:?}");
        assert_eq!(traces(&parts.out), (steps, kept), "{head}");
    }
}

#[test]
fn the_loss_is_the_mean_over_pairs_and_labels() {
    let place = place();
    let request = |out: &str, batch_size, class_weights: ClassWeights| {
        let mut request = place.request(out, |settings| {
            (settings.multi_label, settings.class_weights) = (true, class_weights);
            (settings.batch_size, settings.gradient_accumulation) = (batch_size, 60 / batch_size);
            (settings.max_steps, settings.learning_rate, settings.dropout) = (Some(1), 1e-9, 0.0);
            (settings.calibrate, settings.max_length) = (false, 40);
        });
        // The step sees what is evaluated after it, which is hardly another model.
        request.validation = Some(request.train.clone());
        request
    };
    let losses = |request: &irtune_train::TrainRequest| {
        finish(request);
        let run = RunFolder::open(&request.out).unwrap();
        let step = run.steps().unwrap().next().unwrap().unwrap();
        let mut evaluations = run.evaluations().unwrap().map(Result::unwrap);
        let validation = evaluations.find(|evaluation| evaluation.split == DataSplit::Validation).unwrap();
        (step.loss, step.gradient_norm, validation.loss)
    };
    let (step, norm, evaluated) = losses(&request("whole", 60, ClassWeights::None));
    assert!((step - evaluated).abs() < 1e-5, "{step} {evaluated}");
    let (parts, parts_norm, _) = losses(&request("parts", 6, ClassWeights::None));
    assert!((step - parts).abs() < 1e-6 && (norm - parts_norm).abs() < 1e-4 * norm, "{step} {parts}");
    // Weights count having a label; the mean is still over all pairs and labels.
    let (weighted, ..) = losses(&request("weighted", 6, ClassWeights::Balanced));
    let balanced = ClassWeights::Balanced;
    let (_, recorder) = finish(&request("again", 6, balanced));
    let weights = recorder.notices.iter().find_map(|notice| match notice {
        Notice::ClassWeights { weights } => {
            Some(weights.iter().map(|(_, weight)| *weight).collect::<Vec<f64>>())
        }
        _ => None,
    });
    assert_eq!(weights.unwrap(), [1.0, 1.0, 4.0]);
    assert!(weighted > step, "{weighted} {step}");
}

#[test]
fn a_worker_takes_rows_and_a_run_keeps_them() {
    let place = place();
    let row = |number: usize| {
        let (original, revised) = texts(number);
        let votes = labels(number).into_iter().map(|label| Some(label.to_owned())).collect();
        Row { votes: Some(Votes::Annotators(votes)), ..Row::new(original, revised) }
    };
    let mut request = place.request("run", |settings| {
        (settings.multi_label, settings.max_steps) = (true, Some(4));
    });
    request.train = irtune_data::CorpusSource::rows("training rows", (0..60).map(row));
    interrupted(&request, 2);
    let outcome = resume(&request.out, &mut Recorder::default(), &never()).unwrap();
    assert!(matches!(outcome, TrainOutcome::Finished(_)), "{outcome:?}");
    let expected = predictions(&place, &request.out, &options());
    let worker = Worker::start(Predictor::open(&request.out, &options()).unwrap(), WorkerOptions::default());
    let rows = (500..516).map(|number| Row { votes: None, ..row(number) }).collect();
    let answers = worker.caller().classify(rows).unwrap();
    assert!(answers.iter().zip(&expected).all(|(found, expected)| found.prediction.told == expected.told));
    worker.finish();
}

#[test]
fn a_cross_validation_measures_all_pairs_and_has_no_suspects() {
    let place = place();
    let mut request = place.request("folds", |settings| {
        (settings.multi_label, settings.max_steps) = (true, Some(2));
    });
    request.test = None;
    let outcome = cross_validate(&request, 2, &mut Recorder::default(), &never()).unwrap();
    let FoldsOutcome::Finished(found) = outcome else { panic!("{outcome:?}") };
    assert_eq!((found.pooled.examples, found.runs.len()), (60, 2));
    assert!(found.pooled.multi_label.is_some());
    let support: Vec<u64> = found.pooled.classes.iter().map(|class| class.support).collect();
    assert_eq!(support, [30, 30, 12]);
    let error = HeldOut::read(&request.out).unwrap_err();
    assert!(matches!(&error, TrainError::Folds(FoldsError::SeveralLabels { .. })), "{error}");
}

#[test]
fn what_does_not_fit_says_so() {
    let place = place();
    let request = place.request("run", |settings| {
        (settings.multi_label, settings.max_steps) = (true, Some(1));
    });
    finish(&request);
    let mut predictor = Predictor::open(&request.out, &options()).unwrap();
    let error = predictor.evaluate(read(&place, Labels::Optional), None).unwrap_err();
    let otherwise = matches!(&error, PredictorError::ReadOtherwise { labels: Labels::Several, .. });
    assert!(otherwise, "{error}");
    assert!(error.to_string().contains("test.jsonl:1: the pair was read otherwise"), "{error}");
    let sure = PredictorOptions { abstain_below: Some(0.5), ..options() };
    let error = Predictor::open(&request.out, &sure).err().unwrap();
    assert!(matches!(error, PredictorError::NothingToAbstainFrom), "{error}");
    let plain = PredictorOptions { calibrated: false, ..options() };
    for answer in predictions(&place, &request.out, &plain) {
        let sure = answer.probabilities.values().iter().filter(|value| **value >= 0.5);
        assert_eq!(sure.count(), answer.labels().len());
    }

    // Where some lists have one label and others several different ones, these are no annotators' votes.
    let error = failure(&place.request("single", |_| {}));
    assert!(error.to_string().contains("the row has several labels in column \"label\""), "{error}");
    let unlabelled = Place::new(&rows(20, 0).replace("\"label\":[]", "\"label\":null"), &rows(8, 500));
    let error = failure(&unlabelled.request("run", |settings| settings.multi_label = true));
    assert!(matches!(error, TrainError::Data(DataError::MissingLabels { .. })), "{error}");
}
