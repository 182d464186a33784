//! Which tensors a decoder of a configuration consists of.

use super::ModelConfig;
use crate::families::{HeadNorms, Kind, NormKind, Role, TensorPlace};

/// A tensor of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTensor {
    /// The module it belongs to.
    pub role: Role,
    /// Which of the module's tensors.
    pub kind: Kind,
    /// transformers' name for it.
    pub name: String,
    /// Sizes of its axes, slowest first: outputs, then inputs.
    pub shape: Vec<usize>,
    /// Whether transformers stores it with its axes the other way round.
    pub transposed: bool,
}

impl LayerTensor {
    /// Sizes of its axes as transformers stores it.
    pub fn stored_shape(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if self.transposed {
            shape.reverse();
        }
        shape
    }
}

impl ModelConfig {
    /// Every tensor of a layer, in the order that files and engines keep them: the family's, a bias after its matrix.
    pub fn layer_tensors(&self, layer: usize) -> Vec<LayerTensor> {
        let modules = self.family.modules().map(|module| module.role);
        let tensors = modules.flat_map(|role| [(role, Kind::Weight), (role, Kind::Bias)]);
        let own = tensors.filter(|&(role, kind)| self.has(layer, role, kind));
        own.map(|(role, kind)| LayerTensor {
            role,
            kind,
            name: self.family.layer_name(layer, role, kind),
            shape: self.shape_of(self.layer(layer).head_norms, role, kind),
            transposed: kind == Kind::Weight && self.family.is_transposed(role),
        })
        .collect()
    }

    /// Every tensor of the decoder with its shape; the language-model head is none of it.
    pub fn expected_tensors(&self) -> Vec<(String, Vec<usize>)> {
        let layers = (0..self.layers).flat_map(|layer| self.layer_tensors(layer));
        self.outer_tensors().chain(layers.map(|tensor| (tensor.name, tensor.shape))).collect()
    }

    /// Every tensor outside the layers with its shape, but for the language-model head's.
    pub(crate) fn outer_tensors(&self) -> impl Iterator<Item = (String, Vec<usize>)> {
        let roles = [Role::Embedding, Role::PositionEmbedding, Role::FinalNorm].into_iter();
        let tensors = roles.flat_map(|role| [(role, Kind::Weight), (role, Kind::Bias)]);
        let own = tensors.filter(|&(role, kind)| self.has_outer(role, kind));
        own.map(|(role, kind)| (self.family.outer_tensor_name(role, kind), self.shape_of(None, role, kind)))
    }

    /// Whether there is such a tensor outside the layers.
    pub(crate) fn has_outer(&self, role: Role, kind: Kind) -> bool {
        let spec = self.layer(0);
        match (role, kind) {
            (Role::Embedding | Role::FinalNorm | Role::LanguageHead, Kind::Weight) => true,
            (Role::PositionEmbedding, Kind::Weight) => spec.learned_positions,
            (Role::FinalNorm, Kind::Bias) => spec.norm == NormKind::Layer,
            (Role::LanguageHead, Kind::Bias) => spec.head_bias,
            _ => false,
        }
    }

    /// Whether a decoder of this configuration has a tensor at this place.
    pub(crate) fn has_place(&self, place: &TensorPlace) -> bool {
        match place.layer {
            Some(layer) => layer < self.layers && self.has(layer, place.role, place.kind),
            None => self.has_outer(place.role, place.kind),
        }
    }

    fn has(&self, layer: usize, role: Role, kind: Kind) -> bool {
        let spec = self.layer(layer);
        match (kind, role) {
            (Kind::Weight, _) => spec.has(role),
            (Kind::Bias, Role::Projection(projection)) => spec.has_bias(projection),
            (Kind::Bias, Role::AttentionNorm | Role::MlpNorm) => {
                spec.norm == NormKind::Layer && spec.has(role)
            }
            (Kind::Bias, _) => false,
        }
    }

    fn shape_of(&self, head_norms: Option<HeadNorms>, role: Role, kind: Kind) -> Vec<usize> {
        let whole = head_norms == Some(HeadNorms::Whole);
        match role {
            Role::LanguageHead if kind == Kind::Bias => vec![self.vocabulary_size],
            Role::Embedding | Role::LanguageHead => vec![self.vocabulary_size, self.hidden_size],
            Role::PositionEmbedding => vec![self.max_positions, self.hidden_size],
            Role::FinalNorm
            | Role::AttentionNorm
            | Role::AttentionOutputNorm
            | Role::MlpNorm
            | Role::MlpOutputNorm => vec![self.hidden_size],
            Role::QueryNorm if whole => vec![self.query_size()],
            Role::KeyNorm if whole => vec![self.key_value_size()],
            Role::QueryNorm | Role::KeyNorm => vec![self.head_size],
            Role::Projection(projection) => {
                let (outputs, inputs) = self.projection_shape(projection);
                if kind == Kind::Bias { vec![outputs] } else { vec![outputs, inputs] }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::tests::tiny, *};
    use crate::families::{FAMILIES, Family, NormPlacement, Variant};

    #[test]
    fn a_layers_tensors_have_their_own_names_and_fit_its_specification() {
        for (family, biases) in FAMILIES.into_iter().flat_map(|family| [(family, false), (family, true)]) {
            let variant = Variant { attention_bias: biases, mlp_bias: biases, ..tiny().variant };
            let config = ModelConfig { family, variant, head_size: 8, ..tiny() };
            let spec = config.layer(1);
            let tensors = config.layer_tensors(1);
            let norms = match (spec.norms, spec.parallel) {
                (NormPlacement::Around, _) => 4,
                (_, false) => 2,
                (_, true) => 1,
            };
            let norms = if spec.norm == NormKind::Layer { 2 * norms } else { norms };
            let head_norms = 2 * usize::from(spec.head_norms.is_some());
            let expected = spec.projections().count() + norms + spec.biases.len() + head_norms;
            assert_eq!(tensors.len(), expected, "{family:?}");
            let names: BTreeSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
            assert_eq!(names.len(), tensors.len());
            for LayerTensor { role, kind, name, shape, .. } in &tensors {
                let place = family.place_of(&family.gguf_name(1, *role, *kind)).expect("a place");
                assert!(config.has_place(&place) && family.name_at(&place) == *name, "{name}");
                let matrix = matches!((role, kind), (Role::Projection(_), Kind::Weight));
                assert_eq!(shape.len(), 1 + usize::from(matrix), "{name}");
            }
        }
    }

    #[test]
    fn biases_are_as_long_as_their_outputs_and_head_norms_as_a_head() {
        let shapes = |config: &ModelConfig, ending: &str| -> Vec<Vec<usize>> {
            let tensors = config.layer_tensors(0).into_iter();
            tensors.filter(|tensor| tensor.name.ends_with(ending)).map(|tensor| tensor.shape).collect()
        };
        let variant = tiny().variant;
        let biased = FAMILIES.into_iter().find(|family| !(family.layer)(&variant, 0).biases.is_empty());
        let biased = ModelConfig { family: biased.expect("a family"), head_size: 8, ..tiny() };
        assert_eq!(shapes(&biased, ".bias"), [[32], [16], [16]]);
        let normed = |norms| {
            let has = |family: &&Family| (family.layer)(&variant, 0).head_norms == Some(norms);
            let family = FAMILIES.into_iter().find(has).expect("a family");
            shapes(&ModelConfig { family, head_size: 8, ..tiny() }, "_norm.weight")
        };
        assert_eq!(normed(HeadNorms::EachHead), [[8], [8]]);
        assert_eq!(normed(HeadNorms::Whole), [[32], [16]]);
    }
}
