//! The rotary settings of a `config.json`.

use super::Fields;
use crate::base::config::{ConfigError, RopeScaling};

/// The rotary settings, in the three spellings that are about.
pub(super) struct Rope {
    pub(super) theta: f32,
    pub(super) scaling: RopeScaling,
    /// The share of a head that turns.
    pub(super) share: f64,
}

impl Rope {
    /// Nothing turns.
    pub(super) const NONE: Self = Self { theta: 10_000.0, scaling: RopeScaling::None, share: 0.0 };

    /// transformers 4 has `rope_theta` beside `rope_scaling` (kind under `rope_type`, before 4.43 under `type`);
    /// transformers 5 has `rope_parameters` with both.
    ///
    /// The share of a head that turns is in either, or beside them.
    pub(super) fn read(fields: &Fields<'_>, share: f64, positions: usize) -> Result<Self, ConfigError> {
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
            Some(nested) => Self::scaling(nested, *fields, positions)?,
        };
        let mut found = None;
        for object in nested.iter().chain([fields]) {
            found = match found {
                None => object.share(SHARE)?,
                found => found,
            };
        }
        Ok(Self { theta, scaling, share: found.unwrap_or(share) })
    }

    fn scaling(nested: Fields<'_>, fields: Fields<'_>, positions: usize) -> Result<RopeScaling, ConfigError> {
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
            // Phi-3's early names for one and the same.
            Some((_, "longrope" | "su")) => Self::long(nested, fields, positions),
            Some((field, _)) => {
                Err(nested.unsupported(field, "rotary scaling default, linear, llama3 or longrope"))
            }
        }
    }

    fn long(nested: Fields<'_>, fields: Fields<'_>, positions: usize) -> Result<RopeScaling, ConfigError> {
        const ORIGINAL: &str = "original_max_position_embeddings";
        let original = match nested.optional_size(ORIGINAL)? {
            Some(original) => Some(original),
            None => fields.optional_size(ORIGINAL)?,
        };
        let original_positions = original.unwrap_or(positions);
        let attention_factor = match (nested.number("attention_factor")?, nested.number("factor")?) {
            (Some(given), _) => given,
            (None, factor) => {
                let original = original_positions as f64;
                let reach = factor.map_or(positions as f64, |factor| f64::from(factor) * original);
                RopeScaling::long_attention_factor(reach, original)
            }
        };
        let (short, long) = (nested.numbers("short_factor")?, nested.numbers("long_factor")?);
        Ok(RopeScaling::Long { short, long, original_positions, attention_factor })
    }
}

/// The share of a head that turns.
const SHARE: &str = "partial_rotary_factor";
