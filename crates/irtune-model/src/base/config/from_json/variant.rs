//! What a `config.json` says of a decoder beside its sizes.

use serde_json::Value;

use super::{Fields, rope};
use crate::{
    base::config::ConfigError,
    families::{Family, LayerKind, Number, UnturnedLayers, Variant, Window, WindowedLayers},
};

/// Sizes that other settings are meant by.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) layers: usize,
    pub(super) hidden_size: usize,
    pub(super) head_size: usize,
}

/// What the family reads.
pub(super) fn read(fields: &Fields<'_>, family: &Family, sizes: Sizes) -> Result<Variant, ConfigError> {
    let Sizes { layers, hidden_size, head_size } = sizes;
    let (rotary, local_rotary) = rope::read(fields, family, head_size)?;
    let mut variant = Variant { local_rotary, ..Variant::plain(rotary, layers, head_size) };
    let flag = |read: bool, field| Ok(read && fields.flag(field)?.unwrap_or(false));
    variant.attention_bias = flag(family.reads_biases.attention, "attention_bias")?;
    variant.mlp_bias = flag(family.reads_biases.mlp, "mlp_bias")?;
    if family.scales_embedding {
        variant.embedding_scale = (hidden_size as f32).sqrt();
    }
    for Number { field, quantity, default, .. } in family.numbers {
        let default = default.filter(|_| !fields.object.contains_key(*field));
        if let Some(value) = fields.number(field)?.or(default) {
            variant.set(*quantity, value);
        }
    }
    if let Some(unturned) = &family.unturned {
        read_unturned(fields, unturned, &mut variant)?;
    }
    if let Some(window) = &family.window {
        read_window(fields, window, &mut variant)?;
    }
    Ok(variant)
}

/// Which layers don't turn.
fn read_unturned(
    fields: &Fields<'_>,
    unturned: &UnturnedLayers,
    variant: &mut Variant,
) -> Result<(), ConfigError> {
    let UnturnedLayers { field, interval, every } = *unturned;
    let turns = match fields.get(field) {
        None => {
            let every = fields.optional_size(interval)?.unwrap_or(every);
            (1..=variant.kinds.len()).map(|layer| !layer.is_multiple_of(every)).collect()
        }
        Some(value) => {
            let turns = |value: &Value| value.as_u64().filter(|&value| value < 2).map(|value| value == 1);
            let list =
                value.as_array().and_then(|list| list.iter().map(turns).collect::<Option<Vec<bool>>>());
            list.filter(|list| list.len() >= variant.kinds.len())
                .ok_or_else(|| fields.wrong(field, "a list with 1 or 0 for each layer"))?
        }
    };
    variant.kinds.iter_mut().zip(turns).for_each(|(kind, turns): (_, bool)| kind.rotary = turns);
    Ok(())
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
        (None, WindowedLayers::AllButEvery { field, every }) => {
            let given = field.map_or(Ok(None), |field| fields.optional_size(field))?;
            let every = given.unwrap_or(every);
            (1..=layers).map(|layer| !layer.is_multiple_of(every)).collect()
        }
        (None, WindowedLayers::Unturned) => variant.kinds.iter().map(|kind| !kind.rotary).collect(),
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
