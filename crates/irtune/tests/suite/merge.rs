//! Training the layers' own weights, and merging runs into whole models, on a tiny model.

use irtune_testing::sandbox::Sandbox;
use serde_json::Value;

const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --test test.jsonl \
    --max-length 400 --batch-size 4 --epochs 2 --min-steps 0 --head pooled --stack false --warmup-steps 2 --learning-rate 1e-3 --precision f32";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The probabilities of every test pair.
fn probabilities(sandbox: &Sandbox, run: &str) -> Vec<f64> {
    let said = sandbox.run(&format!("predict --run {run} --data test.jsonl --precision f32")).success();
    let lines: Vec<Value> = said.out.lines().map(json).collect();
    assert_eq!(lines.len(), 8);
    let shares = lines.iter().flat_map(|line| line["probabilities"].as_object().unwrap().values());
    shares.map(|share| share.as_f64().unwrap()).collect()
}

fn largest_difference(left: &[f64], right: &[f64]) -> f64 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| (left - right).abs()).fold(0.0, f64::max)
}

#[test]
fn tuned_weights_from_training_to_a_merged_model() {
    let sandbox = Sandbox::with_base();
    let said =
        sandbox.run(&format!("{TRAIN} --out tuned --tune weights --method badam --interval 3")).success();
    assert!(said.error.contains("weights           the layers that trained"), "{}", said.error);
    for file in ["weights/tuned_weights.safetensors", "weights/classifier.json"] {
        assert!(sandbox.path("tuned").join(file).is_file(), "{file}: {:?}", sandbox.contents());
    }
    assert!(!sandbox.path("tuned/adapter").exists());
    let settings = std::fs::read_to_string(sandbox.path("tuned/settings.toml")).unwrap();
    assert!(settings.contains("tune = \"weights\"\nadapter = \"none\"\n"), "{settings}");
    let about = sandbox.run("inspect tuned").success().out;
    assert!(about.contains("weights         of the layers themselves"), "{about}");

    let expected = probabilities(&sandbox, "tuned");
    let said = sandbox.run("merge --run tuned --out merged --json").success();
    let merged = json(&said.out);
    assert_eq!(merged["stored"], "f32");
    assert_eq!(merged["files"], 1);
    assert_eq!(merged["tensors"], 2 + 4 * 9 + 1);
    assert!(largest_difference(&probabilities(&sandbox, "merged"), &expected) < 1e-6);
    let config = json(&std::fs::read_to_string(sandbox.path("merged/config.json")).unwrap());
    assert_eq!(config["architectures"][0], "LlamaForSequenceClassification");
    assert_eq!(config["id2label"]["0"], "clarity");
    assert_eq!(config["dtype"], "float32");
    for file in ["tokenizer.json", "model.safetensors", "irtune.json"] {
        assert!(sandbox.path("merged").join(file).is_file(), "{file}");
    }
    let measured = json(&sandbox.run("eval --run merged --data test.jsonl --json").success().out);
    assert!(measured["metrics"]["accuracy"].is_number(), "{measured}");
}

#[test]
fn an_adapter_is_merged_too() {
    let sandbox = Sandbox::with_base();
    sandbox.run(&format!("{TRAIN} --out first --rank 4")).success();
    let expected = probabilities(&sandbox, "first");
    let said = sandbox.run("merge --run first --out merged").success();
    assert_eq!(said.out, "");
    assert!(said.error.contains("Merged: 39 tensors"), "{}", said.error);
    assert!(largest_difference(&probabilities(&sandbox, "merged"), &expected) < 1e-4);
    sandbox.run("merge --run first --out half --dtype bf16").success();
    let difference = largest_difference(&probabilities(&sandbox, "half"), &expected);
    assert!((1e-7..0.02).contains(&difference), "{difference}");
    let bytes = |name: &str| std::fs::metadata(sandbox.path(name).join("model.safetensors")).unwrap().len();
    assert!(bytes("half") < bytes("merged") * 11 / 20);
}

#[test]
fn weights_learn_to_say_words() {
    let sandbox = Sandbox::with_base();
    sandbox.run(&format!("{TRAIN} --out words --tune weights --method full --objective words")).success();
    let steps = std::fs::read_to_string(sandbox.path("words/metrics.jsonl")).unwrap();
    let losses: Vec<f64> = steps.lines().map(|line| json(line)["loss"].as_f64().unwrap()).collect();
    assert!(losses[losses.len() - 1] < losses[0] - 0.3, "{losses:?}");
    assert!(!sandbox.path("words/weights/classifier.json").exists(), "there is no classifier");
    let summary = json(&std::fs::read_to_string(sandbox.path("words/summary.json")).unwrap());
    let value = json(&sandbox.run("eval --run words --data test.jsonl --precision f32 --json").success().out);
    assert_eq!(value["metrics"]["macro_f1"], summary["test"]["metrics"]["macro_f1"]);
    let said = sandbox.run("merge --run words --out merged");
    assert_eq!(said.code, Some(1));
    assert!(said.error.contains("says labels by words"), "{}", said.error);
    assert!(!sandbox.path("merged").exists());
}

#[test]
fn adapters_beside_weights_are_refused() {
    let sandbox = Sandbox::with_base();
    for (adapter, refused) in [("dora", true), ("lora", true), ("none", false)] {
        let said =
            sandbox.run(&format!("{TRAIN} --out {adapter} --tune weights --adapter {adapter} --max-steps 1"));
        assert_eq!(said.code == Some(2), refused, "{}", said.error);
        assert_eq!(said.error.contains("tune is weights, which train without"), refused, "{}", said.error);
    }
    let said = sandbox.run(&format!("{TRAIN} --out head --tune weights --head-only true"));
    assert_eq!(said.code, Some(2));
    assert!(said.error.contains("leave one of the two out"), "{}", said.error);
}

#[test]
fn a_method_that_weakens_adapters_is_refused() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run(&format!("{TRAIN} --out tuned --tune weights --method ist"));
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.failure());
}

#[test]
fn something_else_to_tune_is_refused() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run(&format!("{TRAIN} --out tuned --tune biases"));
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.failure());
}

#[test]
fn every_wrong_argument_of_merge_is_named() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run("merge --run nowhere --out merged --dtype int4");
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.failure());
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let sandbox = Sandbox::with_base();
    sandbox.run(&format!("{TRAIN} --out first --rank 4 --max-steps 1")).success();
    let before = sandbox.contents();
    let said = sandbox.run("merge --run first --out base");
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(said.failure());
    assert_eq!(sandbox.contents(), before);
}
