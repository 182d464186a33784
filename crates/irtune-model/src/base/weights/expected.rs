//! Whether the weights are those that a configuration asks for.

use std::path::PathBuf;

use super::{WeightError, Weights};
use crate::{
    base::config::ModelConfig,
    families::{Kind, Role},
};

impl Weights {
    /// The name of the language-model head, `[vocabulary_size, hidden_size]`: the embedding, where both are one.
    ///
    /// # Errors
    /// When there is none, or it has another shape.
    pub fn language_head(&self, config: &ModelConfig) -> Result<String, WeightError> {
        let role = if config.tied_embeddings { Role::Embedding } else { Role::LanguageHead };
        let name = config.family.outer_name(role);
        let (tensor, shape) = (self.tensor(&name)?, vec![config.vocabulary_size, config.hidden_size]);
        if tensor.shape == shape { Ok(name) } else { Err(self.shape(tensor, shape)) }
    }

    /// The name of the language-model head's bias, `[vocabulary_size]`, where it has one.
    ///
    /// # Errors
    /// When it should have one and there is none, or it has another shape.
    pub fn language_head_bias(&self, config: &ModelConfig) -> Result<Option<String>, WeightError> {
        if !config.has_outer(Role::LanguageHead, Kind::Bias) {
            return Ok(None);
        }
        let name = config.family.outer_tensor_name(Role::LanguageHead, Kind::Bias);
        let (tensor, shape) = (self.tensor(&name)?, vec![config.vocabulary_size]);
        if tensor.shape == shape { Ok(Some(name)) } else { Err(self.shape(tensor, shape)) }
    }

    /// The first tensor of the decoder with a value that is infinite or not a number, and its file. All values are read.
    pub fn not_finite(&self, config: &ModelConfig) -> Option<(PathBuf, String)> {
        let bad = |name: &String| {
            self.values(name).is_ok_and(|values| values.iter().any(|value| !value.is_finite()))
        };
        let name = config.expected_tensors().into_iter().map(|(name, _)| name).find(bad)?;
        let path = self.tensor(&name).map(|tensor| self.path_of(tensor)).unwrap_or_default();
        Some((path, name))
    }

    /// Checks that the decoder is all there, in the right shapes, and that no part of a layer would be left out.
    ///
    /// # Errors
    /// For the first tensor that is missing, of another shape, or without a place.
    pub fn check(&self, config: &ModelConfig) -> Result<(), WeightError> {
        // Every layer has tensors of its own; names are made only where there can be such.
        let tensors = self.tensors.len() + self.unread.len();
        if config.layers > tensors {
            let path = self.first_path();
            return Err(WeightError::TooFewTensors { path, tensors, layers: config.layers });
        }
        let expected = config.expected_tensors();
        for (name, shape) in &expected {
            let tensor = self.tensor(name)?;
            if tensor.shape != *shape {
                return Err(self.shape(tensor, shape.clone()));
            }
        }
        // Old checkpoints keep buffers that the configuration says already, the rotary frequencies among them.
        let buffers = config.family.buffers.iter().chain(&[".rotary_emb.inv_freq"]);
        let ignored = |name: &str| buffers.clone().any(|ending| name.ends_with(ending));
        let names: std::collections::HashSet<_> = expected.iter().map(|(name, _)| name.as_str()).collect();
        let (prefix, _) = config.family.embedding_name();
        for tensor in self.tensors().filter(|tensor| tensor.name.starts_with(&prefix)) {
            if !names.contains(tensor.name.as_str()) && !ignored(&tensor.name) {
                let (path, tensor) = (self.path_of(tensor), tensor.name.clone());
                return Err(WeightError::Surplus {
                    path,
                    tensor,
                    family: config.family.title,
                    layers: config.layers,
                });
            }
        }
        Ok(())
    }
}
