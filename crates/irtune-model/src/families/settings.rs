//! What a family's configurations say, and what they mean where they say nothing.

/// What a configuration means where it says nothing.
pub struct Defaults {
    /// `head_dim`; when not given, `hidden_size / num_attention_heads`.
    pub head_size: Option<usize>,
    /// `num_key_value_heads`; when not given, `num_attention_heads`.
    pub key_value_heads: Option<usize>,
    /// `max_position_embeddings`.
    pub max_positions: usize,
    /// `rms_norm_eps`.
    pub norm_epsilon: f32,
    /// `tie_word_embeddings`.
    pub tied_embeddings: bool,
    /// `rope_theta`.
    pub theta: f32,
}

impl Defaults {
    /// Llama's.
    pub const LLAMA: Self = Self {
        head_size: None,
        key_value_heads: None,
        max_positions: 2048,
        norm_epsilon: 1e-6,
        tied_embeddings: false,
        theta: 10_000.0,
    };
}

/// A sliding window over the keys that a position of some layers sees.
pub struct Window {
    /// The field without which there is none, other than `sliding_window` itself: `use_sliding_window`.
    pub flag: Option<&'static str>,
    /// `sliding_window` where it is left out: how many keys, the position's own included.
    pub keys: Option<usize>,
    /// Whether the field `layer_types` says which layers have it.
    pub layer_types: bool,
    /// Which layers have it where that isn't said.
    pub layers: WindowedLayers,
}

/// Which layers have a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowedLayers {
    /// All of them.
    All,
    /// Those from one on, which the field `max_window_layers` names, or else this.
    From(usize),
}

/// A field of a `config.json` that may hold one value only.
pub struct Fixed {
    /// Its name.
    pub field: &'static str,
    /// What it must hold where it is given.
    pub value: Literal,
}

/// A value of a fixed field.
#[derive(Clone, Copy)]
pub enum Literal {
    /// `true` or `false`.
    Flag(bool),
    /// A string.
    Text(&'static str),
}

impl Literal {
    /// As a configuration has it.
    pub(crate) fn to_json(self) -> serde_json::Value {
        match self {
            Literal::Flag(value) => value.into(),
            Literal::Text(value) => value.into(),
        }
    }
}

/// Which biases a configuration decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadBiases {
    /// `attention_bias`: of q, k, v and o.
    pub attention: bool,
    /// `mlp_bias`: of gate, up and down.
    pub mlp: bool,
}

impl ReadBiases {
    /// About none.
    pub const NONE: Self = Self { attention: false, mlp: false };
    /// About those of attention.
    pub const ATTENTION: Self = Self { attention: true, mlp: false };
    /// About all.
    pub const BOTH: Self = Self { attention: true, mlp: true };
}
