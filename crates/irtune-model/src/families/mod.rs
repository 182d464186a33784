//! The model families that irtune reads, each as data: one file a family, and one table of them, [`FAMILIES`].
//!
//! A family says what its files are called and what its layers consist of. It knows no weights and no arithmetic: readers
//! of configurations and weights, adapter folders and merged models take all names from here, and a decoder layer is put
//! together from the parts that its [`LayerSpec`] names.

mod field_names;
mod gemma;
mod gemma2;
mod gemma3;
mod gpt2;
mod granite;
mod layer_spec;
mod llama;
mod ministral;
mod ministral3;
mod mistral;
mod modules;
mod olmo2;
mod olmo3;
mod phi;
mod phi3;
pub mod projection;
mod qwen2;
mod qwen3;
mod rotary;
mod settings;
mod shared_modules;
mod smollm3;
mod variant;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use field_names::FieldNames;
pub use layer_spec::{HeadNorms, LayerSpec, MlpKind, NormKind, NormPlacement, RotaryKind};
pub use modules::{Kind, Module, Role, TensorPlace};
pub use projection::Projection;
pub use rotary::{QueryGrowth, RopeScaling, Rotary};
pub use settings::{
    Defaults, Fixed, Literal, LocalRotary, Number, Quantity, ReadBiases, UnturnedLayers, Window,
    WindowedLayers,
};
pub use variant::{LayerKind, Variant};

/// Every family, in the order that messages and documents list them.
pub static FAMILIES: [&Family; 18] = [
    &llama::FAMILY,
    &mistral::FAMILY,
    &ministral::FAMILY,
    &ministral3::TEXT,
    &ministral3::COMPOSITE,
    &smollm3::FAMILY,
    &qwen2::FAMILY,
    &qwen3::FAMILY,
    &gemma::FAMILY,
    &gemma2::FAMILY,
    &gemma3::TEXT,
    &gemma3::COMPOSITE,
    &granite::FAMILY,
    &olmo2::FAMILY,
    &olmo3::FAMILY,
    &gpt2::FAMILY,
    &phi::FAMILY,
    &phi3::FAMILY,
];

/// A group of models that share one kind of decoder.
pub struct Family {
    /// Its name in prose: `Llama`.
    pub title: &'static str,
    /// Well-known models of it, for messages.
    pub models: &'static str,
    /// `model_type` in a transformers `config.json`.
    pub model_type: &'static str,
    /// What the names of transformers' classes begin with: `Llama`.
    pub class_stem: &'static str,
    /// Whether transformers has a class of a classifier.
    pub has_classifier: bool,
    /// `general.architecture` in a GGUF; the names of the GGUF's sizes begin with it. Two families may share one if only
    /// one of them has windows by default: a GGUF that names a window is of that one. Nothing where GGUFs name another family.
    pub architecture: Option<&'static str>,
    /// What a `config.json` calls its sizes.
    pub fields: FieldNames,
    /// Of a model with other parts than text, the family of its text part. Its configuration is that one's under the field
    /// `text_config`, and its modules are the same under `model.language_model`.
    pub text: Option<&'static Family>,
    /// What a configuration means where it says nothing.
    pub defaults: Defaults,
    /// Fields of a `config.json` that may hold one value only, in the order that a classifier's configuration has them.
    pub fixed: &'static [Fixed],
    /// Which biases a `config.json` decides about.
    pub reads_biases: ReadBiases,
    /// The window over keys, in a family that can have one.
    pub window: Option<Window>,
    /// The rotary positions of layers with a window, where they are others than those of the rest.
    pub local_rotary: Option<LocalRotary>,
    /// The layers whose queries and keys don't turn.
    pub unturned: Option<UnturnedLayers>,
    /// Whether queries grow beyond the original context, as the rotary settings say.
    pub grows_queries: bool,
    /// Whether embeddings are multiplied by `√hidden_size`.
    pub scales_embedding: bool,
    /// Numbers of its configurations that others don't have.
    pub numbers: &'static [Number],
    /// The parts of a layer, given what the configuration says and the layer's number.
    pub layer: fn(variant: &Variant, layer: usize) -> LayerSpec,
    /// Endings of the names of tensors that are no weights: buffers which a configuration says already.
    pub buffers: &'static [&'static str],
    /// Every module with its names, in groups, in the order that files and engines keep them.
    pub(crate) modules: &'static [&'static [Module]],
}

impl Family {
    /// Every module with its names, in the order that files and engines keep them.
    pub fn modules(&self) -> impl Iterator<Item = &'static Module> {
        self.modules.iter().copied().flatten()
    }

    /// The family that a `config.json` names in `model_type`.
    pub fn by_model_type(name: &str) -> Option<&'static Self> {
        FAMILIES.into_iter().find(|family| family.model_type == name)
    }

    /// The family that a GGUF names in `general.architecture`, given whether the file names a window.
    pub fn by_architecture(name: &str, windowed: bool) -> Option<&'static Self> {
        let named = || FAMILIES.into_iter().filter(|family| family.architecture == Some(name));
        let has_windows = |family: &&Self| family.window.as_ref().is_some_and(|window| window.keys.is_some());
        named().find(|family| has_windows(family) == windowed).or_else(|| named().next())
    }

    /// The class of a classifier: transformers', or what it would be called.
    pub fn classifier_class(&self) -> String {
        format!("{}ForSequenceClassification", self.class_stem)
    }

    /// All families for a message: "Llama (`llama`: SmolLM2, …), …".
    pub(crate) fn list() -> String {
        let family =
            |family: &Family| format!("{} (`{}`: {})", family.title, family.model_type, family.models);
        FAMILIES.map(family).join(", ")
    }

    /// The name of a family that is most like an unknown one, if one is.
    pub(crate) fn nearest(name: &str) -> Option<&'static str> {
        let names = FAMILIES.into_iter().flat_map(|family| [Some(family.model_type), family.architecture]);
        let names = names.flatten();
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
            FAMILIES.map(|family| family.class_stem),
        ] {
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        }
        for family in FAMILIES {
            assert_eq!(Family::by_model_type(family.model_type), Some(family));
            let windowed = family.window.as_ref().is_some_and(|window| window.keys.is_some());
            if let Some(architecture) = family.architecture {
                assert_eq!(Family::by_architecture(architecture, windowed), Some(family));
            }
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
