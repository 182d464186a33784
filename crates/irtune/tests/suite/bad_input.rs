//! Bad data, damaged models and damaged runs: the message, the exit code, and that nothing is left behind.

use std::fs;

use irtune_testing::{base::SyntheticBase, corpus, sandbox::Sandbox};

const TRAIN: &str = "train --base base --train train.jsonl --out first --max-length 400";

/// Fails with exit code 1 and leaves the folder as it was.
fn fails(sandbox: &Sandbox, arguments: &str) -> String {
    let before = sandbox.contents();
    let said = sandbox.run(arguments);
    assert_eq!(sandbox.contents(), before, "{}", said.error);
    assert_eq!(said.code, Some(1), "{}", said.error);
    said.failure()
}

fn with_train(text: &str) -> Sandbox {
    let sandbox = Sandbox::with_base();
    sandbox.write("train.jsonl", text);
    sandbox
}

#[test]
fn broken_json_line() {
    let mut text = corpus::sentences("train", 5);
    text.push_str("{\"original\": \"a\", \"revised\": \n");
    insta::assert_snapshot!(fails(&with_train(&text), TRAIN));
}

#[test]
fn empty_file() {
    insta::assert_snapshot!(fails(&with_train(""), TRAIN));
}

#[test]
fn file_that_is_no_text() {
    let sandbox = Sandbox::with_base();
    fs::write(sandbox.path("train.jsonl"), b"{\"original\": \"\xff\xfe\"}\n").unwrap();
    insta::assert_snapshot!(fails(&sandbox, TRAIN));
}

#[test]
fn columns_that_are_not_there() {
    let sandbox = with_train("{\"old\": \"a\", \"new\": \"b\", \"label\": \"x\"}\n");
    insta::assert_snapshot!(fails(&sandbox, TRAIN));
}

#[test]
fn pair_without_a_label() {
    let text = corpus::sentences("train", 3) + "{\"original\": \"a\", \"revised\": \"b\"}\n";
    insta::assert_snapshot!(fails(&with_train(&text), TRAIN));
}

#[test]
fn label_that_training_does_not_know() {
    let sandbox = Sandbox::with_base();
    sandbox
        .write("validation.jsonl", "{\"original\": \"a\", \"revised\": \"b\", \"label\": \"fluencies\"}\n");
    insta::assert_snapshot!(fails(&sandbox, &format!("{TRAIN} --validation validation.jsonl")));
}

#[test]
fn one_label_only() {
    let text: String = (0..4)
        .map(|index| format!("{{\"original\": \"a{index}\", \"revised\": \"b\", \"label\": \"x\"}}\n"))
        .collect();
    insta::assert_snapshot!(fails(&with_train(&text), TRAIN));
}

#[test]
fn tensor_of_the_wrong_shape() {
    let sandbox = Sandbox::with_base();
    let mut shapes = SyntheticBase::of_bytes().shapes();
    for (name, shape) in &mut shapes {
        if name == "model.layers.2.mlp.up_proj.weight" {
            shape[0] -= 8;
        }
    }
    SyntheticBase::of_bytes().write_folder_with(&sandbox.path("base"), &shapes);
    insta::assert_snapshot!(fails(&sandbox, TRAIN));
}

#[test]
fn tensor_that_is_missing() {
    let sandbox = Sandbox::with_base();
    let mut shapes = SyntheticBase::of_bytes().shapes();
    shapes.retain(|(name, _)| name != "model.layers.1.self_attn.k_proj.weight");
    SyntheticBase::of_bytes().write_folder_with(&sandbox.path("base"), &shapes);
    insta::assert_snapshot!(fails(&sandbox, TRAIN));
}

#[test]
fn truncated_safetensors() {
    let sandbox = Sandbox::with_base();
    let path = sandbox.path("base/model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1000]).unwrap();
    insta::assert_snapshot!("truncated_in_the_data", fails(&sandbox, TRAIN));
    fs::write(&path, &bytes[..40]).unwrap();
    insta::assert_snapshot!("truncated_in_the_header", fails(&sandbox, TRAIN));
}

#[test]
fn truncated_gguf() {
    let sandbox = Sandbox::with_base();
    // A header that promises two tensors and one entry of metadata, and ends there.
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3u32.to_le_bytes());
    bytes.extend(2u64.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    fs::write(sandbox.path("model.gguf"), &bytes).unwrap();
    let arguments = "train --base model.gguf --train train.jsonl --out first";
    insta::assert_snapshot!(fails(&sandbox, arguments));
}

#[test]
fn folder_without_a_model() {
    let sandbox = Sandbox::with_base();
    fs::create_dir(sandbox.path("empty")).unwrap();
    let arguments = "train --base empty --train train.jsonl --out first";
    insta::assert_snapshot!(fails(&sandbox, arguments));
}

#[test]
fn model_of_another_family() {
    let sandbox = Sandbox::with_base();
    let path = sandbox.path("base/config.json");
    let config =
        fs::read_to_string(&path).unwrap().replace("\"llama\"", "\"mamba\"").replace("LlamaFor", "MambaFor");
    fs::write(&path, config).unwrap();
    insta::assert_snapshot!(fails(&sandbox, TRAIN));
}

#[test]
fn length_that_leaves_no_room() {
    let sandbox = Sandbox::with_base();
    let arguments = "train --base base --train train.jsonl --out first --max-length 8";
    insta::assert_snapshot!(fails(&sandbox, arguments));
}

#[test]
fn folders_that_are_no_run() {
    let sandbox = Sandbox::with_base();
    insta::assert_snapshot!("resuming_no_run", fails(&sandbox, "train --resume base"));
    insta::assert_snapshot!("evaluating_no_run", fails(&sandbox, "eval --run base --data test.jsonl"));
    insta::assert_snapshot!("inspecting_nothing", fails(&sandbox, "inspect nowhere"));
}

#[test]
fn a_tokenizer_that_makes_its_library_panic() {
    let sandbox = Sandbox::with_base();
    let path = sandbox.path("base/tokenizer.json");
    let mut tokenizer: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    tokenizer["model"]["continuing_subword_prefix"] = "longer than any token".into();
    tokenizer["model"]["vocab"]["ab"] = 257.into();
    tokenizer["model"]["merges"] = serde_json::json!([["a", "b"]]);
    fs::write(&path, tokenizer.to_string()).unwrap();
    let said = fails(&sandbox, TRAIN);
    assert!(said.contains("tokenizer.json") && said.contains("so it is damaged"), "{said}");
    assert!(!said.contains("panicked") && !said.contains("thread"), "{said}");
}
