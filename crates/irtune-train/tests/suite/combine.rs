//! A finished run that is combined with the linear model afterwards.

use irtune_testing::corpus::Words;
use irtune_train::{CombineError, HeadKind, Predictor, PredictorOptions, RunFolder, RunFolderError, combine};
use std::fs;
use std::path::Path;

use crate::recorder::Recorder;
use crate::runs::{Place, finish, interrupted};

fn place() -> Place {
    let rows =
        |count: usize, first: usize| Words { count, first, documents: None, labels: &[0, 1, 2] }.rows();
    Place::new(&rows(40, 0), &rows(12, 500))
}

fn error(run: &Path, out: &Path) -> CombineError {
    combine(run, out, None, &mut Recorder::default()).unwrap_err()
}

#[test]
fn a_run_combined_afterwards_is_one_that_was_trained_so() {
    let place = place();
    for head in [HeadKind::Pooled, HeadKind::Edit] {
        let request = |name: &str, stack: bool| {
            place.request(&format!("{name}-{head}"), |settings| {
                (settings.head, settings.stack, settings.max_steps) = (head, stack, Some(4));
            })
        };
        let (alone, both) = (request("alone", false), request("both", true));
        let (summary_alone, _) = finish(&alone);
        let (expected, _) = finish(&both);
        assert!(summary_alone.stack.is_none());
        let out = place.path(&format!("afterwards-{head}"));
        let found = combine(&alone.out, &out, None, &mut Recorder::default()).unwrap();
        assert_eq!(found.stack, expected.stack);
        assert_eq!(found.calibration, expected.calibration);
        assert_eq!(found.linear, expected.linear);
        assert_eq!(found.test.as_ref().unwrap().metrics, expected.test.as_ref().unwrap().metrics);
        assert_eq!(RunFolder::open(&out).unwrap().summary().unwrap(), Some(found));
        for file in [
            "settings.toml",
            "stack.json",
            "calibration.json",
            "test_predictions.jsonl",
            "linear.safetensors",
            "adapter/classifier.json",
            "labels.json",
        ] {
            let read = |folder: &Path| fs::read(folder.join(file)).unwrap();
            assert_eq!(read(&out), read(&both.out), "{file}");
        }
        let evaluations = |folder: &Path| RunFolder::open(folder).unwrap().evaluations().unwrap().count();
        assert_eq!(evaluations(&out), evaluations(&both.out));
    }
}

#[test]
fn what_cannot_be_combined_is_refused_and_nothing_is_left() {
    let place = place();
    let run = place.request("run", |settings| (settings.stack, settings.max_steps) = (false, Some(2)));
    interrupted(&run, 1);
    let out = place.path("out");
    assert!(matches!(error(&run.out, &out), CombineError::Unfinished { .. }));
    let without = place.request("without", |settings| {
        (settings.validation_fraction, settings.max_steps) = (0.0, Some(1));
    });
    let (summary, _) = finish(&without);
    assert!(summary.stack.is_none(), "without validation pairs there is nothing to combine on");
    assert!(matches!(error(&without.out, &out), CombineError::NoValidation { .. }));
    let both = place.request("both", |settings| (settings.stack, settings.max_steps) = (true, Some(1)));
    finish(&both);
    assert!(matches!(error(&both.out, &out), CombineError::Already { .. }));
    let alone = place.request("alone", |settings| (settings.stack, settings.max_steps) = (false, Some(1)));
    finish(&alone);
    assert!(matches!(error(&alone.out, &both.out), CombineError::Folder(_)));
    let test = fs::read_to_string(place.path("test.jsonl")).unwrap();
    fs::write(place.path("test.jsonl"), test.replacen('.', "!", 1) + "\n").unwrap();
    let changed = error(&alone.out, &out).to_string();
    assert!(changed.contains("test.jsonl: the file has changed since the run was begun"), "{changed}");
    fs::remove_file(place.path("test.jsonl")).unwrap();
    let before = place.names();
    assert!(matches!(error(&alone.out, &out), CombineError::Folder(RunFolderError::Read { .. })));
    assert_eq!(place.names(), before);
}

#[test]
fn a_combination_of_other_labels_is_refused() {
    let place = place();
    let run = place.request("run", |settings| (settings.stack, settings.max_steps) = (true, Some(1)));
    finish(&run);
    let open = || Predictor::open(&run.out, &PredictorOptions::default()).map(drop);
    open().unwrap();
    let kept = place.path("kept.safetensors");
    fs::copy(run.out.join("linear.safetensors"), &kept).unwrap();
    let labels = fs::read_to_string(run.out.join("labels.json")).unwrap();
    fs::write(run.out.join("labels.json"), labels.replace("style", "tone")).unwrap();
    fs::remove_file(run.out.join("calibration.json")).unwrap();
    let message = open().unwrap_err().to_string();
    assert!(
        message.contains("the model's rows are the labels clarity, fluency, style, but the run lists"),
        "{message}"
    );
    fs::write(run.out.join("labels.json"), labels).unwrap();
    let other = place.request("other", |settings| (settings.stack, settings.max_steps) = (true, Some(1)));
    for name in ["train.jsonl", "test.jsonl"] {
        let rows = fs::read_to_string(place.path(name)).unwrap();
        fs::write(place.path(name), rows.replace("style", "tone")).unwrap();
    }
    finish(&other);
    fs::copy(other.out.join("linear.safetensors"), run.out.join("linear.safetensors")).unwrap();
    let message = open().unwrap_err().to_string();
    assert!(message.contains("linear.safetensors: it is of other labels than the model"), "{message}");
    fs::copy(kept, run.out.join("linear.safetensors")).unwrap();
    fs::write(run.out.join("stack.json"), r#"{"first": 1, "second": 1, "offsets": []}"#).unwrap();
    let message = open().unwrap_err().to_string();
    assert!(message.contains("stack.json: it is of other labels than the model"), "{message}");
}
