//! The card that a finished run leaves beside its model.

use irtune_testing::sandbox::Sandbox;
use serde_json::Value;
use std::fs;

const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --test test.jsonl \
    --max-length 400 --batch-size 4 --max-steps 4 --min-steps 0 --head pooled --precision f32 --rank 4 --out run";

fn rows(sandbox: &Sandbox, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(sandbox.path(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_card_says_what_a_model_is_and_nothing_private() {
    let sandbox = Sandbox::with_base();
    fs::write(sandbox.path("base").join("README.md"), "---\nlicense: mit\n---\n# Tiny\n").unwrap();
    sandbox.run(TRAIN).success();
    let card = fs::read_to_string(sandbox.path("run/adapter/README.md")).unwrap();
    let (front, body) = card.strip_prefix("---\n").unwrap().split_once("---\n").unwrap();
    for part in [
        "license: \"mit\"",
        "library_name: peft",
        "pipeline_tag: text-classification",
        "type: f1",
        "name: \"test.jsonl\"",
    ] {
        assert!(front.contains(part), "{part}: {front}");
    }
    // A path is no name of the hub, and nobody else's business.
    assert!(
        !front.contains("base_model") && !card.contains(&sandbox.path("").display().to_string()),
        "{card}"
    );
    let all = rows(&sandbox, "train.jsonl");
    for label in ["clarity", "fluency"] {
        let count = |rows: &[Value]| rows.iter().filter(|row| row["label"] == label).count();
        let line = format!("| {label} | {} | {} |", count(&all), count(&rows(&sandbox, "test.jsonl")));
        assert!(count(&all) == 0 || body.contains(&line), "{line}: {body}");
    }
    for row in all.iter().chain(&rows(&sandbox, "test.jsonl")) {
        assert!(!card.contains(row["revised"].as_str().unwrap()), "{row}");
    }
    for part in [
        "Trained on train.jsonl",
        "chosen on validation.jsonl",
        "with 95.0 % bootstrap intervals",
        "PeftModel.from_pretrained",
        "expected calibration error",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(sandbox.path("run/summary.json")).unwrap()).unwrap();
    let counts = summary["training_labels"].as_array().unwrap();
    assert_eq!(counts.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), all.len() as u64);

    sandbox.run("merge --run run --out merged").success();
    let merged = fs::read_to_string(sandbox.path("merged/README.md")).unwrap();
    assert!(merged.contains("library_name: transformers") && !merged.contains("PeftModel"), "{merged}");
}

#[test]
fn a_run_is_shown_as_a_page_with_its_mistakes() {
    let sandbox = Sandbox::with_base();
    sandbox.run(TRAIN).success();
    sandbox.run("inspect run --html run.html").success();
    let page = fs::read_to_string(sandbox.path("run.html")).unwrap();
    for part in [
        "<title>Run run</title>",
        "data:image/svg+xml;base64,",
        "Which label is taken for which",
        "training pairs",
        "What it gets wrong",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(sandbox.path("run/summary.json")).unwrap()).unwrap();
    let metrics = &summary["test"]["metrics"];
    let examples = metrics["examples"].as_f64().unwrap();
    let wrong = (examples * (1.0 - metrics["accuracy"].as_f64().unwrap())).round();
    assert!(page.contains(&format!("{wrong} of the test pairs")), "{page}");
    let count = page.matches("test.jsonl:").count();
    assert_eq!(count as f64, wrong);
    // Another file now, and none.
    let mut rows = fs::read_to_string(sandbox.path("test.jsonl")).unwrap();
    rows += rows.clone().lines().next().unwrap();
    sandbox.write("test.jsonl", &rows);
    sandbox.run("inspect run --html run.html").success();
    assert!(fs::read_to_string(sandbox.path("run.html")).unwrap().contains("is another one now"));
    fs::remove_file(sandbox.path("test.jsonl")).unwrap();
    sandbox.run("inspect run --html run.html").success();
    assert!(fs::read_to_string(sandbox.path("run.html")).unwrap().contains("no longer where it was"));
    let error = sandbox.run("inspect base --html base.html").failure();
    assert!(error.contains("--html: shows a run that was trained in steps"), "{error}");
}
