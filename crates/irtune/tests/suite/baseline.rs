//! The linear model: as a run of its own, beside a trained model, and combined with it.

use std::fs;

use irtune_testing::sandbox::Sandbox;
use serde_json::Value;

const DATA: &str = "--train train.jsonl --validation validation.jsonl --test test.jsonl";
const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --test test.jsonl --rank 2 \
    --max-length 400 --batch-size 8 --max-steps 3 --warmup-steps 1 --precision f32";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn summary(sandbox: &Sandbox, run: &str) -> Value {
    json(&fs::read_to_string(sandbox.path(run).join("summary.json")).unwrap())
}

#[test]
fn a_linear_run_is_read_by_every_command_that_reads_runs() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run(&format!("baseline {DATA} --out linear --json")).success();
    let printed = json(&said.out);
    assert_eq!(printed, summary(&sandbox, "linear"));
    assert_eq!(
        (&printed["method"], &printed["steps"], &printed["examples"]),
        (&"linear".into(), &0.into(), &24.into())
    );
    // What was changed tells the label of these sentences.
    assert_eq!(printed["test"]["metrics"]["accuracy"], 1.0);
    assert_eq!(printed["best_value"], printed["validation"]["macro_f1"]);
    for file in ["linear.safetensors", "linear.toml", "labels.json", "sources.json", "test_predictions.jsonl"]
    {
        assert!(sandbox.path("linear").join(file).is_file(), "{file}");
    }
    assert!(!sandbox.path("linear/settings.toml").exists());

    let measured = json(&sandbox.run("eval --run linear --data test.jsonl --json").success().out);
    assert_eq!(measured["metrics"]["macro_f1"], printed["test"]["metrics"]["macro_f1"]);
    assert_eq!(measured["loss"], printed["test"]["loss"]);

    let predicted = sandbox.run("predict --run linear --data test.jsonl").success().out;
    let kept = fs::read_to_string(sandbox.path("linear/test_predictions.jsonl")).unwrap();
    assert_eq!(predicted.lines().count(), 8);
    for (predicted, kept) in predicted.lines().zip(kept.lines()) {
        let (predicted, kept) = (json(predicted), json(kept));
        assert_eq!(predicted["label"], kept["label"]);
        let values: Vec<&Value> = predicted["probabilities"].as_object().unwrap().values().collect();
        assert_eq!(values, kept["probabilities"].as_array().unwrap().iter().collect::<Vec<_>>());
    }

    let text = sandbox.run("inspect linear").success().out;
    assert!(text.contains("What speaks most for each label") && text.contains("removed  are"), "{text}");
    let value = json(&sandbox.run("inspect linear --json").success().out);
    assert_eq!(value["kind"], "linear");
    assert_eq!(value["weights"][1]["label"], "fluency");
    assert_eq!(value["weights"][1]["removed"][0]["term"], "are");
    assert!(value["weights"][1]["removed"][0]["weight"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_same_pairs_give_the_same_linear_model() {
    let sandbox = Sandbox::with_base();
    let model = |run: &str| fs::read(sandbox.path(run).join("linear.safetensors")).unwrap();
    sandbox.run(&format!("baseline {DATA} --out first")).success();
    sandbox.run(&format!("baseline {DATA} --out second --seed 3")).success();
    assert_eq!(model("first"), model("second"));
    sandbox.run(&format!("baseline {DATA} --out fewer --train-size 9")).success();
    assert_ne!(model("first"), model("fewer"));
    assert_eq!(summary(&sandbox, "fewer")["examples"], 9);
    // The one beside a run is the one of the run's own pairs.
    sandbox.run(&format!("{TRAIN} --train-size 9 --out run")).success();
    assert_eq!(model("run"), model("fewer"));
}

#[test]
fn what_a_linear_run_cannot_do_is_said() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run("baseline --train nowhere.jsonl --test test.jsonl --fold 1/2 --train-size 0");
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!("wrong_settings_of_a_linear_model", said.failure());
    sandbox.run(&format!("baseline {DATA} --out linear")).success();
    let said = sandbox.run(&format!("baseline {DATA} --out linear"));
    assert_eq!(said.code, Some(2));
    assert!(said.failure().contains("linear is not empty"), "{}", said.failure());
    let said = sandbox.run("merge --run linear --out merged");
    assert!(
        said.failure().contains("is a linear model, which has neither base nor steps"),
        "{}",
        said.failure()
    );
    let said = sandbox.run("predict --run linear --data test.jsonl --base base");
    assert!(said.failure().contains("leave --base out"), "{}", said.failure());
    let path = sandbox.path("linear/linear.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let said = sandbox.run("predict --run linear --data test.jsonl");
    assert!(
        said.failure().contains("linear/linear.safetensors: not a file of tensors"),
        "{}",
        said.failure()
    );
}

#[test]
fn every_run_is_measured_against_the_linear_model() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run(&format!("{TRAIN} --stack false --out run")).success();
    assert!(said.error.contains("that is what this run has to beat"), "{}", said.error);
    let line = "On the test pairs, a linear model on the words that changed: macro-F1 1.000; this run: 0.";
    assert!(said.error.contains(line), "{}", said.error);
    assert!(said.error.contains("This run stays below the linear model. Try"), "{}", said.error);
    // Only terminals have colours.
    assert!(!said.error.contains('\x1b'), "{}", said.error);
    let summary = summary(&sandbox, "run");
    assert_eq!(summary["linear"]["test"]["macro_f1"], 1.0);
    assert_eq!(summary["validation"]["macro_f1"], summary["best_value"]);
    assert_eq!(summary["stack"], Value::Null);
    assert!(sandbox.run("inspect run").success().out.contains(line));
}

#[test]
fn a_stack_answers_with_both_models() {
    let sandbox = Sandbox::with_base();
    sandbox.run(&format!("{TRAIN} --stack false --out alone")).success();
    let said = sandbox.run(&format!("{TRAIN} --out both")).success();
    assert!(said.error.contains("; both combined: "), "{}", said.error);
    let (alone, both) = (summary(&sandbox, "alone"), summary(&sandbox, "both"));
    assert_eq!(both["validation"], alone["validation"]);
    let of_alone = &alone["test"]["metrics"];
    assert_eq!(both["stack"]["test_alone"]["macro_f1"], of_alone["macro_f1"]);
    assert_eq!(both["stack"]["test"]["macro_f1"], both["test"]["metrics"]["macro_f1"]);
    // Afterwards it comes to the same.
    let said = sandbox.run("combine --run alone --out afterwards --json").success();
    assert_eq!(json(&said.out)["stack"], both["stack"]);
    for file in ["stack.json", "calibration.json", "settings.toml"] {
        let read = |run: &str| fs::read(sandbox.path(run).join(file)).unwrap();
        assert!(read("afterwards") == read("both"), "{file}");
    }
    let said = sandbox.run("combine --run both --out twice");
    assert_eq!(said.code, Some(1));
    assert!(said.failure().contains("answers together with a linear model already"), "{}", said.failure());
    let said = sandbox.run("combine --run nowhere --out twice --base a/b/c");
    assert_eq!(said.code, Some(2));
    assert!(said.failure().contains("there is no such run folder"), "{}", said.failure());
    // A merged model answers as the run does.
    sandbox.run("merge --run both --out whole").success();
    let said = |run: &str| {
        sandbox.run(&format!("predict --run {run} --data test.jsonl --precision f32")).success().out
    };
    let labels = |out: &str| out.lines().map(|line| json(line)["label"].clone()).collect::<Vec<_>>();
    assert_eq!(labels(&said("whole")), labels(&said("both")));
    // The linear model knows these labels, and three steps teach the other one nothing.
    assert_eq!(both["test"]["metrics"]["macro_f1"], 1.0);
    let measured =
        json(&sandbox.run("eval --run both --data test.jsonl --precision f32 --json").success().out);
    assert_eq!(measured["metrics"]["macro_f1"], 1.0);
    assert!((measured["loss"].as_f64().unwrap() - both["test"]["loss"].as_f64().unwrap()).abs() < 1e-4);
    let predicted = sandbox.run("predict --run both --data test.jsonl --precision f32").success().out;
    let kept = fs::read_to_string(sandbox.path("both/test_predictions.jsonl")).unwrap();
    for (predicted, kept) in predicted.lines().zip(kept.lines()) {
        assert_eq!(json(predicted)["label"], json(kept)["label"]);
    }
    // Without its file the run's own model is what is left; without the linear model there is no answer.
    fs::rename(sandbox.path("both/linear.safetensors"), sandbox.path("elsewhere")).unwrap();
    let said = sandbox.run("predict --run both --data test.jsonl");
    assert!(said.failure().contains("no linear.safetensors to combine"), "{}", said.failure());
    fs::remove_file(sandbox.path("both/stack.json")).unwrap();
    let measured =
        json(&sandbox.run("eval --run both --data test.jsonl --precision f32 --json").success().out);
    assert_eq!(measured["metrics"]["macro_f1"], of_alone["macro_f1"]);
}

#[test]
fn without_validation_pairs_there_is_nothing_to_combine_on() {
    let sandbox = Sandbox::with_base();
    sandbox
        .run("train --base base --train train.jsonl --validation-fraction 0 --max-length 400 --max-steps 1 --out run")
        .success();
    assert_eq!(summary(&sandbox, "run")["stack"], Value::Null);
    assert!(!sandbox.path("run/stack.json").exists());
    let said = sandbox.run("combine --run run --out both");
    assert!(said.failure().contains("no validation pairs to learn the combination on"), "{}", said.failure());
}
