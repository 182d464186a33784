//! What a configuration says of a decoder beside its sizes.

use serde::{Deserialize, Serialize};

use irtune_device::{Gate, Scores};

use super::{LayerSpec, NormPlacement, Projection, Quantity, Rotary, RotaryKind};

/// What a configuration says of a decoder beside its sizes. A family reads what its models differ in, and has everything
/// else as [`Variant::plain`] has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Whether q, k, v and o have biases, where the family leaves that to the configuration.
    pub attention_bias: bool,
    /// Whether gate, up and down have biases, likewise.
    pub mlp_bias: bool,
    /// Rotary positions.
    pub rotary: Rotary,
    /// Those of the layers with a window, where they are others.
    pub local_rotary: Option<Rotary>,
    /// How many keys a position sees in a layer with a window, its own included.
    pub window: Option<usize>,
    /// What each layer is.
    pub kinds: Vec<LayerKind>,
    /// Scores are divided by its root: the size of a head, if nothing else is said.
    pub score_width: f32,
    /// What scores are multiplied by instead.
    pub score_scale: Option<f32>,
    /// What scores are bent to stay below.
    pub score_cap: Option<f32>,
    /// What the language-model head's logits are bent to stay below.
    pub logit_cap: Option<f32>,
    /// What the language-model head's logits are divided by, before that.
    pub logit_divisor: f32,
    /// What embeddings are multiplied by.
    pub embedding_scale: f32,
    /// What the branches' outputs are multiplied by.
    pub residual_scale: f32,
}

/// In what layers of one decoder differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerKind {
    /// Whether a position sees only the keys of the window, if there is one.
    pub windowed: bool,
    /// Whether queries and keys turn with their positions.
    pub rotary: bool,
}

impl LayerKind {
    /// Sees everything and turns.
    pub const USUAL: Self = Self { windowed: false, rotary: true };
}

const ATTENTION: &[Projection] =
    &[Projection::QProj, Projection::KProj, Projection::VProj, Projection::OProj];
const MLP: &[Projection] = &[Projection::GateProj, Projection::UpProj, Projection::DownProj];

impl Variant {
    /// The plain decoder: no biases, windows or caps, and nothing scaled but scores, by `1 / √head_size`.
    pub fn plain(rotary: Rotary, layers: usize, head_size: usize) -> Self {
        Self {
            attention_bias: false,
            mlp_bias: false,
            rotary,
            local_rotary: None,
            window: None,
            kinds: vec![LayerKind::USUAL; layers],
            score_width: head_size as f32,
            score_scale: None,
            score_cap: None,
            logit_cap: None,
            logit_divisor: 1.0,
            embedding_scale: 1.0,
            residual_scale: 1.0,
        }
    }

    /// Takes a number of a configuration.
    pub(crate) fn set(&mut self, quantity: Quantity, value: f32) {
        match quantity {
            Quantity::ScoreWidth { .. } => self.score_width = value,
            Quantity::ScoreScale => self.score_scale = Some(value),
            Quantity::ScoreCap => self.score_cap = Some(value),
            Quantity::LogitCap => self.logit_cap = Some(value),
            Quantity::LogitDivisor => self.logit_divisor = value,
            Quantity::EmbeddingScale => self.embedding_scale = value,
            Quantity::ResidualScale => self.residual_scale = value,
        }
    }

    /// The number that a configuration has for this.
    pub(crate) fn get(&self, quantity: Quantity) -> Option<f32> {
        match quantity {
            Quantity::ScoreWidth { .. } => Some(self.score_width),
            Quantity::ScoreScale => Some(self.score_scale.unwrap_or(1.0 / self.score_width.sqrt())),
            Quantity::ScoreCap => self.score_cap,
            Quantity::LogitCap => self.logit_cap,
            Quantity::LogitDivisor => Some(self.logit_divisor),
            Quantity::EmbeddingScale => Some(self.embedding_scale),
            Quantity::ResidualScale => Some(self.residual_scale),
        }
    }

    /// A layer with everything that is said here, norms before its branches, none of queries and keys, and a SiLU gate: what
    /// a family builds its own layer on.
    pub fn layer(&self, index: usize) -> LayerSpec {
        let LayerKind { windowed, rotary } = self.kinds[index];
        let kind = match self.local_rotary {
            Some(_) if windowed => RotaryKind::Local,
            _ => RotaryKind::Main,
        };
        LayerSpec {
            norms: NormPlacement::Before,
            biases: match (self.attention_bias, self.mlp_bias) {
                (false, false) => &[],
                (true, false) => ATTENTION,
                (false, true) => MLP,
                (true, true) => &Projection::ALL,
            },
            head_norms: None,
            rotary: rotary.then_some(kind),
            scores: Scores {
                scale: self.score_scale.unwrap_or(1.0 / self.score_width.sqrt()),
                window: self.window.filter(|_| windowed),
                cap: self.score_cap,
            },
            gate: Gate::Silu,
            residual_scale: self.residual_scale,
        }
    }
}
