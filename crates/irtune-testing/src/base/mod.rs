//! Llamas of any sizes with random weights, the same for the same seed: as transformers folders and as GGUF files.

mod folder;
mod format;
mod gguf;
mod gguf_file;
mod random;
#[cfg(test)]
mod tests;
mod tokenizer;

pub use folder::{Entry, write_counting};
pub use format::Format;
pub use gguf_file::{GgufFile, GgufTensor, gguf_text};
pub use tokenizer::{Tokenizer, letters_tokenizer_json};

/// A base to be written.
#[derive(Clone, Debug)]
pub struct SyntheticBase {
    /// The decoder's sizes.
    pub sizes: Sizes,
    /// Whether the embedding is the output matrix too.
    pub tied: bool,
    /// The base of the rotary frequencies.
    pub rope_theta: f32,
    /// How matrices are stored. Transformers folders hold F32, F16 and BF16, GGUF files every format.
    pub format: Format,
    /// Which tokenizer stands beside the weights.
    pub tokenizer: Tokenizer,
    /// What the weights are.
    pub values: Values,
}

/// The sizes of a decoder.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// How many layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width inside the MLP.
    pub intermediate: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub key_value_heads: usize,
    /// Rows of the embedding.
    pub vocabulary: usize,
    /// How many positions the decoder was made for.
    pub positions: usize,
}

/// What the weights of a base are.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// Every tensor's bytes are 0, 1, 2 … 63 over and over: small values that no two neighbours share.
    Counting,
    /// Norms are spread evenly around one, matrices around zero.
    Random {
        /// Another seed makes other weights.
        seed: u64,
        /// The distance between the smallest and the largest weight of a matrix.
        spread: f32,
    },
}

impl SyntheticBase {
    /// Four layers with random f32 weights, and one token a byte: it reads any text, and is quick to train.
    pub fn of_bytes() -> Self {
        Self {
            sizes: Sizes {
                layers: 4,
                hidden: 32,
                intermediate: 64,
                heads: 4,
                key_value_heads: 2,
                vocabulary: 257,
                positions: 1024,
            },
            tied: true,
            rope_theta: 10_000.0,
            format: Format::F32,
            tokenizer: Tokenizer::Bytes,
            values: Values::Random { seed: 0x9e37_79b9_7f4a_7c15, spread: 0.3 },
        }
    }

    /// Two layers with counting BF16 weights, and a tokenizer of a few letters that begins texts with a token.
    pub fn of_letters() -> Self {
        Self {
            sizes: Sizes {
                layers: 2,
                hidden: 64,
                intermediate: 96,
                heads: 4,
                key_value_heads: 2,
                vocabulary: 40,
                positions: 128,
            },
            tied: true,
            rope_theta: 10_000.0,
            format: Format::Bf16,
            tokenizer: Tokenizer::Letters,
            values: Values::Counting,
        }
    }

    /// Every tensor by transformers' name, with its shape: outputs, then inputs.
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let Sizes { layers, hidden, intermediate, heads, key_value_heads, vocabulary, .. } = self.sizes;
        let key_value = hidden / heads * key_value_heads;
        let mut shapes = vec![
            ("model.embed_tokens.weight".to_owned(), vec![vocabulary, hidden]),
            ("model.norm.weight".to_owned(), vec![hidden]),
        ];
        for layer in 0..layers {
            for (name, shape) in [
                ("input_layernorm", vec![hidden]),
                ("post_attention_layernorm", vec![hidden]),
                ("self_attn.q_proj", vec![hidden, hidden]),
                ("self_attn.k_proj", vec![key_value, hidden]),
                ("self_attn.v_proj", vec![key_value, hidden]),
                ("self_attn.o_proj", vec![hidden, hidden]),
                ("mlp.gate_proj", vec![intermediate, hidden]),
                ("mlp.up_proj", vec![intermediate, hidden]),
                ("mlp.down_proj", vec![hidden, intermediate]),
            ] {
                shapes.push((format!("model.layers.{layer}.{name}.weight"), shape));
            }
        }
        if !self.tied {
            shapes.push(("lm_head.weight".to_owned(), vec![vocabulary, hidden]));
        }
        shapes
    }

    /// How many weights there are.
    pub fn parameters(&self) -> usize {
        self.shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }
}
