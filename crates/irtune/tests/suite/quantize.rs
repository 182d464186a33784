//! Models made smaller from the command line.

use irtune_testing::{base::SyntheticBase, sandbox::Sandbox};
use serde_json::Value;

#[test]
fn a_smaller_model_trains_as_any() {
    let sandbox = Sandbox::with_base();
    SyntheticBase::of_bytes().write_gguf(&sandbox.path("model.gguf")).expect("a file");
    let said = sandbox.run("quantize model.gguf --to q8_0 --out small.gguf --json").success();
    let written: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(written["types"], serde_json::json!({"F32": 9, "Q8_0": 29}));
    let length = |name: &str| std::fs::metadata(sandbox.path(name)).expect("a file").len();
    assert_eq!(written["bytes"], length("small.gguf"));
    assert_eq!(written["bytes_before"], length("model.gguf"));
    assert!(length("small.gguf") < length("model.gguf") / 2);
    let said = sandbox.run("quantize model.gguf --out medium.gguf").success();
    assert!(said.error.contains("Quantised to q4_k_m: ") && said.error.contains("9 F32, "), "{}", said.error);
    let train = "train --base small.gguf --train train.jsonl --validation validation.jsonl --max-length 400 --max-steps 2 \
        --min-steps 0 --warmup-steps 0 --stack false --out run";
    sandbox.run(train).success();
}

#[test]
fn what_is_wrong_with_quantize_is_named() {
    let sandbox = Sandbox::new();
    SyntheticBase::of_bytes().write_gguf(&sandbox.path("model.gguf")).expect("a file");
    let said = sandbox.run("quantize model.gguf --to q3_k_m --out small.gguf");
    assert_eq!(said.code, Some(2));
    assert!(
        said.error.contains("there is no type `q3_k_m`: take one of f32, bf16, f16, q8_0"),
        "{}",
        said.error
    );
    let said = sandbox.run("quantize model.gguf --to q4_0 --out model.gguf");
    assert_eq!(said.code, Some(1));
    assert!(said.error.contains("is the model itself"), "{}", said.error);
    assert!(!sandbox.path("small.gguf").exists());
}
