//! Reading transformers' `config.json`.

use std::path::Path;

use serde_json::{Map, Value};

use super::{ConfigError, ModelConfig, RopeScaling};
use crate::families::{Family, Window};

impl ModelConfig {
    /// Reads a transformers `config.json`, of version 4 or 5.
    ///
    /// # Errors
    /// When the file can't be read, names a family that isn't known, or asks for a variant that isn't
    /// built; each names the file and the field.
    pub fn from_json(path: &Path) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read { path: path.to_owned(), source };
        Self::parse_json(&std::fs::read(path).map_err(read)?, path)
    }

    /// Reads the bytes of a `config.json`; `path` is named in errors.
    ///
    /// # Errors
    /// As [`ModelConfig::from_json`].
    pub fn parse_json(bytes: &[u8], path: &Path) -> Result<Self, ConfigError> {
        let json = |source| ConfigError::Json { path: path.to_owned(), source };
        let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(json)?;
        let fields = Fields { path, object: &object, prefix: "" };

        let name = fields.text("model_type")?.unwrap_or("unnamed");
        let family = Family::by_model_type(name).ok_or_else(|| {
            let (path, found) = (path.to_owned(), name.to_owned());
            ConfigError::Family { path, field: "model_type", found }
        })?;
        family.fixed.iter().try_for_each(|fixed| fields.only(fixed.field, fixed.value.to_json()))?;

        let hidden_size = fields.size("hidden_size")?;
        let heads = fields.size("num_attention_heads")?;
        let head_size = match fields.optional_size("head_dim")?.or(family.defaults.head_size) {
            Some(head_size) => head_size,
            None if hidden_size.is_multiple_of(heads) => hidden_size / heads,
            None => {
                return Err(
                    fields.wrong("num_attention_heads", "a divisor of hidden_size, or head_dim be given")
                );
            }
        };
        let rope = Rope::read(&fields)?;
        let config = Self {
            family,
            vocabulary_size: fields.size("vocab_size")?,
            hidden_size,
            intermediate_size: fields.size("intermediate_size")?,
            layers: fields.size("num_hidden_layers")?,
            heads,
            key_value_heads: fields.key_value_heads(family)?.unwrap_or(heads),
            head_size,
            attention_bias: family.reads_attention_bias && fields.flag("attention_bias")?.unwrap_or(false),
            norm_epsilon: fields.number("rms_norm_eps")?.unwrap_or(1e-6),
            rope_theta: rope.theta,
            rope_scaling: rope.scaling,
            max_positions: fields
                .optional_size("max_position_embeddings")?
                .unwrap_or(family.defaults.max_positions),
            initializer_range: fields.number("initializer_range")?.unwrap_or(0.02),
            tied_embeddings: fields.flag("tie_word_embeddings")?.unwrap_or(false),
            begin_token: fields.token("bos_token_id")?,
            end_token: fields.token("eos_token_id")?,
            pad_token: fields.token("pad_token_id")?,
        };
        if let Some(window) = &family.window {
            fields.refuse_window(window, &config)?;
        }
        config.checked(path)
    }
}

/// The rotary settings, in the three spellings that are about.
struct Rope {
    theta: f32,
    scaling: RopeScaling,
}

impl Rope {
    /// transformers 4 has `rope_theta` beside `rope_scaling` (kind under `rope_type`, before 4.43 under `type`);
    /// transformers 5 has `rope_parameters` with both.
    fn read(fields: &Fields<'_>) -> Result<Self, ConfigError> {
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

/// Typed access to an object whose file is named in errors.
#[derive(Clone, Copy)]
struct Fields<'a> {
    path: &'a Path,
    object: &'a Map<String, Value>,
    /// Put before a field's name in errors.
    prefix: &'static str,
}

impl<'a> Fields<'a> {
    /// A field's value; null is as good as absent.
    fn get(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    fn text(&self, field: &str) -> Result<Option<&'a str>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong(field, "a string"))
    }

    fn flag(&self, field: &str) -> Result<Option<bool>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.wrong(field, "true or false"))
    }

    fn number(&self, field: &str) -> Result<Option<f32>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let number = value.as_f64().map(|number| number as f32);
        let number = number.filter(|number| number.is_finite() && *number > 0.0);
        number.map(Some).ok_or_else(|| self.wrong(field, "a finite number above 0"))
    }

    fn optional_size(&self, field: &str) -> Result<Option<usize>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let size = value.as_u64().and_then(|size| u32::try_from(size).ok()).filter(|&size| size > 0);
        size.map(|size| Some(size as usize))
            .ok_or_else(|| self.wrong(field, "a whole number from 1 to 2^32 - 1"))
    }

    fn optional_count(&self, field: &str) -> Result<Option<usize>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.map(Some).ok_or_else(|| self.wrong(field, "a whole number"))
    }

    fn size(&self, field: &str) -> Result<usize, ConfigError> {
        self.optional_size(field)?.ok_or_else(|| self.missing(field))
    }

    /// A token's id, or the first of a list; -1 stands for none in early configurations.
    fn token(&self, field: &str) -> Result<Option<u32>, ConfigError> {
        let Some(value) = self.get(field).filter(|value| value.as_i64() != Some(-1)) else { return Ok(None) };
        let first = value.as_array().map_or(Some(value), |list| list.first());
        let token = first.and_then(Value::as_u64).and_then(|token| u32::try_from(token).ok());
        token.map(Some).ok_or_else(|| self.wrong(field, "a token id or a list of them"))
    }

    fn object(&self, field: &str, prefix: &'static str) -> Result<Option<Fields<'a>>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let object = value.as_object().ok_or_else(|| self.wrong(field, "an object"))?;
        Ok(Some(Fields { path: self.path, object, prefix }))
    }

    /// Heads of keys and values; a null stands for those of the queries, other than a field left out.
    fn key_value_heads(&self, family: &Family) -> Result<Option<usize>, ConfigError> {
        const FIELD: &str = "num_key_value_heads";
        let default = family.defaults.key_value_heads.filter(|_| !self.object.contains_key(FIELD));
        Ok(self.optional_size(FIELD)?.or(default))
    }

    /// Refuses any value but one.
    fn only(&self, field: &str, value: Value) -> Result<(), ConfigError> {
        match self.get(field) {
            Some(found) if *found != value => Err(self.unsupported(field, format!("{field} {value}"))),
            _ => Ok(()),
        }
    }

    /// Refuses a window over the keys that a layer sees, unless it reaches over all positions.
    fn refuse_window(&self, defaults: &Window, config: &ModelConfig) -> Result<(), ConfigError> {
        const FIELD: &str = "sliding_window";
        if !self.flag("use_sliding_window")?.unwrap_or(false) {
            return Ok(());
        }
        let window = match self.object.get(FIELD) {
            None => defaults.keys,
            Some(_) => self.optional_size(FIELD)?.unwrap_or(usize::MAX),
        };
        let windowed = match self.get("layer_types").and_then(Value::as_array) {
            Some(kinds) => kinds.iter().any(|kind| kind == "sliding_attention"),
            None => self.optional_count("max_window_layers")?.unwrap_or(defaults.from_layer) < config.layers,
        };
        if windowed && window < config.max_positions {
            return Err(self.unsupported(FIELD, "every layer over the whole text (use_sliding_window false)"));
        }
        Ok(())
    }

    fn missing(&self, field: &str) -> ConfigError {
        ConfigError::Missing { path: self.path.to_owned(), field: format!("{}{field}", self.prefix) }
    }

    fn wrong(&self, field: &str, expected: &'static str) -> ConfigError {
        let found = self.get(field).map_or_else(|| "null".to_owned(), Value::to_string);
        ConfigError::Field {
            path: self.path.to_owned(),
            field: format!("{}{field}", self.prefix),
            found,
            expected,
        }
    }

    fn unsupported(&self, field: &str, supported: impl Into<String>) -> ConfigError {
        let value = self.get(field).map_or_else(|| "null".to_owned(), Value::to_string);
        let field = format!("{}{field}", self.prefix);
        ConfigError::Unsupported { path: self.path.to_owned(), field, value, supported: supported.into() }
    }
}

#[cfg(test)]
mod tests;
