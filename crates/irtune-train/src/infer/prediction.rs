//! What a model says of a pair, and how it is written.

use irtune_data::Place;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// What a model says of a pair, in the one form in which programs pass it on: a JSON object with these fields, in
/// this order.
///
/// ```
/// # use irtune_train::Prediction;
/// let line = r#"{"id":"7","label":"tone","probabilities":{"claim":0.25,"tone":0.75}}"#;
/// let prediction: Prediction = serde_json::from_str(line)?;
/// assert_eq!(prediction.probabilities.of("tone"), Some(0.75));
/// assert_eq!(serde_json::to_string(&prediction)?, line);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// The pair's own name; left out when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The most probable label, the first one of equals; `null` when the model abstains.
    pub label: Option<String>,
    /// Whether the model abstains, because the most probable label is less probable than was asked for; left out when it
    /// does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abstained: bool,
    /// The probability of every label.
    pub probabilities: Probabilities,
}

impl Prediction {
    /// Of probabilities; it abstains when none of them reaches `abstain_below`.
    pub(crate) fn new(
        id: Option<String>,
        probabilities: Probabilities,
        abstain_below: Option<f64>,
    ) -> Prediction {
        let (label, probability) = probabilities.highest();
        let abstained = abstain_below.is_some_and(|threshold| probability < threshold);
        let label = (!abstained).then(|| label.to_owned());
        Prediction { id, label, abstained, probabilities }
    }
}

/// A prediction, and what is known of the pair it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What the model says.
    pub prediction: Prediction,
    /// Where the pair comes from.
    pub place: Place,
    /// Whether the pair was too long and was shortened around its change.
    pub shortened: bool,
}

/// The probability of every label: a JSON object `{"label": probability, …}` in the order of the label set.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities {
    labels: Arc<[String]>,
    values: Vec<f64>,
}

impl Probabilities {
    /// Labels, in their order, and as many values.
    pub(crate) fn new(labels: Arc<[String]>, values: Vec<f64>) -> Probabilities {
        assert_eq!(labels.len(), values.len(), "a probability for every label");
        Probabilities { labels, values }
    }

    /// Of all labels, in the order of the label set.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Of one label; `None` when there is no such label.
    pub fn of(&self, label: &str) -> Option<f64> {
        self.iter().find(|(name, _)| *name == label).map(|(_, value)| value)
    }

    /// The most probable label, the first one of equals.
    fn highest(&self) -> (&str, f64) {
        let best =
            (1..self.values.len()).fold(0, |best, place| match self.values[place] > self.values[best] {
                true => place,
                false => best,
            });
        (&self.labels[best], self.values[best])
    }

    /// Every label with its probability, in the order of the label set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.labels.iter().map(String::as_str).zip(self.values.iter().copied())
    }
}

impl Serialize for Probabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (label, value) in self.iter() {
            map.serialize_entry(label, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Probabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Labels;

        impl<'de> Visitor<'de> for Labels {
            type Value = Probabilities;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object with a probability for every label")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Probabilities, A::Error> {
                let (mut labels, mut values) = (Vec::<String>::new(), Vec::new());
                while let Some((label, value)) = map.next_entry::<String, f64>()? {
                    if labels.contains(&label) {
                        return Err(A::Error::custom(format!("the label {label:?} stands twice")));
                    }
                    labels.push(label);
                    values.push(value);
                }
                Ok(Probabilities { labels: labels.into(), values })
            }
        }

        deserializer.deserialize_map(Labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(id: Option<&str>) -> Prediction {
        let labels: Arc<[String]> = ["fact/evidence", "claim"].map(str::to_owned).into();
        Prediction {
            id: id.map(str::to_owned),
            label: Some("fact/evidence".into()),
            abstained: false,
            probabilities: Probabilities::new(labels, vec![1.0 - 1e-9, 1.0 / 3.0]),
        }
    }

    #[test]
    fn the_wire_format_is_this() {
        // Programs read it: a change here breaks them.
        assert_eq!(
            serde_json::to_string(&prediction(Some("row \"7\""))).unwrap(),
            r#"{"id":"row \"7\"","label":"fact/evidence","probabilities":{"fact/evidence":0.999999999,"claim":0.3333333333333333}}"#
        );
        assert_eq!(
            serde_json::to_string(&prediction(None)).unwrap(),
            r#"{"label":"fact/evidence","probabilities":{"fact/evidence":0.999999999,"claim":0.3333333333333333}}"#
        );
    }

    #[test]
    fn a_model_that_is_not_sure_enough_gives_no_label() {
        let of = |threshold| Prediction::new(None, prediction(None).probabilities, threshold);
        for threshold in [None, Some(0.5), Some(0.999_999_999)] {
            assert_eq!(of(threshold), prediction(None));
        }
        let abstained = of(Some(1.0));
        let written = serde_json::to_string(&abstained).unwrap();
        assert_eq!(
            written,
            r#"{"label":null,"abstained":true,"probabilities":{"fact/evidence":0.999999999,"claim":0.3333333333333333}}"#
        );
        assert_eq!(serde_json::from_str::<Prediction>(&written).unwrap(), abstained);
    }

    #[test]
    fn what_is_written_is_read_back_bitwise_and_in_order() {
        for id in [None, Some("x")] {
            let written = serde_json::to_string(&prediction(id)).unwrap();
            assert_eq!(serde_json::from_str::<Prediction>(&written).unwrap(), prediction(id));
        }
        let read = |text: &str| serde_json::from_str::<Prediction>(text).unwrap_err().to_string();
        assert!(read(r#"{"label":"a","probabilities":{"a":0.5,"a":0.5}}"#).contains("\"a\" stands twice"));
        assert!(read(r#"{"label":"a","probabilities":[0.5]}"#).contains("a probability for every label"));
        assert!(read(r#"{"label":"a","probabilities":{},"line":1}"#).contains("unknown field `line`"));
    }
}
