//! Learning curves and cross-validation in comparisons.

use std::fs;

use irtune_testing::sandbox::Sandbox;
use serde_json::Value;

const SETTINGS: &str = "--base base --methods full --seeds 1,2 --rank 2 --max-length 400 --batch-size 4 --epochs 1 --min-steps 0 --warmup-steps 1 \
    --precision f32";

fn results(sandbox: &Sandbox, out: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(sandbox.path(out).join("results.json")).unwrap()).unwrap()
}

#[test]
fn training_sizes_give_a_learning_curve() {
    let sandbox = Sandbox::with_base();
    let data = "--train train.jsonl --validation validation.jsonl --test test.jsonl --train-sizes 6,12,all";
    sandbox.run(&format!("compare {SETTINGS} {data} --out sizes")).success();
    assert!(sandbox.path("sizes/runs/corpus.full.lora.n-6.seed-2/summary.json").is_file());
    assert!(sandbox.path("sizes/runs/corpus.full.lora.seed-2/summary.json").is_file());
    let results = results(&sandbox, "sizes");
    let all = results["arms"].as_array().unwrap();
    let of_method = |method: &str| all.iter().filter(|arm| arm["method"] == method).collect::<Vec<&Value>>();
    let arms = of_method("full");
    let linear: Vec<u64> =
        of_method("linear").iter().map(|arm| arm["train_examples"].as_u64().unwrap()).collect();
    assert_eq!(linear, [6, 12, 24]);
    let sizes: Vec<&Value> = arms.iter().map(|arm| &arm["train_size"]).collect();
    assert_eq!(sizes, [&Value::from(6), &Value::from(12), &Value::Null]);
    let pairs: Vec<u64> = arms.iter().map(|arm| arm["train_examples"].as_u64().unwrap()).collect();
    assert_eq!(pairs, [6, 12, 24]);
    // Sizes are no rivals; the linear model of each size is one.
    assert_eq!(results["comparisons"].as_array().unwrap().len(), 3);
    let page = fs::read_to_string(sandbox.path("sizes/report.html")).unwrap();
    assert!(page.contains("<title>Test macro-F1, corpus</title>") && page.contains("Learning curves"));
    let table = fs::read_to_string(sandbox.path("sizes/table.md")).unwrap();
    assert!(
        table.contains("## corpus, 12 training pairs") && table.contains("## corpus, all training pairs"),
        "{table}"
    );
}

#[test]
fn folds_are_measured_together_and_a_seed_counts_once_all_are_there() {
    let sandbox = Sandbox::with_base();
    sandbox.run(&format!("compare {SETTINGS} --train train.jsonl --folds 2 --out folds")).success();
    let whole = results(&sandbox, "folds");
    let arm = &whole["arms"][0];
    assert_eq!(arm["test_examples"], 24);
    assert_eq!(arm["seeds"], serde_json::json!([1, 2]));
    assert_eq!(whole["cells"].as_array().unwrap().len(), 8);
    let probabilities = &arm["probabilities"];
    assert_eq!(
        (&probabilities["log_loss"]["count"], &probabilities["plain_macro_f1"]),
        (&2.into(), &serde_json::Value::Null)
    );
    let binned: u64 = probabilities["reliability"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bin| bin["examples"].as_u64().unwrap())
        .sum();
    assert_eq!(binned, 48);
    // The pooled accuracy is the mean over the pairs of both folds.
    let mut right = 0.0;
    for cell in whole["cells"].as_array().unwrap().iter().filter(|cell| cell["seed"] == 1 && cell["arm"] == 0)
    {
        let name = cell["name"].as_str().unwrap();
        assert!(name.starts_with("corpus.full.lora.fold-"), "{name}");
        let path = sandbox.path("folds/runs").join(name).join("test_predictions.jsonl");
        let pairs = fs::read_to_string(path).unwrap().lines().count() as f64;
        right += cell["accuracy"].as_f64().unwrap() * pairs;
    }
    let of_classes: f64 = arm["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(|count| count.as_f64().unwrap()).sum::<f64>())
        .sum();
    assert_eq!(of_classes, 48.0);
    assert!((0.0..=24.0).contains(&right) && (right - right.round()).abs() < 1e-9, "{right}");
    fs::remove_dir_all(sandbox.path("folds/runs/corpus.full.lora.fold-2.seed-2")).unwrap();
    sandbox.run("compare --out folds --report-only").success();
    assert_eq!(results(&sandbox, "folds")["arms"][0]["seeds"], serde_json::json!([1]));
}

#[test]
fn a_size_that_there_are_not_pairs_for_is_refused_before_the_first_run() {
    let sandbox = Sandbox::with_base();
    let data = "--train train.jsonl --validation validation.jsonl --test test.jsonl --train-sizes 6,1000";
    let said = sandbox.run(&format!("compare {SETTINGS} {data} --out sizes"));
    assert_eq!(said.code, Some(2));
    assert!(said.failure().contains("corpus.full.lora.n-1000.seed-1: "), "{}", said.failure());
    assert!(!sandbox.path("sizes").exists());
}
