//! What a `config.json` calls the sizes of a decoder.

/// Names of the fields in which families differ.
#[derive(Clone, Copy, Debug)]
pub struct FieldNames {
    /// Width of the residual stream.
    pub hidden_size: &'static str,
    /// Width of the MLP.
    pub intermediate_size: &'static str,
    /// Number of layers.
    pub layers: &'static str,
    /// Heads of the queries.
    pub heads: &'static str,
    /// Heads of keys and values, where they can be fewer.
    pub key_value_heads: Option<&'static str>,
    /// Width of a head, where it isn't what the heads make of the residual stream.
    pub head_size: Option<&'static str>,
    /// Longest sequence the model was made for.
    pub max_positions: &'static str,
    /// Added to what a norm takes the root of.
    pub norm_epsilon: &'static str,
}

impl FieldNames {
    /// Those of Llama, and of most families after it.
    pub const LLAMA: Self = Self {
        hidden_size: "hidden_size",
        intermediate_size: "intermediate_size",
        layers: "num_hidden_layers",
        heads: "num_attention_heads",
        key_value_heads: Some("num_key_value_heads"),
        head_size: Some("head_dim"),
        max_positions: "max_position_embeddings",
        norm_epsilon: "rms_norm_eps",
    };
}
