//! The projections of a decoder layer that an adapter can stand beside.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A matrix of a decoder layer that an adapter can stand beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// Queries.
    QProj,
    /// Keys.
    KProj,
    /// Values.
    VProj,
    /// The attention's output.
    OProj,
    /// The gate of the MLP.
    GateProj,
    /// The MLP's way up.
    UpProj,
    /// The MLP's way down.
    DownProj,
}

impl Projection {
    /// Every projection, in the order of a layer's forward pass.
    pub const ALL: [Projection; 7] = [
        Projection::QProj,
        Projection::KProj,
        Projection::VProj,
        Projection::OProj,
        Projection::GateProj,
        Projection::UpProj,
        Projection::DownProj,
    ];

    /// The field's name, as PEFT's `target_modules` has it: `q_proj` … `down_proj`.
    pub fn name(self) -> &'static str {
        match self {
            Projection::QProj => "q_proj",
            Projection::KProj => "k_proj",
            Projection::VProj => "v_proj",
            Projection::OProj => "o_proj",
            Projection::GateProj => "gate_proj",
            Projection::UpProj => "up_proj",
            Projection::DownProj => "down_proj",
        }
    }

    /// The module's path inside a layer: `self_attn.q_proj`, `mlp.up_proj`.
    pub fn path(self) -> &'static str {
        match self {
            Projection::QProj => "self_attn.q_proj",
            Projection::KProj => "self_attn.k_proj",
            Projection::VProj => "self_attn.v_proj",
            Projection::OProj => "self_attn.o_proj",
            Projection::GateProj => "mlp.gate_proj",
            Projection::UpProj => "mlp.up_proj",
            Projection::DownProj => "mlp.down_proj",
        }
    }

    /// The frozen matrix's name in transformers: `model.layers.{layer}.self_attn.q_proj.weight`.
    pub fn weight_name(self, layer: usize) -> String {
        format!("model.layers.{layer}.{}.weight", self.path())
    }

    /// The name of LoRA's first matrix, `[rank, inputs]`, in a PEFT file.
    pub fn lora_a_name(self, layer: usize) -> String {
        self.adapter_name(layer, "lora_A.weight")
    }

    /// The name of LoRA's second matrix, `[outputs, rank]`, in a PEFT file.
    pub fn lora_b_name(self, layer: usize) -> String {
        self.adapter_name(layer, "lora_B.weight")
    }

    /// The name of a tensor of the projection's adapter, as PEFT makes it from the module's path.
    pub fn adapter_name(self, layer: usize, part: &str) -> String {
        format!("base_model.model.model.layers.{layer}.{}.{part}", self.path())
    }
}

impl fmt::Display for Projection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Projection {
    type Err = UnknownProjection;

    fn from_str(name: &str) -> Result<Self, UnknownProjection> {
        let known = Projection::ALL.into_iter().find(|projection| projection.name() == name);
        known.ok_or_else(|| UnknownProjection { name: name.to_owned() })
    }
}

/// Not a projection of a decoder layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no projection `{name}`: target_modules takes {}", names())]
pub struct UnknownProjection {
    /// What was given.
    pub name: String,
}

/// The projections there are, separated by commas.
pub(crate) fn names() -> String {
    Projection::ALL.map(Projection::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_serde_uses_them() {
        for projection in Projection::ALL {
            assert_eq!(projection.name().parse(), Ok(projection));
            assert_eq!(serde_json::to_string(&projection).unwrap(), format!("\"{projection}\""));
            assert!(projection.path().ends_with(projection.name()));
        }
        let message = "w_proj".parse::<Projection>().expect_err("no such projection").to_string();
        assert!(message.contains("no projection `w_proj`"), "{message}");
    }

    #[test]
    fn peft_names_are_those_of_a_classifier() {
        let name = Projection::UpProj.lora_b_name(3);
        assert_eq!(name, "base_model.model.model.layers.3.mlp.up_proj.lora_B.weight");
        let name = Projection::QProj.lora_a_name(0);
        assert_eq!(name, "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
        assert_eq!(Projection::OProj.weight_name(2), "model.layers.2.self_attn.o_proj.weight");
    }
}
