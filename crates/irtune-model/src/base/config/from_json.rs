//! Reading transformers' `config.json`.

mod fields;
mod rope;
mod variant;

use std::path::Path;

use serde_json::{Map, Value};

use super::{ConfigError, MOST_LAYERS, ModelConfig};
use crate::families::Family;
use fields::Fields;
use variant::Sizes;

impl ModelConfig {
    /// Reads a transformers `config.json`, of version 4 or 5.
    ///
    /// # Errors
    /// When the file can't be read, names a family that isn't known, or asks for a variant that isn't
    /// built; each names the file and the field.
    pub fn from_json(path: &Path) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read { path: path.to_owned(), source };
        Self::parse_json(&irtune_files::read(path).map_err(read)?, path)
    }

    /// Reads the bytes of a `config.json`; `path` is named in errors.
    ///
    /// # Errors
    /// As [`ModelConfig::from_json`].
    pub fn parse_json(bytes: &[u8], path: &Path) -> Result<Self, ConfigError> {
        let json = |source| ConfigError::Json { path: path.to_owned(), source };
        let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(json)?;
        let whole = Fields { path, object: &object, prefix: "" };
        let (family, fields) = family_of(whole)?;
        family.fixed.iter().try_for_each(|fixed| fields.fixed(fixed))?;

        let (names, defaults) = (&family.fields, &family.defaults);
        let hidden_size = fields.size(names.hidden_size)?;
        let heads = fields.size(names.heads)?;
        let own_head_size = match names.head_size {
            Some(name) => fields.optional_size(name)?,
            None => None,
        };
        let head_size = match own_head_size.or(defaults.head_size) {
            Some(head_size) => head_size,
            None if hidden_size.is_multiple_of(heads) => hidden_size / heads,
            None => {
                return Err(fields.wrong(names.heads, "a divisor of hidden_size, or head_dim be given"));
            }
        };
        let layers = fields.size(names.layers)?;
        if layers > MOST_LAYERS {
            return Err(fields.wrong(names.layers, "at most 65536"));
        }
        let intermediate_size = match (fields.optional_size(names.intermediate_size)?, defaults.widening) {
            (Some(size), _) => size,
            (None, Some(factor)) => factor * hidden_size,
            (None, None) => return Err(fields.missing(names.intermediate_size)),
        };
        let config = Self {
            family,
            vocabulary_size: fields.size("vocab_size")?,
            hidden_size,
            intermediate_size,
            layers,
            heads,
            key_value_heads: key_value_heads(&fields, family)?.unwrap_or(heads),
            head_size,
            norm_epsilon: fields.number(names.norm_epsilon)?.unwrap_or(defaults.norm_epsilon),
            max_positions: fields.optional_size(names.max_positions)?.unwrap_or(defaults.max_positions),
            initializer_range: fields.number("initializer_range")?.unwrap_or(0.02),
            tied_embeddings: match fields.flag("tie_word_embeddings")? {
                Some(tied) => tied,
                None => whole.flag("tie_word_embeddings")?.unwrap_or(defaults.tied_embeddings),
            },
            begin_token: fields.token("bos_token_id")?,
            end_token: fields.token("eos_token_id")?,
            pad_token: fields.token("pad_token_id")?,
            variant: variant::read(&fields, family, Sizes { layers, hidden_size, head_size })?,
        };
        config.checked(path)
    }
}

/// The family, and the fields that describe its decoder: of a composite model those of its text part.
fn family_of(whole: Fields<'_>) -> Result<(&'static Family, Fields<'_>), ConfigError> {
    const KIND: &str = "model_type";
    const TEXT: &str = "text_config";
    let unknown = |field, found: &str| {
        let (path, found) = (whole.path.to_owned(), found.to_owned());
        ConfigError::Family { path, field, found }
    };
    let name = whole.text(KIND)?.unwrap_or("unnamed");
    let family = Family::by_model_type(name).ok_or_else(|| unknown(KIND, name))?;
    let Some(text) = family.text else { return Ok((family, whole)) };
    let fields = whole.object(TEXT, "text_config.")?.ok_or_else(|| whole.missing(TEXT))?;
    match fields.text(KIND)? {
        Some(found) if found != text.model_type => Err(unknown("text_config.model_type", found)),
        _ => Ok((family, fields)),
    }
}

/// Heads of keys and values; a null stands for those of the queries, other than a field left out.
fn key_value_heads(fields: &Fields<'_>, family: &Family) -> Result<Option<usize>, ConfigError> {
    let Some(field) = family.fields.key_value_heads else { return Ok(None) };
    let default = family.defaults.key_value_heads.filter(|_| !fields.object.contains_key(field));
    Ok(fields.optional_size(field)?.or(default))
}

#[cfg(test)]
mod tests;
