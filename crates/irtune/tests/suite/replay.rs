//! `irtune replay`: what it prints, that it decides as a run did, and what it refuses.

use irtune_testing::sandbox::Sandbox;
use serde_json::Value;

/// Six steps of eight layers, a ramp that turns over.
fn scores() -> String {
    (0..6)
        .map(|step| {
            let scores: Vec<String> =
                (0..8).map(|layer| format!("{}.5", (layer * (step + 2)) % 11)).collect();
            format!("[{}]\n", scores.join(", "))
        })
        .collect()
}

fn sandbox(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("scores.jsonl", text);
    sandbox
}

fn out(arguments: &str) -> String {
    let said = sandbox(&scores()).run(&format!("replay --scores scores.jsonl {arguments}")).success();
    assert_eq!(said.error, "");
    said.out
}

fn fails(text: &str, arguments: &str) -> String {
    sandbox(text).run(&format!("replay --scores scores.jsonl {arguments}")).failure()
}

#[test]
fn choices_step_by_step() {
    insta::assert_snapshot!(out("--method ir"));
    assert_eq!(out("--method ir --seed 171"), out("--method ir"));
    assert_ne!(out("--method rst --seed 1"), out("--method rst --seed 2"));
}

#[test]
fn choices_as_json() {
    insta::assert_snapshot!(out("--method ir-cost --budget 0.3 --adapter-cost 0.5 --json"));
}

#[test]
fn every_method_without_probes_can_be_replayed() {
    for method in irtune_select::METHODS.iter().filter(|method| method.name != "ist") {
        let text = out(&format!("--method {}", method.name));
        assert_eq!(text.lines().count(), 6, "{text}");
    }
}

#[test]
fn a_run_is_replayed_from_its_own_log() {
    let sandbox = Sandbox::with_base();
    let options = "--split-num 2 --fidelity published";
    sandbox
        .run(&format!(
            "train --base base --train train.jsonl --out run --max-length 400 --max-steps 6 --batch-size 4 --rank 4 \
             --precision f32 --seed 7 {options}"
        ))
        .success();
    let said = sandbox
        .run(&format!("replay --scores run/metrics.jsonl --method ir --seed 7 {options} --json"))
        .success();
    let replayed: Value = serde_json::from_str(&said.out).unwrap();
    let log = std::fs::read_to_string(sandbox.path("run/metrics.jsonl")).unwrap();
    let chosen: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["active_layers"].clone())
        .collect();
    let again: Vec<Value> =
        replayed["steps"].as_array().unwrap().iter().map(|step| step["active_layers"].clone()).collect();
    assert_eq!(chosen.len(), 6);
    assert_eq!(again, chosen);
}

#[test]
fn missing_scores_come_from_the_next_line_that_has_them() {
    let whole = "[1.0, 5.0, 2.0]\n[3.0, 1.0, 2.0]\n[3.0, 1.0, 9.0]\n";
    let partial = "[1.0, 5.0, 2.0]\n[null, 1.0, 2.0]\n\n{\"step\": 3, \"scores\": [3.0, 1.0, 9.0]}\n";
    let out = |text: &str| {
        sandbox(text).run("replay --scores scores.jsonl --method ir --metric cosine").success().out
    };
    assert_eq!(out(whole), out(partial));
    assert_eq!(out(whole).lines().count(), 3);
}

#[test]
fn method_that_is_not_there() {
    insta::assert_snapshot!(fails(&scores(), "--method irr"));
}

#[test]
fn options_that_do_not_fit() {
    insta::assert_snapshot!(fails(&scores(), "--method lisa --layers none --budget 0.5"));
}

#[test]
fn layers_that_are_not_there() {
    insta::assert_snapshot!(fails(&scores(), "--method fixed --layers 3,9"));
}

#[test]
fn method_that_needs_a_model() {
    insta::assert_snapshot!(fails(&scores(), "--method ist"));
}

#[test]
fn file_that_is_not_there() {
    insta::assert_snapshot!(Sandbox::new().run("replay --scores nowhere.jsonl --method ir").failure());
}

#[test]
fn file_without_scores() {
    insta::assert_snapshot!(fails("\n", "--method ir"));
}

#[test]
fn line_that_is_no_json() {
    insta::assert_snapshot!(fails("[1.0, 2.0]\n[1.0, 2.0\n", "--method ir"));
}

#[test]
fn line_without_scores() {
    insta::assert_snapshot!(fails("[1.0, 2.0]\n\n{\"loss\": 2.0}\n", "--method ir"));
}

#[test]
fn line_of_another_length() {
    insta::assert_snapshot!(fails("[1.0, 2.0]\n[1.0, 2.0, 3.0]\n", "--method ir"));
}

#[test]
fn layer_that_is_never_scored() {
    insta::assert_snapshot!(fails("[1.0, 2.0]\n[1.0, null]\n", "--method ir"));
}

#[test]
fn score_that_no_gradient_has() {
    insta::assert_snapshot!(fails("[1.0, 2.0]\n[1.0, -2.0]\n[-1.0, -2.0]\n", "--method ir"));
}
