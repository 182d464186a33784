//! What a decoder layer consists of.

use irtune_device::{Activation, Gate, Scores};

use super::{Projection, Role};

/// The parts of a decoder layer in which families differ.
///
/// Every layer is grouped-query attention and an MLP, each a branch whose output is added to the residual stream; what makes
/// them different stands here.
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
    /// The norms of the residual stream, the one after the last layer included.
    pub norm: NormKind,
    /// Whether queries, keys and values come from one matrix, `[queries + keys + values, hidden]`.
    pub fused_attention: bool,
    /// The MLP.
    pub mlp: MlpKind,
    /// The activation of the MLP's gate, if it has one.
    pub gate: Gate,
    /// Whether the MLP reads what attention reads, the output of the layer's only norm, and both are added to the stream
    /// side by side; else it reads the stream after attention, through a norm of its own.
    pub parallel: bool,
    /// Whether a learned row for its position is added to each token's embedding.
    pub learned_positions: bool,
    /// Whether the language-model head has a bias.
    pub head_bias: bool,
    /// What both branches' outputs are multiplied by before they are added.
    pub residual_scale: f32,
}

/// A kind of norm of the residual stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// Root-mean-square norm: a gain.
    Rms,
    /// Layer norm: a gain and a bias.
    Layer,
}

/// A kind of MLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MlpKind {
    /// `down(gate(gate_proj(x)) ∘ up(x))`
    Gated,
    /// The same with gate and up from one matrix, `[gate + up, hidden]`.
    FusedGated,
    /// `down(activation(up(x)))`
    Plain(Activation),
}

/// Where a branch has a norm.
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

    /// Its projections, in the order of the forward pass.
    pub fn projections(&self) -> impl Iterator<Item = Projection> + use<> {
        let spec = *self;
        Projection::ALL.into_iter().filter(move |&projection| spec.has_projection(projection))
    }

    /// Whether the layer has a projection.
    pub fn has_projection(&self, projection: Projection) -> bool {
        match projection {
            Projection::QProj | Projection::KProj | Projection::VProj => !self.fused_attention,
            Projection::QkvProj => self.fused_attention,
            Projection::GateProj => self.mlp == MlpKind::Gated,
            Projection::UpProj => self.mlp != MlpKind::FusedGated,
            Projection::GateUpProj => self.mlp == MlpKind::FusedGated,
            Projection::OProj | Projection::DownProj => true,
        }
    }

    /// The projection of this layer that does what another does elsewhere: itself, or the fused one that it is a part
    /// of; nothing for the gate of an MLP without one.
    pub fn counterpart(&self, projection: Projection) -> Option<Projection> {
        let fused = match projection {
            Projection::QProj | Projection::KProj | Projection::VProj => Projection::QkvProj,
            Projection::GateProj | Projection::UpProj => Projection::GateUpProj,
            other => other,
        };
        [projection, fused].into_iter().find(|&projection| self.has_projection(projection))
    }

    /// Whether the layer has a module.
    pub fn has(&self, role: Role) -> bool {
        match role {
            Role::Embedding | Role::PositionEmbedding | Role::FinalNorm | Role::LanguageHead => false,
            Role::MlpNorm if self.parallel => false,
            Role::AttentionNorm | Role::MlpNorm => self.norms != NormPlacement::After,
            Role::AttentionOutputNorm | Role::MlpOutputNorm => self.norms != NormPlacement::Before,
            Role::Projection(projection) => self.has_projection(projection),
            Role::QueryNorm | Role::KeyNorm => self.head_norms.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::{RopeScaling, Rotary, Variant};

    #[test]
    fn a_fused_projection_stands_for_its_parts() {
        let rotary = Rotary { size: 8, theta: 1.0, scaling: RopeScaling::None, query_growth: None };
        let usual = Variant::plain(rotary, 1, 8).layer(0);
        let fused = LayerSpec { fused_attention: true, mlp: MlpKind::FusedGated, ..usual };
        let plain = LayerSpec { mlp: MlpKind::Plain(Activation::Gelu), ..usual };
        use Projection::{DownProj, GateProj, GateUpProj, OProj, QProj, QkvProj, UpProj, VProj};
        assert_eq!(fused.projections().collect::<Vec<_>>(), [QkvProj, OProj, GateUpProj, DownProj]);
        for (projection, of_fused, of_plain) in [
            (QProj, Some(QkvProj), Some(QProj)),
            (VProj, Some(QkvProj), Some(VProj)),
            (GateProj, Some(GateUpProj), None),
            (UpProj, Some(GateUpProj), Some(UpProj)),
            (DownProj, Some(DownProj), Some(DownProj)),
            (QkvProj, Some(QkvProj), None),
        ] {
            assert_eq!(fused.counterpart(projection), of_fused);
            assert_eq!(plain.counterpart(projection), of_plain);
            assert_eq!(usual.has_projection(projection), projection != QkvProj);
        }
    }
}
