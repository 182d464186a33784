//! A base as a GGUF file.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use super::{Format, GgufFile, Sizes, SyntheticBase, Tokenizer, Values, random::Weights};

impl SyntheticBase {
    /// The file's metadata and tensors, to be changed and written; the weights are zeros.
    pub fn gguf(&self) -> GgufFile {
        let sizes = self.sizes;
        let mut file = GgufFile::new();
        file.text("general.architecture", "llama");
        for (key, value) in [
            ("block_count", sizes.layers),
            ("context_length", sizes.positions),
            ("embedding_length", sizes.hidden),
            ("feed_forward_length", sizes.intermediate),
            ("attention.head_count", sizes.heads),
            ("attention.head_count_kv", sizes.key_value_heads),
            ("rope.dimension_count", sizes.head()),
        ] {
            file.unsigned(&format!("llama.{key}"), value as u32);
        }
        file.float("llama.attention.layer_norm_rms_epsilon", 1e-5);
        file.float("llama.rope.freq_base", self.rope_theta);
        self.tokenizer.write_gguf(&mut file);
        for (name, shape) in self.shapes() {
            let axes: Vec<u64> = shape.iter().rev().map(|&axis| axis as u64).collect();
            let format = if shape.len() == 1 { Format::F32 } else { self.format };
            file.stored_tensor(&gguf_name(&name), &axes, format);
        }
        file
    }

    /// Writes the file with its weights: the same ones that a folder of this base has, up to their format.
    ///
    /// # Panics
    /// When the weights are counting: their bytes mean other numbers in other formats.
    pub fn write_gguf(&self, path: &Path) -> io::Result<()> {
        let Values::Random { seed, spread } = self.values else { panic!("a GGUF file has random weights") };
        let mut weights = Weights::new(seed, spread);
        let file = self.gguf();
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all(&file.header())?;
        for ((name, shape), tensor) in self.shapes().iter().zip(&file.tensors) {
            let norm = shape.len() == 1;
            let format = if norm { Format::F32 } else { self.format };
            let columns = shape[shape.len() - 1];
            // GGUF holds the rows of a query's or key's head in another order, so that a head is written at a time.
            let rotary = name.ends_with("q_proj.weight") || name.ends_with("k_proj.weight");
            let rows = if rotary { self.sizes.head() } else { 1 };
            let (mut values, mut bytes) = (vec![0.0; rows * columns], Vec::new());
            for _ in 0..shape.iter().product::<usize>() / values.len() {
                weights.fill(norm, &mut values);
                bytes.clear();
                for row in 0..rows {
                    // Pairs that turn together lie half a head apart in transformers, side by side in GGUF.
                    let row = if rotary { row / 2 + row % 2 * rows / 2 } else { row };
                    format.encode(&values[row * columns..][..columns], &mut bytes);
                }
                out.write_all(&bytes)?;
            }
            out.write_all(&vec![0; file.room(tensor) - tensor.bytes])?;
        }
        out.flush()
    }
}

impl GgufFile {
    /// [`SyntheticBase::of_letters`] in F32, but for its queries, which are in Q8_0.
    pub fn letters() -> Self {
        let mut file = SyntheticBase { format: Format::F32, ..SyntheticBase::of_letters() }.gguf();
        for tensor in file.tensors.iter_mut().filter(|tensor| tensor.name.contains("attn_q")) {
            let values = tensor.axes.iter().product::<u64>() as usize;
            (tensor.kind, tensor.bytes) = (Format::Q8_0.kind(), Format::Q8_0.bytes(values));
        }
        file
    }
}

impl Sizes {
    /// Columns of a head.
    fn head(self) -> usize {
        self.hidden / self.heads
    }
}

impl Tokenizer {
    fn write_gguf(self, file: &mut GgufFile) {
        let (tokens, kinds): (Vec<String>, Vec<i32>) = self.tokens().into_iter().unzip();
        file.text("tokenizer.ggml.model", "gpt2");
        file.text("tokenizer.ggml.pre", "smollm");
        file.texts("tokenizer.ggml.tokens", &tokens.iter().map(String::as_str).collect::<Vec<_>>());
        file.integers("tokenizer.ggml.token_type", &kinds);
        file.texts("tokenizer.ggml.merges", self.merges());
        file.unsigned("tokenizer.ggml.bos_token_id", self.special().begin);
        file.unsigned("tokenizer.ggml.eos_token_id", self.special().end);
    }
}

/// llama.cpp's name of a tensor.
fn gguf_name(name: &str) -> String {
    [
        ("model.layers.", "blk."),
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.", "attn_"),
        ("mlp.", "ffn_"),
        ("_proj", ""),
    ]
    .iter()
    .fold(name.to_owned(), |name, (transformers, gguf)| name.replace(transformers, gguf))
}
