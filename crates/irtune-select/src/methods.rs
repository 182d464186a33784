//! The table of methods, from which help, documentation and tests are made.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::{LayerPolicy, LayerSet, SelectError, full, ir};

/// Every method there is; the first is the default.
pub static METHODS: &[Method] = &[ir::METHOD, full::METHOD];

/// Makes a policy for a model of so many layers.
type Make = fn(usize, &OptionValues<'_>) -> Result<Box<dyn LayerPolicy>, SelectError>;

/// A method as a user sees it.
#[derive(Debug)]
pub struct Method {
    /// The name it is chosen by.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What can be set about it.
    pub options: &'static [MethodOption],
    pub(crate) make: Make,
}

/// Something that can be set about a method.
#[derive(Debug)]
pub struct MethodOption {
    /// The name it is set by.
    pub name: &'static str,
    /// What it decides, in one sentence.
    pub summary: &'static str,
    /// The values it takes, in words.
    pub values: &'static str,
    /// The value when it is not set.
    pub default: &'static str,
}

/// The method of a name.
///
/// # Errors
/// [`SelectError::UnknownMethod`], which names those there are.
pub fn method(name: &str) -> Result<&'static Method, SelectError> {
    METHODS.iter().find(|method| method.name == name).ok_or_else(|| SelectError::UnknownMethod {
        name: name.to_string(),
        known: METHODS.iter().map(|method| method.name).collect(),
    })
}

impl Method {
    /// A policy at its start, for a model of `layers` layers; `options` holds what is not left at its default.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`], [`SelectError::UnknownOption`] or [`SelectError::OptionValue`].
    pub fn build(
        &self,
        layers: usize,
        options: &BTreeMap<String, String>,
    ) -> Result<Box<dyn LayerPolicy>, SelectError> {
        LayerSet::check_layers(layers)?;
        let known = || self.options.iter().map(|option| option.name);
        if let Some(option) = options.keys().find(|&given| known().all(|name| name != given)) {
            return Err(SelectError::UnknownOption {
                method: self.name,
                option: option.clone(),
                known: known().collect(),
            });
        }
        (self.make)(layers, &OptionValues { method: self.name, given: options })
    }
}

/// The options given to a method, with its defaults behind them.
pub(crate) struct OptionValues<'a> {
    method: &'static str,
    given: &'a BTreeMap<String, String>,
}

impl OptionValues<'_> {
    pub(crate) fn get<T: FromStr>(&self, option: &MethodOption) -> Result<T, SelectError> {
        let value = self.given.get(option.name).map_or(option.default, String::as_str);
        value.parse().map_err(|_| SelectError::OptionValue {
            method: self.method,
            option: option.name,
            value: value.to_string(),
            expected: option.values,
        })
    }
}
