//! A policy's memory between steps, as it is saved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{LayerSet, SelectError};

/// What a policy remembers: named lists of numbers, some of them not known yet.
///
/// Numbers are written as decimal text, the shortest that reads back to the same bits, because not every reader
/// of JSON numbers is exact to the last bit and a resumed run must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyState {
    method: String,
    #[serde(with = "exact")]
    lists: BTreeMap<String, Vec<Option<f64>>>,
}

impl PolicyState {
    /// The state of a method that remembers nothing.
    pub fn new(method: &str) -> PolicyState {
        PolicyState { method: method.to_string(), lists: BTreeMap::new() }
    }

    /// The same state with one more list.
    #[must_use]
    pub fn with(mut self, list: &str, numbers: &[Option<f64>]) -> PolicyState {
        self.lists.insert(list.to_string(), numbers.to_vec());
        self
    }

    /// The same state with a set of layers of the model, which may not have been chosen yet.
    #[must_use]
    pub fn with_set(self, list: &str, set: Option<&LayerSet>, layers: usize) -> PolicyState {
        let flag = |layer| set.map(|set| f64::from(u8::from(set.contains(layer))));
        self.with(list, &(0..layers).map(flag).collect::<Vec<_>>())
    }

    /// A set of layers, if one had been chosen.
    ///
    /// # Errors
    /// As for [`list`](Self::list), and [`SelectError::StateDamaged`] if the list is no set.
    pub fn set(
        &self,
        method: &'static str,
        list: &'static str,
        layers: usize,
    ) -> Result<Option<LayerSet>, SelectError> {
        let flags = self.list(method, list, layers)?;
        if flags.iter().all(Option::is_none) {
            return Ok(None);
        }
        let damaged = SelectError::StateDamaged { method, list };
        if flags.iter().any(|&flag| flag != Some(0.0) && flag != Some(1.0)) {
            return Err(damaged);
        }
        let chosen = (0..layers).filter(|&layer| flags[layer] == Some(1.0));
        LayerSet::new(layers, chosen).map(Some).map_err(|_| damaged)
    }

    /// Confirms that `method` wrote this state.
    ///
    /// # Errors
    /// [`SelectError::StateMethod`] if another did.
    pub fn expect_method(&self, method: &'static str) -> Result<(), SelectError> {
        if self.method == method {
            return Ok(());
        }
        Err(SelectError::StateMethod { expected: method, found: self.method.clone() })
    }

    /// One list, which must hold `count` numbers.
    ///
    /// # Errors
    /// [`SelectError::StateMethod`] if `method` did not write this state, [`SelectError::StateList`] if the list
    /// is missing or of another length.
    pub fn list(
        &self,
        method: &'static str,
        list: &'static str,
        count: usize,
    ) -> Result<&[Option<f64>], SelectError> {
        self.expect_method(method)?;
        let numbers = self.lists.get(list).map_or(&[][..], Vec::as_slice);
        if numbers.len() != count {
            return Err(SelectError::StateList { method, list, expected: count, found: numbers.len() });
        }
        Ok(numbers)
    }
}

mod exact {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    type Lists = BTreeMap<String, Vec<Option<f64>>>;
    type Texts = BTreeMap<String, Vec<Option<String>>>;

    pub fn serialize<S: Serializer>(lists: &Lists, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |number: &Option<f64>| number.map(|number| number.to_string());
        let texts: Texts =
            lists.iter().map(|(name, list)| (name.clone(), list.iter().map(text).collect())).collect();
        texts.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Lists, D::Error> {
        let number = |text: Option<String>| text.map(|text| text.parse::<f64>()).transpose();
        let texts = Texts::deserialize(deserializer)?;
        texts
            .into_iter()
            .map(|(name, list)| Ok((name, list.into_iter().map(number).collect::<Result<_, _>>()?)))
            .collect::<Result<_, std::num::ParseFloatError>>()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_handed_out_only_to_its_method_and_at_its_length() {
        let state = PolicyState::new("ir").with("scores", &[Some(1.5), None]);
        assert_eq!(state.list("ir", "scores", 2), Ok([Some(1.5), None].as_slice()));
        assert_eq!(
            state.list("full", "scores", 2),
            Err(SelectError::StateMethod { expected: "full", found: "ir".into() })
        );
        let short = SelectError::StateList { method: "ir", list: "scores", expected: 3, found: 2 };
        assert_eq!(state.list("ir", "scores", 3), Err(short));
        let missing = SelectError::StateList { method: "ir", list: "other", expected: 2, found: 0 };
        assert_eq!(state.list("ir", "other", 2), Err(missing));
    }

    #[test]
    fn sets_come_back_as_they_were_and_damaged_ones_do_not() {
        let set = LayerSet::new(4, [1, 3]).unwrap();
        let state = PolicyState::new("lisa").with_set("chosen", Some(&set), 4).with_set("other", None, 4);
        assert_eq!(state.set("lisa", "chosen", 4), Ok(Some(set)));
        assert_eq!(state.set("lisa", "other", 4), Ok(None));
        let damaged = Err(SelectError::StateDamaged { method: "lisa", list: "chosen" });
        for flags in [[Some(0.0); 2], [Some(1.0), None], [Some(0.5), Some(1.0)], [Some(f64::NAN), Some(1.0)]]
        {
            assert_eq!(PolicyState::new("lisa").with("chosen", &flags).set("lisa", "chosen", 2), damaged);
        }
    }

    #[test]
    fn text_that_is_no_number_is_refused() {
        let text = r#"{"method":"ir","lists":{"scores":["1.5",null]}}"#;
        assert_eq!(
            serde_json::from_str::<PolicyState>(text).unwrap(),
            PolicyState::new("ir").with("scores", &[Some(1.5), None])
        );
        assert!(serde_json::from_str::<PolicyState>(&text.replace("1.5", "high")).is_err());
        assert!(serde_json::from_str::<PolicyState>(&text.replace("lists", "list")).is_err());
    }
}
