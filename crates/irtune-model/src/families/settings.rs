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
    /// `intermediate_size` over `hidden_size`; when not given, the size must stand there.
    pub widening: Option<usize>,
    /// The share of each head that turns, `partial_rotary_factor`.
    pub rotary_share: f64,
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
        widening: None,
        rotary_share: 1.0,
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
    /// All but every so many-th.
    AllButEvery {
        /// The field that says how many.
        field: Option<&'static str>,
        /// How many where it says nothing.
        every: usize,
    },
    /// Those whose queries and keys don't turn.
    Unturned,
    /// Those from one on, which the field `max_window_layers` names, or else this.
    From(usize),
}

/// The rotary positions of layers with a window, where they are others than those of the rest. They are never scaled.
pub struct LocalRotary {
    /// The field that holds their theta, in the spelling of transformers 4.
    pub field: Option<&'static str>,
    /// Their theta where it isn't given; that of the rest where there is none.
    pub theta: Option<f32>,
}

/// The layers whose queries and keys don't turn.
pub struct UnturnedLayers {
    /// The field that has a 1 for every layer that turns.
    pub field: &'static str,
    /// Without it, the field that says every how many-th layer doesn't turn.
    pub interval: &'static str,
    /// How many where it says nothing, and in a GGUF.
    pub every: usize,
}

/// A number of a family's configurations.
pub struct Number {
    /// Its field in a `config.json`.
    pub field: &'static str,
    /// Its name in a GGUF after the architecture's.
    pub gguf: Option<&'static str>,
    /// What it is.
    pub quantity: Quantity,
    /// What is meant where it is left out; a null is none.
    pub default: Option<f32>,
}

impl Number {
    /// A number that stands in a `config.json`, without a default.
    pub(super) const fn new(field: &'static str, quantity: Quantity) -> Self {
        Self { field, gguf: None, quantity, default: None }
    }

    /// The same with a name in a GGUF.
    pub(super) const fn in_gguf(self, name: &'static str) -> Self {
        Self { gguf: Some(name), ..self }
    }

    /// The same with a default.
    pub(super) const fn or(self, default: f32) -> Self {
        Self { default: Some(default), ..self }
    }
}

/// What a number of a configuration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Scores are divided by its root. A GGUF doesn't hold it: there it is the size of a head, or `hidden_size / heads` in
    /// a decoder of so many layers.
    ScoreWidth {
        /// How many layers that decoder has.
        whole_at_layers: usize,
    },
    /// What scores are multiplied by.
    ScoreScale,
    /// What scores are bent to stay below.
    ScoreCap,
    /// What the language-model head's logits are bent to stay below.
    LogitCap,
    /// What these logits are divided by.
    LogitDivisor,
    /// What embeddings are multiplied by.
    EmbeddingScale,
    /// What the branches' outputs are multiplied by.
    ResidualScale,
}

/// A field of a `config.json` that may hold one value only.
pub struct Fixed {
    /// Its name.
    pub field: &'static str,
    /// What it must hold where it is given.
    pub value: Literal,
    /// Other words for the same.
    pub also: &'static [&'static str],
}

impl Fixed {
    /// A field with one value.
    pub(super) const fn new(field: &'static str, value: Literal) -> Self {
        Self { field, value, also: &[] }
    }

    /// A field with one value that there are other words for.
    pub(super) const fn or(field: &'static str, value: Literal, also: &'static [&'static str]) -> Self {
        Self { field, value, also }
    }
}

/// transformers' other names for SiLU.
pub(super) const SILU: &[&str] = &["swish"];
/// transformers' other names for GELU's approximation by a hyperbolic tangent: each computes the same function.
pub(super) const GELU_TANH: &[&str] =
    &["gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate", "gelu_fast"];

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
