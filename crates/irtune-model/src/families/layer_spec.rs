//! What a decoder layer consists of.

use irtune_device::Activation;

use super::{Projection, Role};

/// The parts of a decoder layer in which families differ.
///
/// Every layer has a norm, attention with grouped queries and an MLP; what they are like stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    /// The projections whose outputs have a bias added, in the order of [`Projection::ALL`].
    pub biases: &'static [Projection],
    /// Whether each head of the queries and of the keys goes through an RMS norm before rotary positions; the gains,
    /// `[head_size]`, are the same for all heads.
    pub head_norms: bool,
    /// The norms of the residual stream, the one after the last layer included.
    pub norm: NormKind,
    /// Whether queries, keys and values come from one matrix, `[queries + keys + values, hidden]`.
    pub fused_attention: bool,
    /// The MLP.
    pub mlp: MlpKind,
    /// Whether the MLP reads what attention reads, the output of the layer's only norm, and both are added to the stream
    /// side by side; else it reads the stream after attention, through a norm of its own.
    pub parallel: bool,
    /// How a token's position comes in.
    pub positions: Positions,
    /// Whether the language-model head has a bias.
    pub head_bias: bool,
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
    /// `down(silu(gate(x)) ∘ up(x))`
    Gated,
    /// The same with gate and up from one matrix, `[gate + up, hidden]`.
    FusedGated,
    /// `down(activation(up(x)))`
    Plain(Activation),
}

/// How a token's position comes into a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positions {
    /// By rotating queries and keys in every layer.
    Rotary,
    /// By a learned row that is added to the token's embedding.
    Learned,
}

impl LayerSpec {
    /// Llama's layer.
    pub const PLAIN: Self = Self {
        biases: &[],
        head_norms: false,
        norm: NormKind::Rms,
        fused_attention: false,
        mlp: MlpKind::Gated,
        parallel: false,
        positions: Positions::Rotary,
        head_bias: false,
    };

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
            Role::AttentionNorm => true,
            Role::MlpNorm => !self.parallel,
            Role::QueryNorm | Role::KeyNorm => self.head_norms,
            Role::Projection(projection) => self.has_projection(projection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fused_projection_stands_for_its_parts() {
        let fused = LayerSpec { fused_attention: true, mlp: MlpKind::FusedGated, ..LayerSpec::PLAIN };
        let plain = LayerSpec { mlp: MlpKind::Plain(Activation::Gelu), ..LayerSpec::PLAIN };
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
            assert_eq!(LayerSpec::PLAIN.has_projection(projection), projection != QkvProj);
        }
    }
}
