//! The table of methods, from which help, documentation and tests are made.

use std::collections::BTreeMap;

use crate::{
    LayerPolicy, LayerSet, OptionValues, SelectError, badam, fixed, full, ir, ir_cost, ist, lisa, rst,
    spectrum,
};

/// Every method there is; the first is the default.
pub static METHODS: &[Method] = &[
    ir::METHOD,
    ir_cost::METHOD,
    ist::METHOD,
    rst::METHOD,
    lisa::METHOD,
    badam::METHOD,
    spectrum::METHOD,
    fixed::METHOD,
    full::METHOD,
];

/// Makes a policy for a model of so many layers.
pub type Make = fn(usize, &OptionValues<'_>) -> Result<Box<dyn LayerPolicy>, SelectError>;

/// A method as a user sees it.
#[derive(Debug)]
pub struct Method {
    /// The name it is chosen by.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What can be set about it.
    pub options: &'static [MethodOption],
    /// Paragraphs that its documentation has beneath its options.
    pub notes: &'static [&'static str],
    /// How its policy is made; [`build`](Self::build) checks the options first.
    pub make: Make,
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

/// The names of all options of all methods, each once, in the order of the table.
pub fn option_names() -> Vec<&'static str> {
    let mut names = Vec::new();
    for option in METHODS.iter().flat_map(|method| method.options) {
        if !names.contains(&option.name) {
            names.push(option.name);
        }
    }
    names
}

impl Method {
    /// A policy at its start, for a model of `layers` layers; `options` holds what is not left at its default.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`], or what is wrong with the options: [`SelectError::UnknownOption`],
    /// [`SelectError::OptionValue`], [`SelectError::OptionConflict`], or [`SelectError::LayerOutOfRange`] where they
    /// name layers.
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

    /// Everything that is wrong with some options whatever the model, each problem with the option it is about.
    pub fn problems(&self, options: &BTreeMap<String, String>) -> Vec<(String, SelectError)> {
        let build = |options: &BTreeMap<String, String>| self.build(LayerSet::MAXIMUM_LAYERS, options).err();
        let alone = |(name, value): (&String, &String)| {
            build(&BTreeMap::from([(name.clone(), value.clone())])).map(|error| (name.clone(), error))
        };
        let mut problems: Vec<_> = options.iter().filter_map(alone).collect();
        // What is wrong only together is a conflict, which names the option it is about.
        if problems.is_empty()
            && let Some(error @ SelectError::OptionConflict { option, .. }) = build(options)
        {
            problems.push((option.to_string(), error));
        }
        problems
    }
}
