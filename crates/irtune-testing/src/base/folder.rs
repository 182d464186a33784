//! A base as a transformers folder.

use std::{collections::HashMap, fs, path::Path};

use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};

use super::{Format, SyntheticBase, Values, random::Weights};

/// A tensor of a safetensors file: name, type, shape.
pub type Entry = (String, Dtype, Vec<usize>);

impl SyntheticBase {
    /// Writes `config.json`, `tokenizer.json` and `model.safetensors`.
    ///
    /// # Panics
    /// When the format is one that safetensors files don't hold, or the folder can't be written.
    pub fn write_folder(&self, folder: &Path) {
        self.write_folder_with(folder, &self.shapes());
    }

    /// The same with other tensors than the base's own.
    pub fn write_folder_with(&self, folder: &Path, shapes: &[(String, Vec<usize>)]) {
        fs::create_dir_all(folder).expect("a folder for a test");
        write_json(&folder.join("config.json"), &self.config_json());
        write_json(&folder.join("tokenizer.json"), &self.tokenizer.json());
        let path = folder.join("model.safetensors");
        match self.values {
            Values::Counting => write_counting(&path, &entries(shapes, self.dtype())),
            Values::Random { seed, spread } => {
                let mut weights = Weights::new(seed, spread);
                let data = shapes.iter().map(|(_, shape)| {
                    let mut values = vec![0.0; shape.iter().product()];
                    weights.fill(shape.len() == 1, &mut values);
                    let mut bytes = Vec::new();
                    self.format.encode(&values, &mut bytes);
                    bytes
                });
                let data: Vec<_> = data.collect();
                write_safetensors(&path, &entries(shapes, self.dtype()), &data);
            }
        }
    }

    /// The tensors as a safetensors file has them.
    pub fn entries(&self) -> Vec<Entry> {
        entries(&self.shapes(), self.dtype())
    }

    /// What `config.json` says.
    pub fn config_json(&self) -> Value {
        let (sizes, special) = (self.sizes, self.tokenizer.special());
        let decimal = |value: f32| value.to_string().parse::<f64>().expect("a number");
        let mut config = json!({
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": sizes.hidden,
            "intermediate_size": sizes.intermediate,
            "num_hidden_layers": sizes.layers,
            "num_attention_heads": sizes.heads,
            "num_key_value_heads": sizes.key_value_heads,
            "vocab_size": sizes.vocabulary,
            "max_position_embeddings": sizes.positions,
            "rms_norm_eps": 1e-5,
            "rope_theta": decimal(self.rope_theta),
            "initializer_range": 0.02,
            "hidden_act": "silu",
            "tie_word_embeddings": self.tied,
            "bos_token_id": special.begin,
            "eos_token_id": special.end,
        });
        if let Some(pad) = special.pad {
            config["pad_token_id"] = pad.into();
        }
        config["torch_dtype"] = match self.format {
            Format::F16 => "float16",
            Format::Bf16 => "bfloat16",
            _ => "float32",
        }
        .into();
        config
    }

    fn dtype(&self) -> Dtype {
        match self.format {
            Format::F32 => Dtype::F32,
            Format::F16 => Dtype::F16,
            Format::Bf16 => Dtype::BF16,
            quantised => panic!("safetensors files hold no {quantised:?}"),
        }
    }
}

fn entries(shapes: &[(String, Vec<usize>)], dtype: Dtype) -> Vec<Entry> {
    shapes.iter().map(|(name, shape)| (name.clone(), dtype, shape.clone())).collect()
}

/// A safetensors file in which every tensor's bytes are 0, 1, 2 … 63 over and over.
pub fn write_counting(path: &Path, entries: &[Entry]) {
    let data = entries.iter().map(|(_, dtype, shape)| {
        let bytes = shape.iter().product::<usize>() * dtype.bitsize() / 8;
        (0..bytes).map(|byte| byte as u8 & 0x3f).collect()
    });
    write_safetensors(path, entries, &data.collect::<Vec<_>>());
}

fn write_safetensors(path: &Path, entries: &[Entry], data: &[Vec<u8>]) {
    let views = entries.iter().zip(data).map(|((name, dtype, shape), data)| {
        (name.as_str(), TensorView::new(*dtype, shape.clone(), data).expect("a tensor for a test"))
    });
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = safetensors::serialize(views, Some(metadata)).expect("a file for a test");
    fs::write(path, bytes).expect("a file for a test");
}

fn write_json(path: &Path, value: &Value) {
    fs::write(path, value.to_string()).expect("a file for a test");
}
