//! The model families that irtune reads, each as data: one file a family, and one table of them, [`FAMILIES`].
//!
//! A family says what its files are called and what its layers consist of. It knows no weights and no arithmetic: readers
//! of configurations and weights, adapter folders and merged models take all names from here, and a decoder layer is put
//! together from the parts that its [`LayerSpec`] names.

mod field_names;
mod gpt2;
mod layer_spec;
mod llama;
mod modules;
mod phi;
mod phi3;
pub mod projection;
mod qwen2;
mod qwen3;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use field_names::FieldNames;
pub use layer_spec::{LayerSpec, MlpKind, NormKind, Positions};
pub use modules::{Kind, Module, Role, TensorPlace};
pub use projection::Projection;

/// Every family, in the order that messages and documents list them.
pub static FAMILIES: [&Family; 6] =
    [&llama::FAMILY, &qwen2::FAMILY, &qwen3::FAMILY, &gpt2::FAMILY, &phi::FAMILY, &phi3::FAMILY];

/// A group of models that share one kind of decoder.
pub struct Family {
    /// Its name in prose: `Llama`.
    pub title: &'static str,
    /// Well-known models of it, for messages.
    pub models: &'static str,
    /// `model_type` in a transformers `config.json`.
    pub model_type: &'static str,
    /// transformers' class of a classifier.
    pub classifier_class: &'static str,
    /// `general.architecture` in a GGUF; the names of the GGUF's sizes begin with it.
    pub architecture: &'static str,
    /// What a `config.json` calls its sizes.
    pub fields: FieldNames,
    /// What a `config.json` means where it says nothing.
    pub defaults: Defaults,
    /// Fields of a `config.json` that may hold one value only, in the order that a classifier's configuration has them.
    pub fixed: &'static [Fixed],
    /// Whether `attention_bias` of a `config.json` decides about biases of q, k, v and o.
    pub reads_attention_bias: bool,
    /// What a `config.json` that asks for a sliding window (`use_sliding_window`) means where it says no more; nothing
    /// in a family without windows.
    pub window: Option<Window>,
    /// The parts of a layer, given what `attention_bias` says and the layer's number.
    pub layer: fn(attention_bias: bool, layer: usize) -> LayerSpec,
    /// Endings of the names of tensors that are no weights: buffers which a configuration says already.
    pub buffers: &'static [&'static str],
    /// Every module with its names, in the order that files and engines keep them.
    pub modules: &'static [Module],
}

/// What a `config.json` means where it says nothing.
pub struct Defaults {
    /// `head_dim`; when not given, `hidden_size / num_attention_heads`.
    pub head_size: Option<usize>,
    /// `num_key_value_heads`; when not given, `num_attention_heads`.
    pub key_value_heads: Option<usize>,
    /// Longest sequence.
    pub max_positions: usize,
    /// `intermediate_size` over `hidden_size`; when not given, the size must stand there.
    pub widening: Option<usize>,
    /// The share of each head that turns, `partial_rotary_factor`.
    pub rotary_share: f64,
    /// What a norm adds to what it takes the root of.
    pub norm_epsilon: f32,
    /// `tie_word_embeddings`.
    pub tied_embeddings: bool,
}

impl Defaults {
    /// Those of Llama.
    pub const LLAMA: Self = Self {
        head_size: None,
        key_value_heads: None,
        max_positions: 2048,
        widening: None,
        rotary_share: 1.0,
        norm_epsilon: 1e-6,
        tied_embeddings: false,
    };
}

/// A sliding window over the keys that a position of the upper layers sees.
pub struct Window {
    /// `sliding_window`: how many keys, the position's own included.
    pub keys: usize,
    /// `max_window_layers`: the lowest layer that has a window.
    pub from_layer: usize,
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

impl Family {
    /// The family that a `config.json` names in `model_type`.
    pub fn by_model_type(name: &str) -> Option<&'static Self> {
        FAMILIES.into_iter().find(|family| family.model_type == name)
    }

    /// The family that a GGUF names in `general.architecture`.
    pub fn by_architecture(name: &str) -> Option<&'static Self> {
        FAMILIES.into_iter().find(|family| family.architecture == name)
    }

    /// All families for a message: "Llama (`llama`: SmolLM2, …), …".
    pub(crate) fn list() -> String {
        let family =
            |family: &Family| format!("{} (`{}`: {})", family.title, family.model_type, family.models);
        FAMILIES.map(family).join(", ")
    }

    /// The name of a family that is most like an unknown one, if one is.
    pub(crate) fn nearest(name: &str) -> Option<&'static str> {
        let names = FAMILIES.into_iter().flat_map(|family| [family.model_type, family.architecture]);
        let alike = names.map(|known| (strsim::jaro_winkler(&name.to_ascii_lowercase(), known), known));
        let nearest = alike.max_by(|left, right| left.0.total_cmp(&right.0));
        nearest.filter(|(alike, _)| *alike > 0.8).map(|(_, known)| known)
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title)
    }
}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        self.model_type == other.model_type
    }
}

impl Eq for Family {}

impl Serialize for Family {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.model_type)
    }
}

impl<'de> Deserialize<'de> for &'static Family {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Family::by_model_type(&name).ok_or_else(|| de::Error::custom(format!("there is no family `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_belongs_to_two_families() {
        for names in [
            FAMILIES.map(|family| family.title),
            FAMILIES.map(|family| family.model_type),
            FAMILIES.map(|family| family.architecture),
            FAMILIES.map(|family| family.classifier_class),
        ] {
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        }
        for family in FAMILIES {
            assert_eq!(Family::by_model_type(family.model_type), Some(family));
            assert_eq!(Family::by_architecture(family.architecture), Some(family));
            assert!(Family::list().contains(&format!("`{}`", family.model_type)));
        }
    }

    #[test]
    fn a_family_is_stored_by_its_model_type() {
        for family in FAMILIES {
            let stored = serde_json::to_string(family).unwrap();
            assert_eq!(stored, format!("\"{}\"", family.model_type));
            assert_eq!(serde_json::from_str::<&'static Family>(&stored).unwrap(), family);
        }
        assert!(serde_json::from_str::<&'static Family>("\"mamba\"").is_err());
    }

    #[test]
    fn what_is_nearly_a_family_is_told() {
        for family in FAMILIES {
            assert_eq!(Family::nearest(&family.model_type.to_uppercase()), Some(family.model_type));
            assert_eq!(Family::nearest(&format!("{}x", family.model_type)), Some(family.model_type));
        }
        assert_eq!(Family::nearest("mamba"), None);
    }
}
