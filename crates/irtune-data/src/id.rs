//! A row's own name.

use std::fmt;
use std::ops::Deref;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A row's own name, given back as it stood: a text as a text, a number with all its digits as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// A text.
    Text(String),
    /// Any other JSON value, as it was written.
    Json(String),
}

impl Id {
    /// Of a JSON value as it is written.
    pub fn written(json: &RawValue) -> Id {
        match serde_json::from_str(json.get()) {
            Ok(text) => Id::Text(text),
            Err(_) => Id::Json(json.get().to_owned()),
        }
    }
}

impl Deref for Id {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Id::Text(text) | Id::Json(text) => text,
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Id {
        Id::Text(text.to_owned())
    }
}

impl From<String> for Id {
    fn from(text: String) -> Id {
        Id::Text(text)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Id::Text(text) => serializer.serialize_str(text),
            Id::Json(json) => {
                RawValue::from_string(json.clone()).map_err(S::Error::custom)?.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => return Err(D::Error::custom("a row's own name is a text or a number, not null")),
            Value::String(text) => Id::Text(text),
            other => Id::Json(other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_json_as_it_stood() {
        for (id, json) in [
            (Id::from("7"), r#""7""#),
            (Id::Json("7".into()), "7"),
            (Id::Json("12345678901234567890123".into()), "12345678901234567890123"),
            (Id::Json(r#"["a",1]"#.into()), r#"["a",1]"#),
        ] {
            assert_eq!(serde_json::to_string(&id).unwrap(), json);
        }
        for json in [r#""7""#, "7", "-1.5", r#"["a",1]"#] {
            assert_eq!(serde_json::to_string(&serde_json::from_str::<Id>(json).unwrap()).unwrap(), json);
        }
        assert!(serde_json::from_str::<Id>("null").is_err());
        assert_eq!(Some(Id::Json("7".into())).as_deref(), Some("7"));
    }
}
