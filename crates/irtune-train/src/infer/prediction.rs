//! What a model says of a pair, and how it is written.

use irtune_data::{Id, Place};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// What a model says of a pair, in the one form in which programs pass it on: a JSON object with `id` (if there is one),
/// `label` or, from a model that gives any number of them, `labels`, and `probabilities`, in this order.
///
/// ```
/// # use irtune_train::Prediction;
/// let line = r#"{"id":"7","label":"tone","probabilities":{"claim":0.25,"tone":0.75}}"#;
/// let prediction: Prediction = serde_json::from_str(line)?;
/// assert_eq!(prediction.label(), Some("tone"));
/// assert_eq!(prediction.probabilities.of("tone"), Some(0.75));
/// assert_eq!(serde_json::to_string(&prediction)?, line);
///
/// let line = r#"{"labels":["claim","tone"],"probabilities":{"claim":0.625,"tone":0.75}}"#;
/// let prediction: Prediction = serde_json::from_str(line)?;
/// assert_eq!(prediction.labels(), ["claim", "tone"]);
/// assert_eq!(serde_json::to_string(&prediction)?, line);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Prediction {
    /// The pair's own name; left out when it has none.
    pub id: Option<Id>,
    /// What it is told as.
    pub told: Told,
    /// The probability of every label.
    pub probabilities: Probabilities,
}

/// What a pair is told as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The most probable label, the first one of equals.
    Label(String),
    /// Nothing, because the most probable label is less probable than was asked for: `label` is `null`, and `abstained` is
    /// `true`.
    Abstained,
    /// Every label that is probable enough, in the order of the label set; there may be none.
    Labels(Vec<String>),
}

impl Prediction {
    /// Of probabilities of which one label's is the highest; it abstains when none of them reaches `abstain_below`.
    pub(crate) fn new(
        id: Option<Id>,
        probabilities: Probabilities,
        abstain_below: Option<f64>,
    ) -> Prediction {
        let (label, probability) = probabilities.highest();
        let told = match abstain_below {
            Some(threshold) if probability < threshold => Told::Abstained,
            _ => Told::Label(label.to_owned()),
        };
        Prediction { id, told, probabilities }
    }

    /// Of labels that are given independently of each other.
    pub(crate) fn several(id: Option<Id>, probabilities: Probabilities, given: &[bool]) -> Prediction {
        let labels = probabilities.labels.iter().zip(given).filter(|(_, given)| **given);
        let told = Told::Labels(labels.map(|(label, _)| label.clone()).collect());
        Prediction { id, told, probabilities }
    }

    /// The one label; `None` when the model abstains, or gives any number of labels.
    pub fn label(&self) -> Option<&str> {
        match &self.told {
            Told::Label(label) => Some(label),
            Told::Abstained | Told::Labels(_) => None,
        }
    }

    /// All labels: one, or any number of them.
    pub fn labels(&self) -> &[String] {
        match &self.told {
            Told::Label(label) => std::slice::from_ref(label),
            Told::Abstained => &[],
            Told::Labels(labels) => labels,
        }
    }

    /// Whether the model abstains.
    pub fn abstained(&self) -> bool {
        self.told == Told::Abstained
    }
}

/// A prediction as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Id>,
    /// `null` where the model abstains, and not there beside labels.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    label: Option<Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    abstained: bool,
    probabilities: Probabilities,
}

/// A field that is there, with whatever it holds.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl From<Prediction> for Written {
    fn from(Prediction { id, told, probabilities }: Prediction) -> Written {
        let (label, labels, abstained) = match told {
            Told::Label(label) => (Some(Some(label)), None, false),
            Told::Abstained => (Some(None), None, true),
            Told::Labels(labels) => (None, Some(labels), false),
        };
        Written { id, label, labels, abstained, probabilities }
    }
}

impl TryFrom<Written> for Prediction {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Prediction, &'static str> {
        let Written { id, label, labels, abstained, probabilities } = written;
        let told = match (label, labels, abstained) {
            (Some(Some(label)), None, false) => Told::Label(label),
            (Some(None), None, true) => Told::Abstained,
            (None, Some(labels), false) => Told::Labels(labels),
            _ => return Err("a prediction has a label, or labels, or null as its label where it abstained"),
        };
        Ok(Prediction { id, told, probabilities })
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
    /// Tokens that the model read of it, its prompt among them; 0 for a linear model.
    pub tokens: usize,
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

    /// The most probable label with its probability, the first one of equals.
    pub fn highest(&self) -> (&str, f64) {
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
            id: id.map(Id::from),
            told: Told::Label("fact/evidence".into()),
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
    fn several_labels_are_a_list_which_may_be_empty() {
        let of = |given: [bool; 2]| Prediction::several(None, prediction(None).probabilities, &given);
        let end = r#""probabilities":{"fact/evidence":0.999999999,"claim":0.3333333333333333}}"#;
        for (given, list) in [
            ([true, true], r#"["fact/evidence","claim"]"#),
            ([false, true], r#"["claim"]"#),
            ([false; 2], "[]"),
        ] {
            let written = serde_json::to_string(&of(given)).unwrap();
            assert_eq!(written, format!(r#"{{"labels":{list},{end}"#));
            assert_eq!(serde_json::from_str::<Prediction>(&written).unwrap(), of(given));
            assert_eq!((of(given).label(), of(given).abstained()), (None, false));
        }
        for wrong in [r#"{"label":"a","labels":["a"],"probabilities":{}}"#, r#"{"probabilities":{}}"#] {
            let error = serde_json::from_str::<Prediction>(wrong).unwrap_err().to_string();
            assert!(error.contains("a prediction has a label, or labels"), "{error}");
        }
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
