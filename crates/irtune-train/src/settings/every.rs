//! How often something happens in a run.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Once an epoch, every so many steps, or never. In settings: `"epoch"`, `50`, `"never"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// After the last step of each epoch.
    Epoch,
    /// After each so many steps.
    Steps(u64),
    /// Not on its own.
    Never,
}

impl Every {
    /// Whether it is due after `step` completed steps, `steps_per_epoch` of which make an epoch.
    pub fn due(self, step: u64, steps_per_epoch: u64) -> bool {
        match self {
            _ if step == 0 => false,
            Every::Epoch => step.is_multiple_of(steps_per_epoch),
            Every::Steps(steps) => step.is_multiple_of(steps),
            Every::Never => false,
        }
    }
}

impl Every {
    /// How often it is due in a run of so many steps, once at the end included.
    pub fn times(self, steps: u64, steps_per_epoch: u64) -> u64 {
        let every = match self {
            Every::Epoch => steps_per_epoch,
            Every::Steps(steps) => steps,
            Every::Never => return 1,
        };
        steps.div_ceil(every.max(1))
    }
}

impl fmt::Display for Every {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Every::Epoch => formatter.write_str("epoch"),
            Every::Steps(steps) => steps.fmt(formatter),
            Every::Never => formatter.write_str("never"),
        }
    }
}

/// Text that says no frequency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no frequency; use a number of steps from 1, epoch or never")]
pub struct UnknownEvery {
    /// What was given.
    pub text: String,
}

impl FromStr for Every {
    type Err = UnknownEvery;

    fn from_str(text: &str) -> Result<Self, UnknownEvery> {
        match text {
            "epoch" => Ok(Every::Epoch),
            "never" => Ok(Every::Never),
            _ => match text.parse() {
                Ok(steps) if steps > 0 => Ok(Every::Steps(steps)),
                _ => Err(UnknownEvery { text: text.to_owned() }),
            },
        }
    }
}

impl Serialize for Every {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Every::Steps(steps) => serializer.serialize_u64(*steps),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Every;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of steps from 1, \"epoch\" or \"never\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Every, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, steps: u64) -> Result<Every, E> {
                self.visit_str(&steps.to_string())
            }

            fn visit_i64<E: serde::de::Error>(self, steps: i64) -> Result<Every, E> {
                self.visit_str(&steps.to_string())
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_when_it_says() {
        let due = |every: Every| (0..=7).filter(|&step| every.due(step, 3)).collect::<Vec<_>>();
        assert_eq!(due(Every::Epoch), [3, 6]);
        assert_eq!(due(Every::Steps(2)), [2, 4, 6]);
        assert!(due(Every::Never).is_empty());
    }

    #[test]
    fn it_counts_how_often_it_is_due_with_the_end() {
        for every in [Every::Epoch, Every::Steps(2), Every::Steps(50), Every::Never] {
            for steps in 1..=9 {
                let times = (1..=steps).filter(|&step| every.due(step, 3) || step == steps).count();
                assert_eq!(every.times(steps, 3), times as u64, "{every} of {steps}");
            }
        }
    }

    #[test]
    fn text_and_json_round_trip() {
        for (every, text, json) in [
            (Every::Epoch, "epoch", "\"epoch\""),
            (Every::Steps(50), "50", "50"),
            (Every::Never, "never", "\"never\""),
        ] {
            assert_eq!(text.parse(), Ok(every));
            assert_eq!(every.to_string(), text);
            assert_eq!(serde_json::to_string(&every).unwrap(), json);
            assert_eq!(serde_json::from_str::<Every>(json).unwrap(), every);
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["0", "-3", "often", "1.5"] {
            let error = text.parse::<Every>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}` is no frequency")), "{error}");
        }
        let error = serde_json::from_str::<Every>("-1").unwrap_err().to_string();
        assert!(error.contains("`-1` is no frequency"), "{error}");
    }
}
