//! `irtune push`: what is sent to a hub, and what stays here.

use irtune_testing::hub::WrittenHub;
use irtune_testing::sandbox::{Said, Sandbox};
use serde_json::Value;
use std::fs;

const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --test test.jsonl \
    --max-length 400 --batch-size 4 --max-steps 4 --min-steps 0 --precision f32 --rank 4";

fn push(sandbox: &Sandbox, hub: &WrittenHub, arguments: &str) -> Said {
    let mut command = sandbox.irtune();
    command.args(format!("push {arguments}").split_whitespace());
    command.env("HF_ENDPOINT", hub.address()).env_remove("HF_HUB_OFFLINE").env("HF_TOKEN", "secret");
    command.env("NO_PROXY", "127.0.0.1,localhost").env("no_proxy", "127.0.0.1,localhost");
    sandbox.run_with(&mut command)
}

/// Nothing that is sent tells of the machine or of the pairs.
fn assert_private(sandbox: &Sandbox, hub: &WrittenHub) {
    let place = sandbox.path("").display().to_string();
    let place = place.trim_end_matches('/');
    let pairs = ["train.jsonl", "validation.jsonl", "test.jsonl"]
        .map(|file| fs::read_to_string(sandbox.path(file)).unwrap())
        .concat();
    let rows: Vec<Value> = pairs.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for given in hub.requests() {
        let mut body = String::from_utf8_lossy(&given.body).into_owned();
        body.extend(hub.files().values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
        assert!(!body.contains(place), "{}: {place}", given.line);
        for row in &rows {
            for text in ["original", "revised"] {
                assert!(!body.contains(row[text].as_str().unwrap()), "{}: {row}", given.line);
            }
        }
    }
}

#[test]
fn a_run_is_put_on_the_hub_without_what_is_private() {
    let sandbox = Sandbox::with_base();
    sandbox.write("prompt.txt", "Why?\n{labels}\n{original}\n{revised}\n");
    let template = sandbox.path("prompt.txt").display().to_string();
    sandbox.run(&format!("{TRAIN} --head pooled --stack true --prompt {template} --out run")).success();
    fs::write(sandbox.path("run/adapter/notes.txt"), "mine").unwrap();
    let hub = WrittenHub::start();

    let said = push(&sandbox, &hub, "hf:someone/mine --run run --dry-run").success();
    assert!(said.error.contains("Nothing was sent") && hub.requests().is_empty(), "{}", said.error);

    let said = push(&sandbox, &hub, "hf:someone/mine --run run --private --json").success();
    assert_eq!(hub.private(), Some(true));
    let names: Vec<String> = hub.files().into_keys().collect();
    let expected = ["README.md", "adapter_config.json", "adapter_model.safetensors", "classifier.json"];
    for name in expected.into_iter().chain(["labels.json", "prompt.json"]) {
        assert!(names.iter().any(|there| there == name), "{name}: {names:?}");
    }
    // The linear model holds words of the pairs, and the others would say how it is used.
    for name in
        ["notes.txt", "linear.safetensors", "stack.json", "calibration.json", "settings.toml", "sources.json"]
    {
        assert!(!names.iter().any(|there| there == name), "{name}: {names:?}");
    }
    assert!(said.error.contains("left out: notes.txt, which is no file of the model"), "{}", said.error);
    assert!(said.error.contains("left out: linear.safetensors, which holds words of the training pairs"));
    let files = hub.files();
    let read = |name: &str| serde_json::from_slice::<Value>(&files[name]).unwrap();
    assert_eq!(read("adapter_config.json")["base_model_name_or_path"], Value::Null);
    assert_eq!(read("prompt.json")["name"], "prompt.txt");
    let tensors = fs::read(sandbox.path("run/adapter/adapter_model.safetensors")).unwrap();
    assert_eq!(files["adapter_model.safetensors"], tensors);
    assert_private(&sandbox, &hub);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["files"].as_array().unwrap().len(), names.len());
    assert_eq!(
        (&told["pushed"]["created"], &told["left_out"][0]["name"]),
        (&true.into(), &"notes.txt".into())
    );

    // A second time nothing is left to do; with the linear model it is asked for.
    let said = push(&sandbox, &hub, "hf:someone/mine --run run").success();
    assert!(said.error.contains("everything is there already"), "{}", said.error);
    let said = push(&sandbox, &hub, "hf:someone/mine --run run --linear").success();
    assert!(said.error.contains("there already (commit"), "{}", said.error);
    assert!(hub.files().contains_key("linear.safetensors") && hub.files().contains_key("stack.json"));

    // A card that someone wrote a path into.
    let card = sandbox.path("run/adapter/README.md");
    let text =
        fs::read_to_string(&card).unwrap() + &format!("\nFrom {}\n", sandbox.path("train.jsonl").display());
    fs::write(&card, text).unwrap();
    let before = hub.requests().len();
    let error = push(&sandbox, &hub, "hf:someone/mine --run run").failure();
    assert!(error.contains("README.md tells of this machine") && error.contains("take that out"), "{error}");
    assert_eq!(hub.requests().len(), before);
}

#[test]
fn a_merged_model_is_put_there_whole_and_answers_from_there() {
    let sandbox = Sandbox::with_base();
    sandbox.run(&format!("{TRAIN} --stack false --out run")).success();
    sandbox.run("merge --run run --out merged").success();
    let hub = WrittenHub::start().in_parts(100_000);
    let said = push(&sandbox, &hub, "hf:someone/mine --run merged --revision v1").success();
    assert!(!said.error.contains("left out"), "{}", said.error);
    assert!(hub.count("PUT /part/") > 1 && hub.count("/commit/v1") == 1);
    assert_private(&sandbox, &hub);
    fs::create_dir(sandbox.path("fetched")).unwrap();
    for (name, bytes) in hub.files() {
        fs::write(sandbox.path("fetched").join(name), bytes).unwrap();
    }
    let answers = |run: &str| {
        sandbox.run(&format!("predict --run {run} --data test.jsonl --precision f32")).success().out
    };
    assert_eq!(answers("fetched"), answers("merged"));
}

#[test]
fn what_can_t_be_pushed_is_said_before_anything_is_sent() {
    let sandbox = Sandbox::with_base();
    let hub = WrittenHub::start();
    sandbox.run("baseline --train train.jsonl --validation validation.jsonl --out linear").success();
    let unfinished = format!("{TRAIN} --head pooled --out run");
    sandbox.run(&unfinished).success();
    for (arguments, part) in [
        ("hf:someone --run run", "`hf:someone` is not of the form hf:ORG/NAME"),
        ("someone/mine --run run", "is not of the form hf:ORG/NAME"),
        ("hf:someone/mine@v1 --run run", "give the branch with --revision"),
        ("hf:someone/mine --run run --revision a..//b", "can be no name of a branch"),
        ("hf:someone/mine --run nowhere", "there is no such run folder"),
        ("hf:someone/mine --run base", "is not a run folder"),
        ("hf:someone/mine --run linear", "consists of words of its training pairs"),
    ] {
        let error = push(&sandbox, &hub, arguments).failure();
        assert!(error.contains(part), "{arguments}: {error}");
    }
    fs::remove_file(sandbox.path("run/summary.json")).unwrap();
    let error = push(&sandbox, &hub, "hf:someone/mine --run run").failure();
    assert!(error.contains("is not finished; continue it with `irtune train --resume`"), "{error}");
    assert!(hub.requests().is_empty());
}

#[test]
fn a_token_is_needed_and_named() {
    let sandbox = Sandbox::with_base();
    sandbox.run(&format!("{TRAIN} --head pooled --out run")).success();
    let hub = WrittenHub::start();
    let mut command = sandbox.irtune();
    command.args(["push", "hf:someone/mine", "--run", "run"]).env_remove("HF_HUB_OFFLINE");
    let error = sandbox.run_with(command.env("HF_ENDPOINT", hub.address())).failure();
    assert!(error.contains("there is no access token") && error.contains("HF_TOKEN"), "{error}");
    let error = push(&sandbox, &WrittenHub::start(), "hf:another/mine --run run").failure();
    assert!(error.contains("this token may not write to another/mine"), "{error}");
}
