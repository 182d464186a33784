//! GGUF files for tests, written value by value.

use std::path::Path;

/// A GGUF under construction; everything can be set wrongly.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) magic: [u8; 4],
    pub(crate) version: u32,
    pub(crate) alignment: usize,
    pub(crate) values: Vec<(String, Vec<u8>)>,
    pub(crate) tensors: Vec<SampleTensor>,
}

/// A tensor of a sample, whose values are all zero bytes.
#[derive(Clone)]
pub(crate) struct SampleTensor {
    pub(crate) name: String,
    /// Fastest axis first.
    pub(crate) axes: Vec<u64>,
    pub(crate) kind: u32,
    pub(crate) bytes: usize,
    /// Where it claims to lie, if not where it does.
    pub(crate) offset: Option<u64>,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self { magic: *b"GGUF", version: 3, alignment: 32, values: Vec::new(), tensors: Vec::new() }
    }

    /// The tiny Llama of `config::tests::tiny`, with a tokenizer of 40 tokens; q in Q8_0, the rest in F32.
    pub(crate) fn llama() -> Self {
        let mut sample = Self::new();
        sample.text("general.architecture", "llama");
        for (key, value) in [
            ("block_count", 2),
            ("context_length", 128),
            ("embedding_length", 64),
            ("feed_forward_length", 96),
            ("attention.head_count", 4),
            ("attention.head_count_kv", 2),
            ("rope.dimension_count", 16),
        ] {
            sample.unsigned(&format!("llama.{key}"), value);
        }
        sample.float("llama.attention.layer_norm_rms_epsilon", 1e-5);
        sample.float("llama.rope.freq_base", 10_000.0);
        sample.tokenizer();
        sample.tensor("token_embd.weight", &[64, 40]);
        for layer in 0..2 {
            for (name, axes) in [
                ("attn_norm", &[64][..]),
                ("ffn_norm", &[64]),
                ("attn_k", &[64, 32]),
                ("attn_v", &[64, 32]),
                ("attn_output", &[64, 64]),
                ("ffn_gate", &[64, 96]),
                ("ffn_up", &[64, 96]),
                ("ffn_down", &[96, 64]),
            ] {
                sample.tensor(&format!("blk.{layer}.{name}.weight"), axes);
            }
            let (name, axes) = (format!("blk.{layer}.attn_q.weight"), vec![64, 64]);
            sample.tensors.push(SampleTensor { name, axes, kind: 8, bytes: 64 * 2 * 34, offset: None });
        }
        sample.tensor("output_norm.weight", &[64]);
        sample
    }

    /// Byte-level BPE over a few letters: 3 control tokens, one of the user's, `ab` and `Ġab` by merges.
    fn tokenizer(&mut self) {
        let mut tokens: Vec<String> =
            ["<|none|>", "<|begin|>", "<|end|>", "[mark]", "Ġ", "ab", "Ġab"].map(str::to_owned).to_vec();
        tokens.extend(('a'..='z').chain('0'..='6').map(|letter| letter.to_string()));
        assert_eq!(tokens.len(), 40);
        let mut kinds = vec![1; 40];
        kinds[..4].copy_from_slice(&[3, 3, 3, 4]);
        self.text("tokenizer.ggml.model", "gpt2");
        self.text("tokenizer.ggml.pre", "smollm");
        self.texts("tokenizer.ggml.tokens", &tokens.iter().map(String::as_str).collect::<Vec<_>>());
        self.integers("tokenizer.ggml.token_type", &kinds);
        self.texts("tokenizer.ggml.merges", &["a b", "Ġ ab"]);
        self.unsigned("tokenizer.ggml.bos_token_id", 1);
        self.unsigned("tokenizer.ggml.eos_token_id", 2);
    }

    /// Sets a key to a value of a kind, in place of an earlier one.
    pub(crate) fn set(&mut self, key: &str, kind: u32, value: &[u8]) {
        self.remove(key);
        self.repeat(key, kind, value);
    }

    /// Adds a key even if it is there.
    pub(crate) fn repeat(&mut self, key: &str, kind: u32, value: &[u8]) {
        self.values.push((key.to_owned(), [&kind.to_le_bytes(), value].concat()));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.values.retain(|(known, _)| known != key);
    }

    pub(crate) fn unsigned(&mut self, key: &str, value: u32) {
        self.set(key, 4, &value.to_le_bytes());
    }

    pub(crate) fn float(&mut self, key: &str, value: f32) {
        self.set(key, 6, &value.to_le_bytes());
    }

    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        self.set(key, 7, &[value.into()]);
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.set(key, 8, &string(value.as_bytes()));
    }

    pub(crate) fn texts(&mut self, key: &str, values: &[&str]) {
        let values: Vec<u8> = values.iter().flat_map(|value| string(value.as_bytes())).collect();
        let count = self.count_of(&values);
        self.set(key, 9, &[&8u32.to_le_bytes()[..], &count.to_le_bytes(), &values].concat());
    }

    pub(crate) fn integers(&mut self, key: &str, values: &[i32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.set(key, 9, &[&5u32.to_le_bytes()[..], &(values.len() as u64).to_le_bytes(), &bytes].concat());
    }

    /// How many length-prefixed strings these bytes are.
    fn count_of(&self, mut bytes: &[u8]) -> u64 {
        let mut count = 0;
        while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
            bytes = &rest[u64::from_le_bytes(*length) as usize..];
            count += 1;
        }
        count
    }

    /// An F32 tensor.
    pub(crate) fn tensor(&mut self, name: &str, axes: &[u64]) {
        let bytes = axes.iter().product::<u64>() as usize * 4;
        let (name, axes) = (name.to_owned(), axes.to_vec());
        self.tensors.push(SampleTensor { name, axes, kind: 0, bytes, offset: None });
    }

    /// The tensor of a name, to be changed.
    pub(crate) fn change(&mut self, name: &str) -> &mut SampleTensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name).expect("a tensor of the sample")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut header = [&self.magic[..], &self.version.to_le_bytes()].concat();
        header.extend((self.tensors.len() as u64).to_le_bytes());
        header.extend((self.values.len() as u64).to_le_bytes());
        for (key, value) in &self.values {
            header.extend(string(key.as_bytes()));
            header.extend(value);
        }
        let mut place = 0;
        for tensor in &self.tensors {
            header.extend(string(tensor.name.as_bytes()));
            header.extend((tensor.axes.len() as u32).to_le_bytes());
            tensor.axes.iter().for_each(|axis| header.extend(axis.to_le_bytes()));
            header.extend(tensor.kind.to_le_bytes());
            header.extend(tensor.offset.unwrap_or(place as u64).to_le_bytes());
            place += tensor.bytes.next_multiple_of(self.alignment);
        }
        let end = header.len().next_multiple_of(self.alignment) + place;
        header.resize(end, 0);
        header
    }

    pub(crate) fn write(&self, path: &Path) {
        std::fs::write(path, self.bytes()).expect("a file for a test");
    }
}

/// A string as a GGUF has it.
pub(crate) fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text].concat()
}
