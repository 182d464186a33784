//! What a decoder layer consists of.

use irtune_device::{Gate, Scores};

use super::{Projection, Role};

/// The parts of a decoder layer in which families differ.
///
/// Every layer is grouped-query attention, then a gated MLP, each a branch whose output is added to the residual stream;
/// what makes them different stands here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerSpec {
    /// Where a branch has a norm.
    pub norms: NormPlacement,
    /// The projections whose outputs have a bias added, in the order of [`Projection::ALL`].
    pub biases: &'static [Projection],
    /// The norms of queries and keys before rotary positions.
    pub head_norms: Option<HeadNorms>,
    /// Which rotary positions turn queries and keys; nothing where they have none.
    pub rotary: Option<RotaryKind>,
    /// How attention's scores are made, and which keys a position sees.
    pub scores: Scores,
    /// The activation of the MLP's gate.
    pub gate: Gate,
    /// What both branches' outputs are multiplied by before they are added.
    pub residual_scale: f32,
}

/// Where a branch has a root-mean-square norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormPlacement {
    /// Of its input.
    Before,
    /// Of its output.
    After,
    /// Of both.
    Around,
}

/// What a norm of queries and keys goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadNorms {
    /// Each head; the gains, `[head_size]`, are the same for all heads.
    EachHead,
    /// All heads of a position together, with a gain for each value.
    Whole,
}

/// Which of a decoder's rotary positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotaryKind {
    /// Those of most decoders, the only ones.
    Main,
    /// Those of layers with a window, where they have their own.
    Local,
}

impl LayerSpec {
    /// Whether a projection has a bias.
    pub fn has_bias(&self, projection: Projection) -> bool {
        self.biases.contains(&projection)
    }

    /// Whether the layer has a module.
    pub fn has(&self, role: Role) -> bool {
        match role {
            Role::Embedding | Role::FinalNorm | Role::LanguageHead => false,
            Role::AttentionNorm | Role::MlpNorm => self.norms != NormPlacement::After,
            Role::AttentionOutputNorm | Role::MlpOutputNorm => self.norms != NormPlacement::Before,
            Role::Projection(_) => true,
            Role::QueryNorm | Role::KeyNorm => self.head_norms.is_some(),
        }
    }
}
