//! The fields of a JSON object, each with the type it must have.

use std::path::Path;

use serde_json::{Map, Value};

use crate::{base::config::ConfigError, families::Fixed};

/// Typed access to an object whose file is named in errors.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) path: &'a Path,
    pub(super) object: &'a Map<String, Value>,
    /// Put before a field's name in errors.
    pub(super) prefix: &'static str,
}

impl<'a> Fields<'a> {
    /// A field's value; null is as good as absent.
    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, field: &str) -> Result<Option<&'a str>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong(field, "a string"))
    }

    pub(super) fn flag(&self, field: &str) -> Result<Option<bool>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.wrong(field, "true or false"))
    }

    pub(super) fn number(&self, field: &str) -> Result<Option<f32>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let number = value.as_f64().map(|number| number as f32);
        let number = number.filter(|number| number.is_finite() && *number > 0.0);
        number.map(Some).ok_or_else(|| self.wrong(field, "a finite number above 0"))
    }

    pub(super) fn optional_size(&self, field: &str) -> Result<Option<usize>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let size = value.as_u64().and_then(|size| u32::try_from(size).ok()).filter(|&size| size > 0);
        size.map(|size| Some(size as usize))
            .ok_or_else(|| self.wrong(field, "a whole number from 1 to 2^32 - 1"))
    }

    pub(super) fn optional_count(&self, field: &str) -> Result<Option<usize>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.map(Some).ok_or_else(|| self.wrong(field, "a whole number"))
    }

    pub(super) fn size(&self, field: &str) -> Result<usize, ConfigError> {
        self.optional_size(field)?.ok_or_else(|| self.missing(field))
    }

    /// A token's id, or the first of a list; -1 stands for none in early configurations.
    pub(super) fn token(&self, field: &str) -> Result<Option<u32>, ConfigError> {
        let Some(value) = self.get(field).filter(|value| value.as_i64() != Some(-1)) else { return Ok(None) };
        let first = value.as_array().map_or(Some(value), |list| list.first());
        let token = first.and_then(Value::as_u64).and_then(|token| u32::try_from(token).ok());
        token.map(Some).ok_or_else(|| self.wrong(field, "a token id or a list of them"))
    }

    pub(super) fn object(
        &self,
        field: &str,
        prefix: &'static str,
    ) -> Result<Option<Fields<'a>>, ConfigError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let object = value.as_object().ok_or_else(|| self.wrong(field, "an object"))?;
        Ok(Some(Fields { path: self.path, object, prefix }))
    }

    /// Refuses any value but one, and other words for it.
    pub(super) fn fixed(&self, fixed: &Fixed) -> Result<(), ConfigError> {
        let (field, value) = (fixed.field, fixed.value.to_json());
        let is_meant = |found: &Value| *found == value || fixed.also.iter().any(|also| found == also);
        match self.get(field) {
            Some(found) if !is_meant(found) => Err(self.unsupported(field, format!("{field} {value}"))),
            _ => Ok(()),
        }
    }

    pub(super) fn missing(&self, field: &str) -> ConfigError {
        ConfigError::Missing { path: self.path.to_owned(), field: format!("{}{field}", self.prefix) }
    }

    pub(super) fn wrong(&self, field: &str, expected: &'static str) -> ConfigError {
        let found = self.get(field).map_or_else(|| "null".to_owned(), Value::to_string);
        ConfigError::Field {
            path: self.path.to_owned(),
            field: format!("{}{field}", self.prefix),
            found,
            expected,
        }
    }

    pub(super) fn unsupported(&self, field: &str, supported: impl Into<String>) -> ConfigError {
        let value = self.get(field).map_or_else(|| "null".to_owned(), Value::to_string);
        let field = format!("{}{field}", self.prefix);
        ConfigError::Unsupported { path: self.path.to_owned(), field, value, supported: supported.into() }
    }
}
