//! A part of a cross-validation.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Part `part` of `parts` of the training file, which a run is tested on; it trains on the rest. In settings: `"2/5"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fold {
    part: usize,
    parts: usize,
}

/// Text that names no part of a cross-validation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no part of a cross-validation; use PART/PARTS, such as 2/5, with 2 parts or more")]
pub struct UnknownFold {
    /// What was given.
    pub text: String,
}

impl Fold {
    /// Part `part`, counted from 1, of `parts`; `None` when there is no such part, or fewer than 2 parts.
    pub fn new(part: usize, parts: usize) -> Option<Fold> {
        (parts >= 2 && (1..=parts).contains(&part)).then_some(Fold { part, parts })
    }

    /// Which part, counted from 1.
    pub fn part(self) -> usize {
        self.part
    }

    /// Of how many.
    pub fn parts(self) -> usize {
        self.parts
    }
}

impl fmt::Display for Fold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.part, self.parts)
    }
}

impl FromStr for Fold {
    type Err = UnknownFold;

    fn from_str(text: &str) -> Result<Self, UnknownFold> {
        let parsed = || {
            let (part, parts) = text.split_once('/')?;
            Fold::new(part.trim().parse().ok()?, parts.trim().parse().ok()?)
        };
        parsed().ok_or_else(|| UnknownFold { text: text.to_owned() })
    }
}

impl TryFrom<String> for Fold {
    type Error = UnknownFold;

    fn try_from(text: String) -> Result<Self, UnknownFold> {
        text.parse()
    }
}

impl From<Fold> for String {
    fn from(fold: Fold) -> String {
        fold.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_other_text_is_refused() {
        let fold: Fold = "2/5".parse().unwrap();
        assert_eq!((fold.part(), fold.parts()), (2, 5));
        assert_eq!(serde_json::to_string(&fold).unwrap(), r#""2/5""#);
        assert_eq!(serde_json::from_str::<Fold>(r#""2/5""#).unwrap(), fold);
        for text in ["", "2", "0/5", "6/5", "1/1", "-1/5", "a/b", "2/5/7"] {
            let error = text.parse::<Fold>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no part of a cross-validation")), "{error}");
        }
    }
}
