//! JSON objects in which no key stands twice.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

/// The members of a JSON object, in order; where a key stands twice, reading ends with an error that names it. Other
/// readers silently keep the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueKeys<V>(pub Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for UniqueKeys<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Members<V> {
    type Value = UniqueKeys<V>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueKeys<V>, A::Error> {
        let (mut members, mut keys) = (Vec::new(), HashSet::new());
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("{key:?} stands twice")));
            }
            members.push((key, map.next_value()?));
        }
        Ok(UniqueKeys(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_named() {
        let read = |json: &str| serde_json::from_str::<UniqueKeys<f64>>(json);
        let members = [("b".to_owned(), 1.0), ("a".to_owned(), 2.0)];
        assert_eq!(read(r#"{"b": 1, "a": 2}"#).unwrap().0, members);
        let error = |json: &str| read(json).unwrap_err().to_string();
        assert!(error(r#"{"b": 1, "a": 2, "b": 3}"#).starts_with(r#""b" stands twice at line 1 column"#));
        assert!(error("[1]").contains("expected an object"));
    }
}
