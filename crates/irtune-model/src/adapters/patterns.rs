//! Values for some modules, by regular expressions over their paths: PEFT's `rank_pattern` and `alpha_pattern`.
//!
//! # Source
//! PEFT `utils/other.py`, `get_pattern_key`: the first key counts of which `(.*\.)?(key)$` matches the module's path.

use std::{fmt, str::FromStr};

use fancy_regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Values by patterns, in the order in which they are tried.
///
/// As text it is `down_proj=8,layers\.[0-3]\..*=64`; commas inside brackets part nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    try_from = "Written<T>",
    into = "String",
    bound(serialize = "T: Clone + fmt::Display", deserialize = "T: Deserialize<'de> + FromStr")
)]
pub struct Patterns<T>(Vec<Entry<T>>);

#[derive(Clone, Debug)]
struct Entry<T> {
    key: String,
    regex: Regex,
    value: T,
}

/// As files have it: a text, or a table.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written<T> {
    Text(String),
    Table(std::collections::BTreeMap<String, T>),
}

/// Why patterns can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A pattern is no regular expression.
    #[error("`{key}` is no regular expression ({reason})")]
    Regex {
        /// The pattern.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A pattern has no value.
    #[error("`{entry}` is not of the form PATTERN=NUMBER, such as down_proj=8")]
    Entry {
        /// What was given.
        entry: String,
    },
}

impl<T> Patterns<T> {
    /// Patterns with their values.
    ///
    /// # Errors
    /// When one is no regular expression.
    pub fn new(entries: impl IntoIterator<Item = (String, T)>) -> Result<Self, PatternError> {
        let entries = entries.into_iter().map(|(key, value)| {
            let regex = Regex::new(&format!(r"\A(.*\.)?({key})\z"));
            match regex {
                Ok(regex) => Ok(Entry { key, regex, value }),
                Err(error) => Err(PatternError::Regex { key, reason: error.to_string() }),
            }
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the first pattern that a module's path matches.
    pub fn of(&self, path: &str) -> Option<&T> {
        self.0.iter().find(|entry| entry.matches(path)).map(|entry| &entry.value)
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|entry| &entry.value)
    }

    /// The same patterns with other values.
    #[must_use]
    pub fn map(&self, change: impl Fn(&T) -> T) -> Self {
        let changed = |entry: &Entry<T>| Entry {
            key: entry.key.clone(),
            regex: entry.regex.clone(),
            value: change(&entry.value),
        };
        Self(self.0.iter().map(changed).collect())
    }

    /// A pattern that none of these paths matches.
    pub fn unmatched(&self, paths: &[String]) -> Option<&str> {
        let idle = |entry: &&Entry<T>| !paths.iter().any(|path| entry.matches(path));
        self.0.iter().find(idle).map(|entry| entry.key.as_str())
    }

    /// As `adapter_config.json` has it.
    pub(crate) fn to_json(&self, value: impl Fn(&T) -> Value) -> Value {
        Value::Object(self.0.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect())
    }

    /// Of an `adapter_config.json`; nothing when a value is none.
    ///
    /// # Errors
    /// When a pattern is no regular expression.
    pub(crate) fn from_json(
        object: &Map<String, Value>,
        value: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<Self>, PatternError> {
        let entries = object.iter().map(|(key, given)| Some((key.clone(), value(given)?)));
        entries.collect::<Option<Vec<_>>>().map(Self::new).transpose()
    }
}

impl<T> Entry<T> {
    /// A pattern that takes too long to tell matches nothing.
    fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path).unwrap_or(false)
    }
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> PartialEq for Patterns<T> {
    fn eq(&self, other: &Self) -> bool {
        let entries = |patterns: &Self| patterns.0.len();
        entries(self) == entries(other)
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(left, right)| left.key == right.key && left.value == right.value)
    }
}

impl<T: FromStr> FromStr for Patterns<T> {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let entries = parts(text).into_iter().map(|entry| {
            let read = entry.rsplit_once('=').and_then(|(key, value)| {
                let key = key.trim();
                (!key.is_empty()).then_some((key.to_owned(), value.trim().parse().ok()?))
            });
            read.ok_or_else(|| PatternError::Entry { entry: entry.to_owned() })
        });
        Self::new(entries.collect::<Result<Vec<_>, _>>()?)
    }
}

/// A text's parts between commas that stand outside of brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut first) = (Vec::new(), 0usize, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(&text[first..at]);
                first = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[first..]);
    found.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

impl<T: FromStr> TryFrom<Written<T>> for Patterns<T> {
    type Error = PatternError;

    fn try_from(written: Written<T>) -> Result<Self, PatternError> {
        match written {
            Written::Text(text) => text.parse(),
            Written::Table(table) => Self::new(table),
        }
    }
}

impl<T: fmt::Display> From<Patterns<T>> for String {
    fn from(patterns: Patterns<T>) -> Self {
        patterns.to_string()
    }
}

impl<T: fmt::Display> fmt::Display for Patterns<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Entry { key, value, .. }) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(formatter, "{comma}{key}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(text: &str) -> Patterns<usize> {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_pattern_counts_that_matches_the_end_of_a_path() {
        let ranks = ranks(
            r"model.layers.0.mlp.up_proj=2,up_proj=4,layers\.[1-3]\.self_attn\.(q|v)_proj=8,(?:q|k)_proj=16",
        );
        for (path, rank) in [
            ("model.layers.0.mlp.up_proj", Some(2)),
            ("model.layers.1.mlp.up_proj", Some(4)),
            ("model.layers.2.self_attn.v_proj", Some(8)),
            ("model.layers.4.self_attn.q_proj", Some(16)),
            ("model.layers.4.self_attn.v_proj", None),
            // A key is a whole part of the path.
            ("model.layers.4.mlp.cup_proj", None),
        ] {
            assert_eq!(ranks.of(path).copied(), rank, "{path}");
        }
        assert_eq!(
            ranks.unmatched(&["model.layers.2.mlp.up_proj".to_owned()]),
            Some("model.layers.0.mlp.up_proj")
        );
    }

    #[test]
    fn text_and_tables_are_read() {
        let text = r"layers\.\d{1,2}\..*=8,[a,b]=4";
        let ranks = ranks(text);
        assert_eq!(ranks.to_string(), text);
        assert_eq!(ranks.values().copied().collect::<Vec<_>>(), [8, 4]);
        let read = |json: &str| serde_json::from_str::<Patterns<usize>>(json);
        assert_eq!(read(&serde_json::to_string(&ranks).unwrap()).unwrap(), ranks);
        assert_eq!(read(r#"{"up_proj": 4}"#).unwrap(), super::tests::ranks("up_proj=4"));
        assert!(super::tests::ranks("").is_empty());
        for (json, told) in [
            (r#""up_proj""#, "`up_proj` is not of the form PATTERN=NUMBER"),
            (r#""=3""#, "`=3` is not of the form PATTERN=NUMBER"),
            (r#""up_proj=many""#, "`up_proj=many` is not of the form PATTERN=NUMBER"),
            (r#""(up=3""#, "`(up` is no regular expression"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
