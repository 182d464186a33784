//! What is wrong with the settings.

use std::fmt;

use super::Origin;

/// One thing to correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it was written, if it was written anywhere.
    pub origin: Option<Origin>,
    /// What is wrong.
    pub message: String,
    /// The way out, where there is an obvious one.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of something that was written.
    pub fn at(origin: &Origin, message: impl Into<String>) -> Self {
        Self { origin: Some(origin.clone()), message: message.into(), hint: None }
    }

    /// A problem of the settings as a whole.
    pub fn of_all(message: impl Into<String>) -> Self {
        Self { origin: None, message: message.into(), hint: None }
    }

    /// The same with a way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(formatter, "{origin}: ")?;
        }
        formatter.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong, in the order it was written.
#[derive(Debug, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => only.fmt(formatter),
            all => {
                write!(formatter, "{} problems with the settings:", all.len())?;
                all.iter().try_for_each(|problem| write!(formatter, "\n  - {problem}"))
            }
        }
    }
}
