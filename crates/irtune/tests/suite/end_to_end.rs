//! Every command on a tiny model: train, inspect, eval, predict, resume.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

use irtune_testing::{
    base::SyntheticBase,
    corpus,
    sandbox::{Sandbox, adapter_bytes},
};
use serde_json::Value;

const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --test test.jsonl \
    --out first --rank 4 --max-length 400 --batch-size 4 --epochs 2 --min-steps 0 --head pooled --stack false --warmup-steps 2 --learning-rate 1e-3 --precision f32";

fn trained() -> Sandbox {
    let sandbox = Sandbox::with_base();
    sandbox.run(TRAIN).success();
    sandbox
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_run_leaves_everything_it_promises() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run(&format!("{TRAIN} --json")).success();
    let summary = json(&said.out);
    assert_eq!(summary["steps"], 12);
    assert_eq!(summary["layer_steps"].as_array().unwrap().len(), SyntheticBase::of_bytes().sizes.layers);
    assert!(summary["test"]["metrics"]["accuracy"].is_number(), "{summary}");
    for file in [
        "settings.toml",
        "sources.json",
        "environment.json",
        "labels.json",
        "prompt.json",
        "metrics.jsonl",
        "evaluations.jsonl",
        "summary.json",
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "adapter/classifier.json",
    ] {
        assert!(sandbox.path("first").join(file).is_file(), "{file}: {:?}", sandbox.contents());
    }
    assert!(said.error.contains("step 12/12"), "{}", said.error);
    assert!(said.error.contains("How often each layer trained"), "{}", said.error);
}

#[test]
fn settings_of_a_run_make_the_same_run_again() {
    let sandbox = trained();
    let again = "train --base base --train train.jsonl --validation validation.jsonl --test test.jsonl --out second \
        --config first/settings.toml";
    sandbox.run(again).success();
    assert_eq!(adapter_bytes(&sandbox.path("first")), adapter_bytes(&sandbox.path("second")));
}

#[test]
fn inspecting_a_run_shows_and_draws_its_layers() {
    let sandbox = trained();
    let said = sandbox.run("inspect first").success();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[0-9.]+ examples/s, [0-9]+ tokens/s, [0-9.]+ s", "[SPEED]");
    settings.add_filter(r"peak memory +[0-9.]+ [kMG]B", "peak memory     [MEMORY]");
    settings.add_filter(r"machine .*", "machine         [MACHINE]");
    settings.add_filter(r"[▁▂▃▄▅▆▇█]{8,}", "[CURVE]");
    settings.add_filter(r"[0-9]+\.[0-9]+", "[N]");
    settings.add_filter(r"(?m)^Offsets of the labels.*\n(  clarity.*\n)?", "[OFFSETS]\n");
    settings.add_filter(r"(?m)^ +\[N\] % +\[N\] % +\[N\]$", "    [SUREST]");
    settings.add_filter(r"(?m)^( +[0-3] │).*$", "$1[STRIP]");
    settings.add_filter(r"(?m)^  (clarity|fluency|meaning-changed)( +[0-9\[N\]]+)+$", "  $1 [FIGURES]");
    settings.add_filter(r"  best so far", "");
    settings.add_filter(r"step +(6|12)\b", "step [BEST]");
    settings.bind(|| insta::assert_snapshot!(said.out));

    let picture = std::fs::read_to_string(sandbox.path("first/layers.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
    assert!(picture.contains("Layers that trained, first (ir)"));

    let picture = std::fs::read_to_string(sandbox.path("first/probabilities.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("Share of right answers over their probability"));

    let value = json(&sandbox.run("inspect first --json").success().out);
    assert!(value["probabilities"]["calibration_error_interval"]["high"].is_number(), "{value}");
    assert_eq!(value["steps"].as_array().unwrap().len(), 12);
    let counted: u64 =
        value["layer_steps"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    let listed: usize = value["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["active_layers"].as_array().unwrap().len())
        .sum();
    assert_eq!(counted, listed as u64);
    assert_eq!(value["summary"]["layer_steps"], value["layer_steps"]);
}

#[test]
fn inspecting_a_base_counts_its_parameters() {
    let sandbox = Sandbox::with_base();
    insta::assert_snapshot!(sandbox.run("inspect base").success().out);
    let value = json(&sandbox.run("inspect base --json").success().out);
    let expected: usize = SyntheticBase::of_bytes().parameters();
    assert_eq!(value["parameters"], expected);
    assert_eq!(value["layers"], SyntheticBase::of_bytes().sizes.layers);
}

#[test]
fn evaluating_gives_the_figures_of_the_run() {
    let sandbox = trained();
    let said = sandbox.run("eval --run first --data test.jsonl --precision f32").success();
    assert!(said.out.contains("macro F1") && said.out.contains("true / predicted"), "{}", said.out);
    let value = json(&sandbox.run("eval --run first --data test.jsonl --precision f32 --json").success().out);
    let summary = json(&std::fs::read_to_string(sandbox.path("first/summary.json")).unwrap());
    assert_eq!(value["metrics"]["macro_f1"], summary["test"]["metrics"]["macro_f1"]);
    assert!(value["metrics"]["intervals"]["accuracy"]["low"].is_number(), "{value}");
    assert!(said.out.contains("Answering only the surest pairs"), "{}", said.out);
    let near = |found: &serde_json::Value, expected: &serde_json::Value| {
        let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    };
    let effect = &summary["calibration"]["test"];
    near(&value["uncalibrated"]["log_loss"], &effect["plain"]["log_loss"]);
    let plain =
        sandbox.run("eval --run first --data test.jsonl --precision f32 --json --uncalibrated").success();
    near(&json(&plain.out)["loss"], &effect["plain"]["log_loss"]);
}

#[test]
fn a_model_that_is_not_sure_enough_gives_no_label() {
    let sandbox = trained();
    let said = sandbox.run("predict --run first --data test.jsonl --abstain-below 1").success();
    let lines: Vec<_> = said.out.lines().map(json).collect();
    assert!(lines.iter().all(|line| line["label"].is_null() && line["abstained"] == true), "{}", said.out);
    assert!(said.error.contains("note: 8 of 8 pairs have no label"), "{}", said.error);
    let said = sandbox.run("eval --run first --data test.jsonl --abstain-below 0.01").success();
    let expected = "Answers of a probability of 0.01 or more, 100.0 % of the pairs:\n8 examples";
    assert!(said.out.contains(expected), "{}", said.out);
    for refused in ["0", "1.5", "often"] {
        let said = sandbox.run(&format!("eval --run first --data test.jsonl --abstain-below {refused}"));
        let error = said.failure();
        assert!(error.contains("--abstain-below") && error.contains("above 0 and at most 1"), "{error}");
    }
}

#[test]
fn predictions_keep_order_and_do_not_depend_on_the_batch() {
    let sandbox = trained();
    let predict = |more: &str| {
        let said =
            sandbox.run(&format!("predict --run first --data test.jsonl --precision f32 {more}")).success();
        said.out.lines().map(json).collect::<Vec<_>>()
    };
    let (together, alone) = (predict("--batch-size 5"), predict("--batch-size 1"));
    assert_eq!(together.len(), 8);
    for (index, (first, second)) in together.iter().zip(&alone).enumerate() {
        assert_eq!(first["id"], format!("test-{index}"));
        let shares = first["probabilities"].as_object().unwrap();
        assert_eq!(shares.len(), 3);
        let sum: f64 = shares.values().map(|share| share.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        let best =
            shares.iter().max_by(|a, b| a.1.as_f64().unwrap().total_cmp(&b.1.as_f64().unwrap())).unwrap();
        assert_eq!(first["label"], *best.0);
        for (label, share) in shares {
            let difference = share.as_f64().unwrap() - second["probabilities"][label].as_f64().unwrap();
            assert!(difference.abs() < 1e-5, "{label}: {difference}");
        }
    }
}

#[test]
fn standard_input_needs_no_labels_and_its_errors_name_the_line() {
    let sandbox = trained();
    let mut command = sandbox.irtune();
    command.args("predict --run first --data - --batch-size 1".split(' '));
    command.write_stdin(
        "{\"original\": \"\", \"revised\": \"New words.\"}\n{\"original\": \"a\", \"revised\": \"b\"}\n{\"orig",
    );
    let said = sandbox.run_with(&mut command);
    assert_eq!(said.code, Some(1));
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);
    insta::assert_snapshot!(said.error);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = trained();
    sandbox.write("many.jsonl", &corpus::sentences("many", 2000));
    let mut child = sandbox
        .process()
        .args("predict --run first --data many.jsonl --batch-size 8".split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(json(&first)["label"].is_string());
    let status = child.wait().unwrap();
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!(error, "");
    assert!(status.success(), "{status}");
}

#[test]
fn predictions_stream() {
    let sandbox = trained();
    let mut child = sandbox
        .process()
        .args("predict --run first --data - --batch-size 1".split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        // The answer to a pair is there before the next pair is written.
        input.write_all(b"{\"original\": \"The cat sleep.\", \"revised\": \"The cat sleeps.\"}\n").unwrap();
        input.flush().unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(json(&line)["label"].is_string());
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_base_that_moved_can_be_given_again() {
    let sandbox = trained();
    std::fs::rename(sandbox.path("base"), sandbox.path("moved")).unwrap();
    let said = sandbox.run("eval --run first --data test.jsonl");
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(said.failure());
    sandbox.run("eval --run first --data test.jsonl --base moved").success();
}

#[test]
fn a_finished_run_cannot_be_resumed() {
    let sandbox = trained();
    let said = sandbox.run("train --resume first");
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(said.failure());
}

#[test]
fn quickstart_on_a_given_base() {
    let sandbox = Sandbox::with_base();
    let said = sandbox
        .run("quickstart --base base --set max_steps=2 --set eval_every=never --set max_length=600 --set rank=2")
        .success();
    assert_eq!(said.out, "");
    for part in
        ["Test pairs", "How often each layer trained", "Two revisions", "irtune inspect runs/quickstart-1"]
    {
        assert!(said.error.contains(part), "{part} is missing:\n{}", said.error);
    }
    assert!(sandbox.path("runs/quickstart-1/layers.svg").is_file());
    assert!(sandbox.path("cache/revisions/train.jsonl").is_file());
}
