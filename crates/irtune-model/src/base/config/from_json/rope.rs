//! The rotary settings of a `config.json`.

use super::Fields;
use crate::{
    base::config::ConfigError,
    families::{Family, LocalRotary, QueryGrowth, RopeScaling, Rotary},
};

/// Keys of `rope_parameters` where kinds of layers have their own: those that see everything, and those with a window.
const OF_KINDS: [&str; 2] = ["full_attention", "sliding_attention"];

/// The rotary settings of all layers, and those of layers with a window where the family gives them their own.
///
/// They come in three spellings: transformers 4 has `rope_theta` beside `rope_scaling` (kind under `rope_type`, before 4.43
/// under `type`); transformers 5 has `rope_parameters` with both, or one such for each kind of layer.
pub(super) fn read(
    fields: &Fields<'_>,
    family: &Family,
    head_size: usize,
) -> Result<(Rotary, Option<Rotary>), ConfigError> {
    let new = fields.object("rope_parameters", "rope_parameters.")?;
    let [full, windowed] = match new {
        Some(new) if family.local_rotary.is_some() => {
            let [full, windowed] = OF_KINDS.map(|kind| new.object(kind, "rope_parameters."));
            [full?, windowed?]
        }
        Some(new) => [Some(new), None],
        None => [None, None],
    };
    let theta = match full {
        Some(full) => full.number("rope_theta")?,
        None => None,
    };
    let theta = match theta {
        Some(theta) => theta,
        None => fields.number("rope_theta")?.unwrap_or(family.defaults.theta),
    };
    let scaled = match new {
        Some(_) => full,
        None => fields.object("rope_scaling", "rope_scaling.")?,
    };
    let scaling = scaled.map_or(Ok(RopeScaling::None), |scaled| scaling(scaled, *fields))?;
    if family.grows_queries && scaled.is_none() {
        return Err(fields.missing("rope_parameters"));
    }
    let query_growth = match (scaled, &scaling) {
        (Some(scaled), RopeScaling::Yarn { original_positions, .. }) if family.grows_queries => {
            let beta = scaled.number("llama_4_scaling_beta")?;
            beta.map(|beta| QueryGrowth { beta, original_positions: *original_positions })
        }
        _ => None,
    };
    let local = match &family.local_rotary {
        None => None,
        Some(LocalRotary { field, theta: default }) => {
            let of_field = field.map_or(Ok(None), |field| fields.number(field))?;
            let given = windowed.map_or(Ok(None), |windowed| windowed.number("rope_theta"))?;
            let theta = given.or(of_field).or(*default).unwrap_or(theta);
            Some(Rotary { size: head_size, theta, scaling: RopeScaling::None, query_growth: None })
        }
    };
    if let Some(windowed) = windowed
        && scaling_kind(windowed)?.is_some_and(|(_, kind)| kind != "default")
    {
        return Err(windowed.unsupported("rope_type", "rotary positions of windows that are not scaled"));
    }
    Ok((Rotary { size: head_size, theta, scaling, query_growth }, local))
}

/// Under which name the kind of scaling stands, and what it is.
fn scaling_kind<'a>(nested: Fields<'a>) -> Result<Option<(&'static str, &'a str)>, ConfigError> {
    match nested.text("rope_type")? {
        Some(kind) => Ok(Some(("rope_type", kind))),
        None => Ok(nested.text("type")?.map(|kind| ("type", kind))),
    }
}

fn scaling(nested: Fields<'_>, fields: Fields<'_>) -> Result<RopeScaling, ConfigError> {
    let kind = scaling_kind(nested)?;
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
