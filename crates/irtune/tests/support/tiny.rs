//! A Llama of four layers with random weights and a tokenizer of single bytes, and pairs to train it on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Map, Value, json};

pub const LAYERS: usize = 4;
const HIDDEN: usize = 32;
const INTERMEDIATE: usize = 64;
const HEADS: usize = 4;
const KEY_VALUE_HEADS: usize = 2;
const VOCABULARY: usize = 257;

/// The tensors of the tiny model: name and shape.
pub fn shapes() -> Vec<(String, Vec<usize>)> {
    let key_value = HIDDEN / HEADS * KEY_VALUE_HEADS;
    let mut shapes = vec![
        ("model.embed_tokens.weight".to_owned(), vec![VOCABULARY, HIDDEN]),
        ("model.norm.weight".to_owned(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        for (name, shape) in [
            ("input_layernorm", vec![HIDDEN]),
            ("post_attention_layernorm", vec![HIDDEN]),
            ("self_attn.q_proj", vec![HIDDEN, HIDDEN]),
            ("self_attn.k_proj", vec![key_value, HIDDEN]),
            ("self_attn.v_proj", vec![key_value, HIDDEN]),
            ("self_attn.o_proj", vec![HIDDEN, HIDDEN]),
            ("mlp.gate_proj", vec![INTERMEDIATE, HIDDEN]),
            ("mlp.up_proj", vec![INTERMEDIATE, HIDDEN]),
            ("mlp.down_proj", vec![HIDDEN, INTERMEDIATE]),
        ] {
            shapes.push((format!("model.layers.{layer}.{name}.weight"), shape));
        }
    }
    shapes
}

/// Writes the model with its own shapes.
pub fn write_base(folder: &Path) {
    write_base_with(folder, &shapes());
}

/// Writes the model with the given shapes.
pub fn write_base_with(folder: &Path, shapes: &[(String, Vec<usize>)]) {
    fs::create_dir_all(folder).unwrap();
    let config = json!({
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_VALUE_HEADS,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 1024,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "initializer_range": 0.02,
        "hidden_act": "silu",
        "tie_word_embeddings": true,
        "bos_token_id": 256,
        "eos_token_id": 256,
        "torch_dtype": "float32"
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(folder.join("tokenizer.json"), tokenizer().to_string()).unwrap();

    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 0.3
    };
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = shapes
        .iter()
        .map(|(name, shape)| {
            let length: usize = shape.iter().product();
            // Norms around 1, everything else around 0.
            let offset = if shape.len() == 1 { 1.0 } else { 0.0 };
            let bytes = (0..length).flat_map(|_| (offset + random()).to_le_bytes()).collect();
            (name.clone(), shape.clone(), bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    let bytes = safetensors::serialize(views, None).unwrap();
    fs::write(folder.join("model.safetensors"), bytes).unwrap();
}

/// One token a byte, by the byte-level alphabet.
fn tokenizer() -> Value {
    let mut vocabulary = Map::new();
    let mut others = 0;
    for byte in 0..=255u8 {
        let shown = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
        let letter = match shown {
            true => char::from(byte),
            false => {
                others += 1;
                char::from_u32(255 + others).unwrap()
            }
        };
        vocabulary.insert(letter.to_string(), Value::from(byte));
    }
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [{
            "id": 256, "content": "<|end|>", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true
        }],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary, "merges": []
        }
    })
}

/// Labelled pairs as JSONL, different for each part.
pub fn pairs(part: &str, count: usize) -> String {
    let nouns = ["river", "garden", "engine", "letter", "window", "market", "harbour"];
    (0..count)
        .map(|index| {
            let noun = nouns[(index + part.len()) % nouns.len()];
            let (original, revised, label) = match index % 3 {
                0 => (format!("The {noun} are old."), format!("The {noun} is old."), "fluency"),
                1 => (format!("It is the {noun} that we see."), format!("We see the {noun}."), "clarity"),
                _ => (format!("The {noun} was big."), format!("The {noun} was closed."), "meaning-changed"),
            };
            let mut row = BTreeMap::from([("original", original), ("revised", revised)]);
            row.insert("label", label.to_owned());
            row.insert("id", format!("{part}-{index}"));
            serde_json::to_string(&row).unwrap() + "\n"
        })
        .collect()
}
