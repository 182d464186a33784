//! Pairs that can have several labels, from training to a merged model, on a tiny model.

use irtune_testing::sandbox::Sandbox;
use serde_json::{Value, json};

const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --test test.jsonl --multi-label true \
    --max-length 400 --batch-size 4 --epochs 2 --warmup-steps 2 --learning-rate 1e-3 --precision f32 --rank 4";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A sandbox whose pairs correct grammar, shorten, both or neither.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_base();
    for (part, count) in [("train", 24), ("validation", 8), ("test", 8)] {
        let nouns = ["river", "garden", "engine", "letter", "window"];
        let row = |number: usize| {
            let noun = nouns[(number + part.len()) % nouns.len()];
            let (verb, start) = (["is", "are"][number % 2], ["The", "It is true that the"][number / 2 % 2]);
            let labels = [("fluency", number % 2 == 1), ("clarity", number / 2 % 2 == 1)];
            let labels: Vec<&str> = labels.iter().filter(|(_, has)| *has).map(|(label, _)| *label).collect();
            let (original, revised) =
                (format!("{start} {noun} {verb} old."), format!("The {noun} is old {number}."));
            format!(
                "{}\n",
                json!({"id": format!("{part}-{number}"), "original": original, "revised": revised, "label": labels})
            )
        };
        sandbox.write(&format!("{part}.jsonl"), &(0..count).map(row).collect::<String>());
    }
    sandbox
}

#[test]
fn several_labels_from_training_to_a_merged_model() {
    let sandbox = sandbox();
    let said = sandbox.run(&format!("{TRAIN} --out first --json")).success();
    let summary = json(&said.out);
    let metrics = &summary["test"]["metrics"];
    for figure in ["micro_f1", "samples_f1", "hamming_loss"] {
        assert!(metrics["multi_label"][figure].is_number(), "{metrics}");
    }
    assert!(
        metrics.get("confusion").is_none()
            && summary["calibration"]["fitted"]["thresholds"]["clarity"].is_number()
    );
    for text in ["subset accuracy", "micro F1", "samples F1", "Hamming loss"] {
        assert!(said.error.contains(text), "{text}: {}", said.error);
    }
    assert!(
        said.error.contains("it tells one label of a pair, and pairs can have several"),
        "{}",
        said.error
    );

    // What the run measured is what eval measures, and predict tells.
    let measured =
        json(&sandbox.run("eval --run first --data test.jsonl --precision f32 --json").success().out);
    assert_eq!(measured["metrics"]["macro_f1"], metrics["macro_f1"]);
    assert_eq!(measured["metrics"]["multi_label"], metrics["multi_label"]);
    let text = sandbox.run("eval --run first --data test.jsonl --precision f32").success().out;
    assert!(text.contains("subset accuracy") && text.contains("counted as a decision of its own"), "{text}");
    assert!(!text.contains("abstain") && !text.contains("true \\ predicted"), "{text}");
    let predict =
        |run: &str| sandbox.run(&format!("predict --run {run} --data test.jsonl --precision f32")).success();
    let lines: Vec<Value> = predict("first").out.lines().map(json).collect();
    assert_eq!(lines.len(), 8);
    for line in &lines {
        let thresholds = &summary["calibration"]["fitted"]["thresholds"];
        let given = ["clarity", "fluency"].into_iter().filter(|label| {
            line["probabilities"][label].as_f64().unwrap() >= thresholds[label].as_f64().unwrap()
        });
        assert_eq!(line["labels"], json!(given.collect::<Vec<_>>()), "{line}");
        assert!(line.get("label").is_none(), "{line}");
    }

    sandbox.run("merge --run first --out merged").success();
    let config = json(&std::fs::read_to_string(sandbox.path("merged/config.json")).unwrap());
    assert_eq!(config["problem_type"], "multi_label_classification");
    let merged: Vec<Value> = predict("merged").out.lines().map(json).collect();
    for (one, other) in lines.iter().zip(&merged) {
        assert_eq!(one["labels"], other["labels"]);
    }

    let about = sandbox.run("inspect first").success().out;
    assert!(about.contains("any number of them, or none") && about.contains("micro F1"), "{about}");
    assert!(about.contains("counted as a decision of its own") && !about.contains("abstain"), "{about}");

    let said = sandbox.run("eval --run first --data test.jsonl --abstain-below 0.5");
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(said.failure());
}

#[test]
fn what_is_for_one_label_is_refused() {
    let sandbox = sandbox();
    let options = "--label-smoothing 0.1 --soft-labels true --objective words";
    let said = sandbox.run(&format!("{TRAIN} --out first {options}"));
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.failure());
    let compare = "compare --base base --train train.jsonl --test test.jsonl --methods full --seeds 1 --multi-label true";
    let said = sandbox.run(&format!("{compare} --out compared"));
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.failure());
}

#[test]
fn data_says_how_many_labels_rows_have() {
    let sandbox = sandbox();
    let said = sandbox.run("data train.jsonl --multi-label").success();
    insta::assert_snapshot!(said.out);
    let found = json(&sandbox.run("data train.jsonl --multi-label --json").success().out);
    assert_eq!(found["files"][0]["labels_of_a_row"], json!({"0": 6, "1": 12, "2": 6}));
    assert!(found["files"][0]["agreement"].is_null());
}
