//! What is compared, as `compare.toml` holds it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Table;

/// A comparison: every method with every adapter, on every corpus, with every seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The base model of all cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The seeds.
    #[serde(default = "default_seeds")]
    pub seeds: Vec<u64>,
    /// Numbers of training pairs; all of them when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub train_sizes: Vec<TrainSize>,
    /// Parts of a cross-validation over documents; the test file when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<u64>,
    /// The method that all others are compared with; every method with every other when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Training settings of all cells.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub settings: Table,
    /// The corpora.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corpus: Vec<Corpus>,
    /// The methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub method: Vec<Entry>,
    /// The adapters; the default one when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adapter: Vec<Entry>,
}

/// The seed of a run that is given none.
fn default_seeds() -> Vec<u64> {
    vec![irtune_train::TrainSettings::default().seed]
}

impl Default for Definition {
    fn default() -> Self {
        Self {
            base: None,
            seeds: default_seeds(),
            train_sizes: Vec::new(),
            folds: None,
            reference: None,
            settings: Table::new(),
            corpus: Vec::new(),
            method: Vec::new(),
            adapter: Vec::new(),
        }
    }
}

/// A corpus: its name, its files and columns, and any training setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corpus {
    /// What it is called.
    pub name: String,
    /// Settings of its cells.
    #[serde(flatten)]
    pub settings: Table,
}

/// A method or an adapter: any training settings under a name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is called; the method's or adapter's own name when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The seeds it runs with; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Vec<u64>>,
    /// Of an adapter: the names of the methods it goes with; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    /// Of a method: the names of the adapters it goes with; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapters: Option<Vec<String>>,
    /// Settings of its cells.
    #[serde(flatten)]
    pub settings: Table,
}

impl Entry {
    /// Its name, which without one of its own is the value of the setting `key`.
    pub fn label(&self, key: &str) -> Option<String> {
        let own = self.settings.get(key).and_then(|value| value.as_str());
        self.name.as_deref().or(own).map(str::to_owned).filter(|name| !name.trim().is_empty())
    }
}

/// How many training pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrainSize {
    /// So many.
    Pairs(u64),
    /// All there are.
    All,
}

impl fmt::Display for TrainSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pairs(pairs) => pairs.fmt(formatter),
            Self::All => formatter.write_str("all"),
        }
    }
}

impl FromStr for TrainSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("all", _) => Ok(Self::All),
            (_, Ok(pairs)) if pairs > 0 => Ok(Self::Pairs(pairs)),
            _ => Err(format!("`{text}` is no training size; use a number from 1, or all")),
        }
    }
}

impl Serialize for TrainSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pairs(pairs) => serializer.serialize_u64(*pairs),
            Self::All => serializer.serialize_str("all"),
        }
    }
}

impl<'de> Deserialize<'de> for TrainSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_round_trips_through_toml() {
        let text = r#"
            base = "smollm2"
            seeds = [171, 172]
            train_sizes = [50, "all"]
            reference = "ir"
            [settings]
            max_steps = 100
            [[corpus]]
            name = "iterater"
            train = "train.jsonl"
            [[method]]
            method = "ir"
            [[method]]
            name = "top 8"
            method = "fixed"
            layers = "top:8"
            seeds = [171]
            [[adapter]]
            adapter = "dora"
            methods = ["ir"]
        "#;
        let definition: Definition = toml::from_str(text).unwrap();
        assert_eq!(definition.train_sizes, [TrainSize::Pairs(50), TrainSize::All]);
        assert_eq!(definition.reference.as_deref(), Some("ir"));
        assert_eq!(definition.method[0].label("method").as_deref(), Some("ir"));
        assert_eq!(definition.method[1].label("method").as_deref(), Some("top 8"));
        assert_eq!(definition.method[1].settings["layers"].as_str(), Some("top:8"));
        assert_eq!(definition.adapter[0].label("adapter").as_deref(), Some("dora"));
        let written = toml::to_string(&definition).unwrap();
        assert_eq!(toml::from_str::<Definition>(&written).unwrap(), definition);
    }

    #[test]
    fn other_keys_and_other_sizes_are_refused() {
        let error = |text: &str| toml::from_str::<Definition>(text).unwrap_err().to_string();
        assert!(error("seed = 1").contains("unknown field `seed`"));
        assert!(error("train_sizes = [0]").contains("`0` is no training size"));
        assert!(error("train_sizes = [\"some\"]").contains("`some` is no training size"));
        assert!(error("[[corpus]]\ntrain = \"a\"").contains("missing field `name`"));
    }
}
