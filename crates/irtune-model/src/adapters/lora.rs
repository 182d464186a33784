//! LoRA's settings, and the projections of a decoder layer that it can adapt.

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
        format!("base_model.model.model.layers.{layer}.{}.lora_A.weight", self.path())
    }

    /// The name of LoRA's second matrix, `[outputs, rank]`, in a PEFT file.
    pub fn lora_b_name(self, layer: usize) -> String {
        format!("base_model.model.model.layers.{layer}.{}.lora_B.weight", self.path())
    }
}

impl fmt::Display for Projection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Projection {
    type Err = LoraError;

    fn from_str(name: &str) -> Result<Self, LoraError> {
        let known = Projection::ALL.into_iter().find(|projection| projection.name() == name);
        known.ok_or_else(|| LoraError::UnknownProjection { name: name.to_owned() })
    }
}

/// A low-rank adapter: `y = W x + (alpha / rank) · B A dropout(x)` on every target module of every layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraConfig {
    /// Rows of A and columns of B.
    pub rank: usize,
    /// The product is scaled by `alpha / rank`.
    pub alpha: f32,
    /// Probability that an input of A is dropped in training.
    pub dropout: f32,
    /// Adapted projections; order is kept.
    pub target_modules: Vec<Projection>,
}

impl LoraConfig {
    /// Factor of the adapter's product.
    pub fn scaling(&self) -> f32 {
        self.alpha / self.rank as f32
    }

    /// Says what is wrong with the settings, if anything.
    ///
    /// # Errors
    /// One for each way in which a setting can be unusable.
    pub fn validate(&self) -> Result<(), LoraError> {
        if self.rank == 0 {
            return Err(LoraError::ZeroRank);
        }
        if !(self.alpha.is_finite() && self.alpha > 0.0) {
            return Err(LoraError::Alpha { alpha: self.alpha });
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(LoraError::Dropout { dropout: self.dropout });
        }
        if self.target_modules.is_empty() {
            return Err(LoraError::NoTargets);
        }
        for (index, &projection) in self.target_modules.iter().enumerate() {
            if self.target_modules[..index].contains(&projection) {
                return Err(LoraError::RepeatedTarget { projection });
            }
        }
        Ok(())
    }
}

/// Why LoRA settings can't be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LoraError {
    /// Rank 0 would adapt nothing.
    #[error("rank is 0: give a rank of at least 1 (32 is usual)")]
    ZeroRank,
    /// Alpha must scale by something.
    #[error("alpha is {alpha}: give a finite number above 0 (the rank or twice the rank is usual)")]
    Alpha {
        /// What was given.
        alpha: f32,
    },
    /// Dropout is a probability.
    #[error("dropout is {dropout}: give a number from 0 up to, but not including, 1")]
    Dropout {
        /// What was given.
        dropout: f32,
    },
    /// Nothing to adapt.
    #[error("target_modules is empty: name at least one of {}", names())]
    NoTargets,
    /// A projection can be adapted once.
    #[error("target_modules names {projection} twice: name each projection once")]
    RepeatedTarget {
        /// The repeated one.
        projection: Projection,
    },
    /// Not a projection of a decoder layer.
    #[error("there is no projection `{name}`: target_modules takes {}", names())]
    UnknownProjection {
        /// What was given.
        name: String,
    },
}

fn names() -> String {
    Projection::ALL.map(Projection::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> LoraConfig {
        LoraConfig { rank: 8, alpha: 16.0, dropout: 0.1, target_modules: Projection::ALL.to_vec() }
    }

    #[test]
    fn usual_settings_are_valid_and_scale_by_alpha_over_rank() {
        assert_eq!(usual().validate(), Ok(()));
        assert_eq!(usual().scaling(), 2.0);
    }

    #[test]
    fn each_unusable_setting_has_its_error() {
        let cases = [
            (LoraConfig { rank: 0, ..usual() }, "rank is 0"),
            (LoraConfig { alpha: f32::NAN, ..usual() }, "alpha is NaN"),
            (LoraConfig { alpha: 0.0, ..usual() }, "alpha is 0"),
            (LoraConfig { dropout: 1.0, ..usual() }, "dropout is 1"),
            (LoraConfig { dropout: -0.5, ..usual() }, "dropout is -0.5"),
            (LoraConfig { target_modules: vec![], ..usual() }, "at least one of q_proj, k_proj"),
            (
                LoraConfig { target_modules: vec![Projection::VProj, Projection::VProj], ..usual() },
                "names v_proj twice",
            ),
        ];
        for (settings, expected) in cases {
            let message = settings.validate().expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
        let message = "w_proj".parse::<Projection>().expect_err("no such projection").to_string();
        assert!(message.contains("no projection `w_proj`"), "{message}");
    }

    #[test]
    fn names_parse_back_and_serde_uses_them() {
        for projection in Projection::ALL {
            assert_eq!(projection.name().parse(), Ok(projection));
            assert_eq!(serde_json::to_string(&projection).unwrap(), format!("\"{projection}\""));
            assert!(projection.path().ends_with(projection.name()));
        }
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
