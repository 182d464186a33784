//! The options given to a method, read as what they mean.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::{MethodOption, SelectError};

/// The options given to a method, with its defaults behind them.
#[derive(Debug)]
pub struct OptionValues<'a> {
    pub(crate) method: &'static str,
    pub(crate) given: &'a BTreeMap<String, String>,
}

impl OptionValues<'_> {
    /// The value of one of the method's options.
    ///
    /// # Errors
    /// [`SelectError::OptionValue`] if its text cannot be read as one.
    pub fn get<T: FromStr>(&self, option: &MethodOption) -> Result<T, SelectError> {
        let value = self.text(option);
        value.parse().map_err(|_| SelectError::OptionValue {
            method: self.method,
            option: option.name,
            value: value.to_string(),
            expected: option.values,
        })
    }

    /// Refuses an option that was changed from its default while another has a value that overrules it.
    pub(crate) fn refuse_with(&self, option: &MethodOption, other: &MethodOption) -> Result<(), SelectError> {
        if self.text(option) == option.default {
            return Ok(());
        }
        Err(SelectError::OptionConflict {
            method: self.method,
            option: option.name,
            value: self.text(option).to_string(),
            other: other.name,
            other_value: self.text(other).to_string(),
        })
    }

    fn text(&self, option: &MethodOption) -> &str {
        self.given.get(option.name).map_or(option.default, String::as_str)
    }
}

/// A share above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share(pub(crate) f64);

impl FromStr for Share {
    type Err = ();

    fn from_str(text: &str) -> Result<Share, ()> {
        text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0).map(Share).ok_or(())
    }
}

/// A finite number that is not negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Amount(pub(crate) f64);

impl FromStr for Amount {
    type Err = ();

    fn from_str(text: &str) -> Result<Amount, ()> {
        text.parse().ok().filter(|amount: &f64| amount.is_finite() && *amount >= 0.0).map(Amount).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_refused() {
        assert_eq!("0.5".parse(), Ok(Share(0.5)));
        assert_eq!("1".parse(), Ok(Share(1.0)));
        for text in ["0", "1.01", "-0.5", "nan", "half", ""] {
            assert_eq!(text.parse::<Share>(), Err(()), "{text}");
        }
        assert_eq!("0".parse(), Ok(Amount(0.0)));
        for text in ["-1", "inf", "nan", "much"] {
            assert_eq!(text.parse::<Amount>(), Err(()), "{text}");
        }
    }
}
