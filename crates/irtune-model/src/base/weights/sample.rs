//! Transformers folders for tests.

use std::{collections::HashMap, path::Path};

use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;

use crate::base::config::{ModelConfig, tests::tiny};

/// A tensor of a sample: name, type, shape.
pub(crate) type Entry = (String, Dtype, Vec<usize>);

/// Every tensor of the tiny decoder, in BF16.
pub(crate) fn entries(config: &ModelConfig) -> Vec<Entry> {
    config.expected_tensors().into_iter().map(|(name, shape)| (name, Dtype::BF16, shape)).collect()
}

/// A safetensors file whose values are the bytes 0, 1, 2 … over and over.
pub(crate) fn write_safetensors(path: &Path, entries: &[Entry]) {
    let data: Vec<Vec<u8>> = entries
        .iter()
        .map(|(_, dtype, shape)| {
            let bytes = shape.iter().product::<usize>() * dtype.bitsize() / 8;
            (0..bytes).map(|byte| byte as u8 & 0x3f).collect()
        })
        .collect();
    let views = entries.iter().zip(&data).map(|((name, dtype, shape), data)| {
        (name.as_str(), TensorView::new(*dtype, shape.clone(), data).expect("a tensor for a test"))
    });
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = safetensors::serialize(views, Some(metadata)).expect("a file for a test");
    std::fs::write(path, bytes).expect("a file for a test");
}

/// A whole folder of the tiny decoder; its weights in one file.
pub(crate) fn write_folder(folder: &Path) {
    let write = |name: &str, value: serde_json::Value| {
        std::fs::write(folder.join(name), value.to_string()).expect("a file for a test");
    };
    write("config.json", tiny().to_transformers(&[]));
    write("tokenizer.json", tokenizer_json());
    write_safetensors(&folder.join("model.safetensors"), &entries(&tiny()));
}

/// Byte-level BPE of a few letters that begins texts with `<|begin|>` and asks for truncation and padding.
pub(crate) fn tokenizer_json() -> serde_json::Value {
    let added = |id: u32, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    };
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
            "pad_type_id": 0, "pad_token": "<|none|>"},
        "added_tokens": [added(0, "<|none|>"), added(1, "<|begin|>"), added(2, "<|end|>")],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [1], "tokens": ["<|begin|>"]}}},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "vocab": {"<|none|>": 0, "<|begin|>": 1, "<|end|>": 2, "a": 3, "b": 4, "ab": 5,
            "Ġ": 6, "Ġab": 7}, "merges": [["a", "b"], ["Ġ", "ab"]]},
    })
}
