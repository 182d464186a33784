//! The language model itself names the labels: `irtune prompt`, and runs that train it to.

use irtune_testing::{base::SyntheticBase, sandbox::Sandbox};
use serde_json::Value;

const PROMPT: &str = "prompt --base base --test test.jsonl --precision f32 --max-length 400";
const SHOTS: &str = "--train train.jsonl --shots 1 --max-length 250";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn probabilities(sandbox: &Sandbox, name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(sandbox.path(name)).unwrap();
    let shares = |line: &str| -> Vec<f64> {
        let line = json(line);
        line["probabilities"].as_object().unwrap().values().map(|share| share.as_f64().unwrap()).collect()
    };
    text.lines().flat_map(shares).collect()
}

fn close(left: &[f64], right: &[f64]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| (left - right).abs() < 1e-5)
}

#[test]
fn without_training_it_is_measured_beside_the_majority() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run(&format!("{PROMPT} --out first.jsonl")).success();
    assert!(said.out.starts_with("no shots, longest prompt "), "{}", said.out);
    assert!(said.out.contains("macro F1") && said.out.contains("true / predicted"), "{}", said.out);
    // Three of the eight test pairs are revised for fluency, and as many for clarity.
    assert!(said.out.contains("\nalways guessing clarity: accuracy 0.3750, macro F1 0.1818"), "{}", said.out);

    let value =
        json(&sandbox.run(&format!("{PROMPT} --json --batch-size 1 --out alone.jsonl")).success().out);
    assert_eq!(value["metrics"]["examples"], 8);
    assert_eq!(value["words"]["meaning-changed"], "meaning changed");
    assert_eq!(value["majority"]["label"], "clarity");
    assert_eq!((&value["unlabelled"], &value["chat"]), (&0.into(), &false.into()));
    let test = std::fs::read_to_string(sandbox.path("test.jsonl")).unwrap();
    sandbox.write("some.jsonl", &(test + "{\"original\": \"a\", \"revised\": \"b\", \"label\": \"\"}\n"));
    let said =
        sandbox.run(&format!("{} --drop-unlabelled", PROMPT.replace("test.jsonl", "some.jsonl"))).success();
    assert!(said.error.contains("note: 1 rows have no label and were left out"), "{}", said.error);
    assert!(close(&probabilities(&sandbox, "first.jsonl"), &probabilities(&sandbox, "alone.jsonl")));
    let first = std::fs::read_to_string(sandbox.path("first.jsonl")).unwrap();
    assert_eq!(json(first.lines().next().unwrap())["id"], "test-0");
}

#[test]
fn words_and_normalisation_change_the_scores() {
    let sandbox = Sandbox::with_base();
    sandbox.write("words.json", r#"{"clarity": "it is clearer"}"#);
    let mut all: Vec<Vec<f64>> = Vec::new();
    for more in ["", "--normalise tokens", "--normalise prior", "--label-words words.json"] {
        sandbox.run(&format!("{PROMPT} --out out.jsonl {more}")).success();
        let found = probabilities(&sandbox, "out.jsonl");
        assert!(all.iter().all(|other| !close(&found, other)), "{more}");
        all.push(found);
    }
}

#[test]
fn shots_are_shown_and_depend_on_the_seed() {
    let sandbox = Sandbox::with_base();
    let run = |more: &str| {
        let said = sandbox
            .run(&format!("prompt --base base --test test.jsonl {SHOTS} {more} --out out.jsonl --json"));
        (json(&said.success().out), probabilities(&sandbox, "out.jsonl"))
    };
    let ((value, first), (_, again), (_, other)) = (run(""), run(""), run("--seed 5"));
    assert_eq!(value["shots"], 1);
    assert_eq!(first, again);
    assert!(!close(&first, &other));
    let shown = value["longest_prompt"].as_u64().unwrap();
    let alone =
        json(&sandbox.run(&format!("{PROMPT} --json")).success().out)["longest_prompt"].as_u64().unwrap();
    assert!(shown > alone + 3 * 60, "{shown} {alone}");
}

#[test]
fn what_cannot_be_asked_is_refused_with_a_way_out() {
    let sandbox = Sandbox::with_base();
    let refused = |arguments: &str, code: i32, expected: &str| {
        let said = sandbox.run(arguments);
        assert_eq!(said.code, Some(code), "{}", said.error);
        assert!(said.error.contains(expected), "{}", said.error);
    };
    refused(&format!("{PROMPT} --shots 1"), 2, "give a file with --train");
    refused(&format!("{PROMPT} --normalise all"), 2, "use none, tokens or prior");
    refused(&format!("{PROMPT} --chat maybe --batch-size 0"), 2, "use auto, on or off");
    refused(&format!("{PROMPT} --label-words none.json"), 2, "there is no such file");
    refused(&format!("{PROMPT} --chat on"), 1, "the base has no chat template");
    refused(&format!("{PROMPT} --prompt pair"), 1, "end it with a cue");
    refused(&format!("{PROMPT} --train train.jsonl --shots 9"), 1, "lower shots, or add pairs");
    // The tiny model was made for 1024 positions.
    refused(&format!("{PROMPT} --train train.jsonl --shots 6"), 1, "lower --shots or --max-length");
    sandbox.write("words.json", r#"{"fluent": "fluent"}"#);
    refused(&format!("{PROMPT} --label-words words.json"), 1, "there is no label \"fluent\"");
    assert!(sandbox.contents().iter().all(|file| !file.contains("out")));
}

#[test]
fn a_run_trains_the_words_and_is_used_like_any_other() {
    let sandbox = Sandbox::with_base();
    let train = "train --base base --train train.jsonl --validation validation.jsonl --test test.jsonl --rank 4 \
        --max-length 400 --batch-size 4 --warmup-steps 2 --learning-rate 5e-3 --precision f32 --objective words";
    sandbox.run(&format!("{train} --epochs 4 --min-steps 0 --out first")).success();
    let steps = std::fs::read_to_string(sandbox.path("first/metrics.jsonl")).unwrap();
    let losses: Vec<f64> = steps.lines().map(|line| json(line)["loss"].as_f64().unwrap()).collect();
    // At first a byte is as good as any other.
    assert!((losses[0] - f64::ln(257.0)).abs() < 0.5, "{losses:?}");
    assert!(losses[losses.len() - 1] < losses[0] - 0.3, "{losses:?}");

    let config = json(&std::fs::read_to_string(sandbox.path("first/adapter/adapter_config.json")).unwrap());
    assert_eq!(config["task_type"], "CAUSAL_LM");
    assert!(!sandbox.path("first/adapter/config.json").exists());
    assert_eq!(
        json(&std::fs::read_to_string(sandbox.path("first/words.json")).unwrap())[2],
        "meaning changed"
    );

    let summary = json(&std::fs::read_to_string(sandbox.path("first/summary.json")).unwrap());
    let expected: usize = SyntheticBase::of_bytes().sizes.layers * 4 * (64 + 48 + 48 + 96 + 96);
    assert_eq!(summary["parameters"], expected);
    let value = json(&sandbox.run("eval --run first --data test.jsonl --precision f32 --json").success().out);
    assert_eq!(value["metrics"]["macro_f1"], summary["test"]["metrics"]["macro_f1"]);
    let said = sandbox.run("predict --run first --data test.jsonl --precision f32").success();
    assert_eq!(said.out.lines().count(), 8);
    assert!(json(said.out.lines().next().unwrap())["probabilities"]["fluency"].is_number());

    let said = sandbox.run(&format!("{train} --label-words words.json --max-steps 2 --out second"));
    assert_eq!(said.code, Some(1), "the file is not there");
    let said = sandbox.run(&format!("{train} --prompt pair --max-steps 2 --out second"));
    assert!(said.error.contains("end it with a cue"), "{}", said.error);
}
