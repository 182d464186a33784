//! Options of training on the command line: the head alone, the loss, subsets, cross-validation.

use irtune_testing::sandbox::{Sandbox, adapter_bytes};
use serde_json::Value;

const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --rank 4 --max-length 400 \
    --batch-size 4 --epochs 2 --min-steps 0 --head pooled --stack false --warmup-steps 2 --learning-rate 1e-3 --precision f32 --threads 1";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Runs, and checks that the folder is as before.
fn refused(sandbox: &Sandbox, arguments: &str) -> String {
    let before = sandbox.contents();
    let said = sandbox.run(arguments);
    assert_eq!(sandbox.contents(), before);
    assert_eq!(said.code, Some(2), "{}", said.error);
    said.failure()
}

#[test]
fn a_head_alone_is_asked_for_by_a_plain_flag() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run(&format!("{TRAIN} --head-only --test test.jsonl --out first --json")).success();
    let summary = json(&said.out);
    assert_eq!(summary["method"], "head_only");
    assert_eq!(summary["layer_steps"], json("[0, 0, 0, 0]"));
    assert!(said.error.contains("The head alone trained."), "{}", said.error);
    assert!(said.error.contains("the head, for transformers and for irtune"), "{}", said.error);
    sandbox.run(&format!("{TRAIN} --head-only true --test test.jsonl --out second")).success();
    for file in ["head.safetensors", "classifier.json"] {
        let bytes = |run: &str| std::fs::read(sandbox.path(run).join("adapter").join(file)).unwrap();
        assert_eq!(bytes("first"), bytes("second"), "{file}");
    }
    let measured =
        json(&sandbox.run("eval --run first --data test.jsonl --precision f32 --json").success().out);
    assert_eq!(measured["metrics"]["confusion"], summary["test"]["metrics"]["confusion"]);
    assert_eq!(sandbox.run("predict --run first --data test.jsonl").success().out.lines().count(), 8);
    let shown = sandbox.run("inspect first").success().out;
    assert!(shown.contains("method          head_only\n  adapters        none\n"), "{shown}");
}

#[test]
fn class_weights_come_from_a_file_or_the_settings() {
    let sandbox = Sandbox::with_base();
    sandbox.write("weights.json", r#"{"clarity": 2, "fluency": 1, "meaning-changed": 0.5}"#);
    sandbox.run(&format!("{TRAIN} --class-weights weights.json --label-smoothing 0.1 --out first")).success();
    std::fs::remove_file(sandbox.path("weights.json")).unwrap();
    let settings = std::fs::read_to_string(sandbox.path("first/settings.toml")).unwrap();
    assert!(settings.contains("[class_weights]\nclarity = 2.0\n"), "{settings}");
    let again =
        "train --base base --train train.jsonl --validation validation.jsonl --config first/settings.toml";
    sandbox.run(&format!("{again} --out second")).success();
    let bytes = |run: &str| adapter_bytes(&sandbox.path(run));
    assert_eq!(bytes("first"), bytes("second"));

    let said = sandbox.run(&format!("{TRAIN} --class-weights balanced --out third")).success();
    let told = "what labels count in the training loss: clarity 1.000, fluency 1.000";
    assert!(said.error.contains(told), "{}", said.error);
}

#[test]
fn a_cross_validation_ends_with_the_figures_of_all_parts() {
    let sandbox = Sandbox::with_base();
    let command = format!("{TRAIN} --folds 3 --out folds");
    let said = sandbox.run(&format!("{command} --json")).success();
    let found = json(&said.out);
    assert_eq!(found["folds"], 3);
    assert_eq!(found["pooled"]["examples"], 24);
    assert_eq!(json(&std::fs::read_to_string(sandbox.path("folds/folds.json")).unwrap()), found);
    let told = "cross-validation, part 2/3: 8 of the 24 training pairs are the test set";
    assert!(said.error.contains(told), "{}", said.error);

    // Nothing is left to do; what is said is the same.
    let again = sandbox.run(&command).success();
    assert!(!again.error.contains("Training"), "{}", again.error);
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[0-9]\.[0-9]{4}", "[N]");
    settings.add_filter(r"(?m)^  (clarity|fluency|meaning-changed)( +[0-9\[N\]]+)+$", "  $1 [FIGURES]");
    settings.bind(|| insta::assert_snapshot!(again.error));
    assert_eq!(sandbox.run("train --resume folds --json").success().out, said.out);

    let other = sandbox.run(&format!("{command} --seed 3"));
    assert_eq!(other.code, Some(1));
    insta::assert_snapshot!("cross_validation_of_something_else", other.failure());
}

#[test]
fn options_that_cannot_be_used() {
    let sandbox = Sandbox::with_base();
    sandbox.write("weights.json", "[1, 2]");
    insta::assert_snapshot!(refused(
        &sandbox,
        &format!(
            "{TRAIN} --head-only --train-head false --class-weights weights.json --label-smoothing 1 --train-size 0 \
             --fold 4/3"
        )
    ));
    insta::assert_snapshot!(
        "test_set_given_twice",
        refused(&sandbox, &format!("{TRAIN} --fold 1/3 --test test.jsonl --class-weights nowhere.json"))
    );
    insta::assert_snapshot!(
        "cross_validation_with_a_test_set",
        refused(&sandbox, &format!("{TRAIN} --folds 3 --fold 1/3 --test test.jsonl"))
    );
    insta::assert_snapshot!("cross_validation_of_one_part", refused(&sandbox, &format!("{TRAIN} --folds 1")));
}

#[test]
fn more_training_pairs_than_there_are() {
    let sandbox = Sandbox::with_base();
    let before = sandbox.contents();
    let said = sandbox.run(&format!("{TRAIN} --train-size 25 --out first"));
    assert_eq!(sandbox.contents(), before, "nothing is left behind");
    insta::assert_snapshot!(said.failure());
}
