//! What a decoder layer consists of.

use super::{Projection, Role};

/// The parts of a decoder layer in which families differ.
///
/// Every layer has a norm before attention and one before the MLP, grouped-query attention with rotary positions and a
/// gated MLP; what comes on top stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    /// The projections whose outputs have a bias added, in the order of [`Projection::ALL`].
    pub biases: &'static [Projection],
    /// Whether each head of the queries and of the keys goes through an RMS norm before rotary positions; the gains,
    /// `[head_size]`, are the same for all heads.
    pub head_norms: bool,
}

impl LayerSpec {
    /// Nothing on top.
    pub const PLAIN: Self = Self { biases: &[], head_norms: false };

    /// Whether a projection has a bias.
    pub fn has_bias(&self, projection: Projection) -> bool {
        self.biases.contains(&projection)
    }

    /// Whether the layer has a module.
    pub fn has(&self, role: Role) -> bool {
        match role {
            Role::Embedding | Role::FinalNorm | Role::LanguageHead => false,
            Role::AttentionNorm | Role::MlpNorm | Role::Projection(_) => true,
            Role::QueryNorm | Role::KeyNorm => self.head_norms,
        }
    }
}
