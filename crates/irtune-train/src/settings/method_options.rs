//! What is set about a method, by the options' names.

use std::collections::BTreeMap;
use std::fmt;

use irtune_select::Method;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Options of a method as text; in files, numbers are written as numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MethodOptions(BTreeMap<String, String>);

impl MethodOptions {
    /// These options with these values.
    pub fn of<const N: usize>(options: [(&str, &str); N]) -> Self {
        let mut all = Self::default();
        options.into_iter().for_each(|(name, value)| all.set(name, value));
        all
    }

    /// Sets an option; numbers are kept in their shortest form.
    pub fn set(&mut self, name: &str, value: &str) {
        let value = match Value::of(value) {
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Text(text) => text.to_owned(),
        };
        self.0.insert(name.to_owned(), value);
    }

    /// The value of an option that was set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All options that were set, by name.
    pub fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Sets what is not set to the method's defaults.
    pub fn complete(&mut self, method: &Method) {
        for option in method.options {
            self.0.entry(option.name.to_owned()).or_insert_with(|| option.default.to_owned());
        }
    }
}

/// A value as files have it.
enum Value<'a> {
    Integer(i64),
    Float(f64),
    Text(&'a str),
}

impl Value<'_> {
    fn of(text: &str) -> Value<'_> {
        match (text.parse(), text.parse::<f64>()) {
            (Ok(number), _) => Value::Integer(number),
            (_, Ok(number)) if number.is_finite() => Value::Float(number),
            _ => Value::Text(text),
        }
    }
}

impl Serialize for MethodOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            match Value::of(value) {
                Value::Integer(number) => map.serialize_entry(name, &number)?,
                Value::Float(number) => map.serialize_entry(name, &number)?,
                Value::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for MethodOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Options;
        impl<'de> Visitor<'de> for Options {
            type Value = MethodOptions;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("options of a method")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MethodOptions, A::Error> {
                let mut options = MethodOptions::default();
                while let Some(name) = map.next_key::<String>()? {
                    if !irtune_select::option_names().contains(&name.as_str()) {
                        return Err(A::Error::custom(format!("unknown field `{name}`")));
                    }
                    let Plain(value) = map.next_value()?;
                    options.set(&name, &value);
                }
                Ok(options)
            }
        }
        deserializer.deserialize_map(Options)
    }
}

/// The text of a number or of a text.
struct Plain(String);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlainVisitor;
        impl Visitor<'_> for PlainVisitor {
            type Value = Plain;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number or a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }
        }
        deserializer.deserialize_any(PlainVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_keep_their_kind_and_their_value() {
        let options = MethodOptions::of([("layers", "top:3"), ("budget", "5e-1"), ("settle", "0100")]);
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(json, r#"{"budget":0.5,"layers":"top:3","settle":100}"#);
        assert_eq!(serde_json::from_str::<MethodOptions>(&json).unwrap(), options);
        assert_eq!(options.get("budget"), Some("0.5"));
        assert_eq!(MethodOptions::of([("layers", "nan")]).get("layers"), Some("nan"));
    }

    #[test]
    fn other_names_and_other_kinds_of_value_are_refused() {
        let error = |json: &str| serde_json::from_str::<MethodOptions>(json).unwrap_err().to_string();
        assert!(error(r#"{"layer": 3}"#).contains("unknown field `layer`"));
        assert!(error(r#"{"layers": [3]}"#).contains("expected a number or a text"));
        assert!(error("3").contains("expected options of a method"));
    }

    #[test]
    fn what_is_not_set_is_completed() {
        let mut options = MethodOptions::of([("split_num", "2")]);
        options.complete(irtune_select::method("ir").unwrap());
        let expected = [("metric", "gradient"), ("fidelity", "paper"), ("split_num", "2"), ("settle", "0")];
        assert_eq!(options, MethodOptions::of(expected));
    }
}
