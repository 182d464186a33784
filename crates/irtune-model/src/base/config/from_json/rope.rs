//! The rotary settings of a `config.json`.

use super::Fields;
use crate::{
    base::config::ConfigError,
    families::{Family, RopeScaling, Rotary},
};

/// The rotary settings, in the three spellings that are about: transformers 4 has `rope_theta` beside `rope_scaling` (kind
/// under `rope_type`, before 4.43 under `type`); transformers 5 has `rope_parameters` with both.
pub(super) fn read(fields: &Fields<'_>, family: &Family, head_size: usize) -> Result<Rotary, ConfigError> {
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
        None => fields.number("rope_theta")?.unwrap_or(family.defaults.theta),
    };
    let scaling = match nested {
        None => RopeScaling::None,
        Some(nested) => scaling(nested, *fields)?,
    };
    Ok(Rotary { size: head_size, theta, scaling, query_growth: None })
}

fn scaling(nested: Fields<'_>, fields: Fields<'_>) -> Result<RopeScaling, ConfigError> {
    let kind = match nested.text("rope_type")? {
        Some(kind) => Some(("rope_type", kind)),
        None => nested.text("type")?.map(|kind| ("type", kind)),
    };
    let needed = |field| nested.number(field)?.ok_or_else(|| nested.missing(field));
    let original_positions = || match nested.optional_size("original_max_position_embeddings")? {
        Some(positions) => Ok(positions),
        None => fields.size("max_position_embeddings"),
    };
    match kind {
        None | Some((_, "default")) => Ok(RopeScaling::None),
        Some((_, "linear")) => Ok(RopeScaling::Linear { factor: needed("factor")? }),
        Some((_, "llama3")) => Ok(RopeScaling::Llama3 {
            factor: needed("factor")?,
            low_frequency_factor: needed("low_freq_factor")?,
            high_frequency_factor: needed("high_freq_factor")?,
            original_positions: original_positions()?,
        }),
        Some((_, "yarn")) => {
            let factor = needed("factor")?;
            let scales = nested.number("mscale")?.zip(nested.number("mscale_all_dim")?);
            let attention_factor = nested.number("attention_factor")?;
            Ok(RopeScaling::Yarn {
                factor,
                original_positions: original_positions()?,
                beta_fast: nested.number("beta_fast")?.unwrap_or(32.0),
                beta_slow: nested.number("beta_slow")?.unwrap_or(1.0),
                attention_factor: attention_factor
                    .unwrap_or_else(|| RopeScaling::yarn_attention_factor(factor, scales)),
                truncate: nested.flag("truncate")?.unwrap_or(true),
            })
        }
        Some((field, _)) => Err(nested.unsupported(field, "rotary scaling default, linear, llama3 or yarn")),
    }
}
