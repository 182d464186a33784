//! Everything that is read, a file a target.

mod adapter;
mod base;
mod chat;
mod checkpoint;
mod comparison;
mod config;
mod documents;
mod folds;
mod gguf;
mod inspect;
mod merge;
mod pairs;
mod predict;
mod quantise;
mod resume;
mod scores;
mod settings;
mod tables;
mod template;
mod tokenizer;
mod words;

use crate::target::Target;

/// All of them.
pub const TARGETS: [Target; 21] = [
    pairs::TARGET,
    tables::TARGET,
    documents::TARGET,
    template::TARGET,
    words::TARGET,
    scores::TARGET,
    settings::TARGET,
    comparison::TARGET,
    config::TARGET,
    tokenizer::TARGET,
    chat::TARGET,
    gguf::TARGET,
    quantise::TARGET,
    base::TARGET,
    adapter::TARGET,
    checkpoint::TARGET,
    resume::TARGET,
    folds::TARGET,
    inspect::TARGET,
    merge::TARGET,
    predict::TARGET,
];

/// The target of a name, or `all`.
///
/// # Errors
/// When there is none of that name.
pub fn named(name: &str) -> anyhow::Result<Vec<&'static Target>> {
    let found: Vec<&Target> = TARGETS.iter().filter(|target| name == "all" || name == target.name).collect();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    anyhow::ensure!(
        !found.is_empty(),
        "there is no target `{name}`: take all, or one of {}",
        names.join(", ")
    );
    Ok(found)
}
