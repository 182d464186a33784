//! The rotary settings of a `config.json`.

use super::Fields;
use crate::base::config::{ConfigError, RopeScaling};

/// The rotary settings, in the three spellings that are about.
pub(super) struct Rope {
    pub(super) theta: f32,
    pub(super) scaling: RopeScaling,
}

impl Rope {
    /// transformers 4 has `rope_theta` beside `rope_scaling` (kind under `rope_type`, before 4.43 under `type`);
    /// transformers 5 has `rope_parameters` with both.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, ConfigError> {
        let new = fields.object("rope_parameters", "rope_parameters.")?;
        let nested = match new {
            Some(_) => new,
            None => fields.object("rope_scaling", "rope_scaling.")?,
        };
        let theta = match new {
            Some(new) => new.number("rope_theta")?,
            None => None,
        };
        let theta = match theta {
            Some(theta) => theta,
            None => fields.number("rope_theta")?.unwrap_or(10_000.0),
        };
        let scaling = match nested {
            None => RopeScaling::None,
            Some(nested) => Self::scaling(nested, *fields)?,
        };
        Ok(Self { theta, scaling })
    }

    fn scaling(nested: Fields<'_>, fields: Fields<'_>) -> Result<RopeScaling, ConfigError> {
        let kind = match nested.text("rope_type")? {
            Some(kind) => Some(("rope_type", kind)),
            None => nested.text("type")?.map(|kind| ("type", kind)),
        };
        let needed = |field| nested.number(field)?.ok_or_else(|| nested.missing(field));
        match kind {
            None | Some((_, "default")) => Ok(RopeScaling::None),
            Some((_, "linear")) => Ok(RopeScaling::Linear { factor: needed("factor")? }),
            Some((_, "llama3")) => Ok(RopeScaling::Llama3 {
                factor: needed("factor")?,
                low_frequency_factor: needed("low_freq_factor")?,
                high_frequency_factor: needed("high_freq_factor")?,
                original_positions: match nested.optional_size("original_max_position_embeddings")? {
                    Some(positions) => positions,
                    None => fields.size("max_position_embeddings")?,
                },
            }),
            Some((field, _)) => Err(nested.unsupported(field, "rotary scaling default, linear or llama3")),
        }
    }
}
