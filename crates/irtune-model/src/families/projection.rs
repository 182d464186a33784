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
    /// Queries, keys and values from one matrix.
    QkvProj,
    /// Gate and way up from one matrix.
    GateUpProj,
}

impl Projection {
    /// Every projection, in the order of a layer's forward pass; no layer has all of them.
    pub const ALL: [Projection; 9] = [
        Projection::QProj,
        Projection::KProj,
        Projection::VProj,
        Projection::QkvProj,
        Projection::OProj,
        Projection::GateProj,
        Projection::UpProj,
        Projection::GateUpProj,
        Projection::DownProj,
    ];

    /// The field's name, as settings have it: `q_proj` … `down_proj`.
    pub fn name(self) -> &'static str {
        match self {
            Projection::QProj => "q_proj",
            Projection::KProj => "k_proj",
            Projection::VProj => "v_proj",
            Projection::OProj => "o_proj",
            Projection::GateProj => "gate_proj",
            Projection::UpProj => "up_proj",
            Projection::DownProj => "down_proj",
            Projection::QkvProj => "qkv_proj",
            Projection::GateUpProj => "gate_up_proj",
        }
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
        }
        let message = "w_proj".parse::<Projection>().expect_err("no such projection").to_string();
        assert!(message.contains("no projection `w_proj`"), "{message}");
    }
}
