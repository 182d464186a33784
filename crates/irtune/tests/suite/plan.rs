//! `irtune plan` and `irtune models`.

use irtune_testing::sandbox::Sandbox;
use serde_json::Value;

const PLAN: &str = "plan --base base --train train.jsonl --test test.jsonl --max-steps 3 --threads 1";

#[test]
fn a_plan_is_printed_and_nothing_is_written() {
    let sandbox = Sandbox::with_base();
    let before = sandbox.contents();
    let text = sandbox.run(PLAN).success().out;
    for told in ["\nMemory, at most: ", "  activations ", "\nTime: ", "  training ", "3 steps of "] {
        assert!(text.contains(told), "{text}");
    }
    let plan: Value = serde_json::from_str(&sandbox.run(&format!("{PLAN} --json")).success().out).unwrap();
    assert_eq!(plan["time"]["steps"], 3);
    let memory = plan["memory"].as_object().unwrap();
    let bytes = |name: &str| memory[name].as_u64().unwrap();
    let parts = memory
        .keys()
        .filter(|name| name.ends_with("_bytes") && *name != "peak_bytes" && *name != "available_bytes");
    assert_eq!(parts.map(|name| bytes(name)).sum::<u64>(), bytes("peak_bytes"));
    assert_eq!(sandbox.contents(), before);
}

#[test]
fn what_cannot_fit_names_what_would() {
    let sandbox = Sandbox::with_base();
    let text = sandbox.run(&format!("{PLAN} --rank 1000000000")).success().out;
    assert!(text.contains("\nThis does not fit. These settings would, each by itself:\n  --rank "), "{text}");
    assert!(!text.contains("\nTime: "), "{text}");
    let said = sandbox.run("train --base base --train train.jsonl --out run --rank 1000000000");
    assert_eq!(said.code, Some(1));
    assert!(said.error.contains("these would fit: --rank "), "{}", said.error);
    assert!(!sandbox.path("run").exists());
}

#[test]
fn models_are_listed_with_what_they_need() {
    let sandbox = Sandbox::new();
    let text = sandbox.run("models").success().out;
    for told in ["  smollm2 ", "Apache-2.0", "(gated)", "\nWorth starting from:\n  with 2.0 GB "] {
        assert!(text.contains(told), "{text}");
    }
    let list: Value = serde_json::from_str(&sandbox.run("models --json").success().out).unwrap();
    let models = list["models"].as_array().unwrap();
    assert!(models.iter().all(|model| model["bf16_memory_bytes"].as_u64() > model["bf16_bytes"].as_u64()));
}
