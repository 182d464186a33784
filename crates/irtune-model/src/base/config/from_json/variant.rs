//! What a `config.json` says of a decoder beside its sizes.

use serde_json::Value;

use super::{Fields, rope};
use crate::{
    base::config::ConfigError,
    families::{Family, LayerKind, Variant, Window, WindowedLayers},
};

/// What the family reads, of so many layers.
pub(super) fn read(
    fields: &Fields<'_>,
    family: &Family,
    layers: usize,
    head_size: usize,
) -> Result<Variant, ConfigError> {
    let mut variant = Variant::plain(rope::read(fields, family, head_size)?, layers, head_size);
    let flag = |read: bool, field| Ok(read && fields.flag(field)?.unwrap_or(false));
    variant.attention_bias = flag(family.reads_biases.attention, "attention_bias")?;
    variant.mlp_bias = flag(family.reads_biases.mlp, "mlp_bias")?;
    if let Some(window) = &family.window {
        read_window(fields, window, &mut variant)?;
    }
    Ok(variant)
}

/// The window and the layers that have it.
fn read_window(fields: &Fields<'_>, window: &Window, variant: &mut Variant) -> Result<(), ConfigError> {
    const KEYS: &str = "sliding_window";
    if let Some(flag) = window.flag
        && !fields.flag(flag)?.unwrap_or(false)
    {
        return Ok(());
    }
    // A null stands for no window, other than a field left out.
    variant.window = match fields.object.get(KEYS) {
        None => window.keys,
        Some(_) => fields.optional_size(KEYS)?,
    };
    if variant.window.is_none() {
        return Ok(());
    }
    let layers = variant.kinds.len();
    let given = if window.layer_types { layer_types(fields, layers)? } else { None };
    let windowed = match (given, window.layers) {
        (Some(given), _) => given,
        (None, WindowedLayers::All) => vec![true; layers],
        (None, WindowedLayers::From(default)) => {
            let first = fields.optional_count("max_window_layers")?.unwrap_or(default);
            (0..layers).map(|layer| layer >= first).collect()
        }
    };
    for (kind, windowed) in variant.kinds.iter_mut().zip(windowed) {
        *kind = LayerKind { windowed, ..*kind };
    }
    Ok(())
}

/// Which layers `layer_types` gives a window, where it is there.
fn layer_types(fields: &Fields<'_>, layers: usize) -> Result<Option<Vec<bool>>, ConfigError> {
    const FIELD: &str = "layer_types";
    const EXPECTED: &str = "a list with full_attention or sliding_attention for each layer";
    let Some(value) = fields.get(FIELD) else { return Ok(None) };
    let windowed = |kind: &Value| match kind.as_str() {
        Some("sliding_attention") => Some(true),
        Some("full_attention") => Some(false),
        _ => None,
    };
    let kinds = value.as_array().and_then(|kinds| kinds.iter().map(windowed).collect::<Option<Vec<bool>>>());
    let kinds = kinds.filter(|kinds| kinds.len() == layers);
    kinds.map(Some).ok_or_else(|| fields.wrong(FIELD, EXPECTED))
}
