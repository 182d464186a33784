//! What tensors a decoder of a given configuration consists of.

use super::{WeightError, Weights};
use crate::{adapters::projection::Projection, config::ModelConfig};

impl ModelConfig {
    /// Every tensor of the decoder with its shape.
    pub fn expected_tensors(&self) -> Vec<(String, Vec<usize>)> {
        let mut expected = vec![
            ("model.embed_tokens.weight".to_owned(), vec![self.vocabulary_size, self.hidden_size]),
            ("model.norm.weight".to_owned(), vec![self.hidden_size]),
        ];
        for layer in 0..self.layers {
            for norm in ["input_layernorm", "post_attention_layernorm"] {
                expected.push((format!("model.layers.{layer}.{norm}.weight"), vec![self.hidden_size]));
            }
            for projection in Projection::ALL {
                let (outputs, inputs) = self.projection_shape(projection);
                expected.push((projection.weight_name(layer), vec![outputs, inputs]));
            }
        }
        expected
    }
}

impl Weights {
    /// The name of the language-model head, `[vocabulary_size, hidden_size]`: the embedding, where both are one.
    ///
    /// # Errors
    /// When there is none, or it has another shape.
    pub fn language_head(&self, config: &ModelConfig) -> Result<&'static str, WeightError> {
        let name = if config.tied_embeddings { "model.embed_tokens.weight" } else { "lm_head.weight" };
        let (tensor, shape) = (self.tensor(name)?, vec![config.vocabulary_size, config.hidden_size]);
        if tensor.shape == shape { Ok(name) } else { Err(self.shape(tensor, shape)) }
    }

    /// Checks that the decoder is all there, in the right shapes, and that no part of a layer would be left out.
    ///
    /// # Errors
    /// For the first tensor that is missing, of another shape, or without a place.
    pub fn check(&self, config: &ModelConfig) -> Result<(), WeightError> {
        let expected = config.expected_tensors();
        for (name, shape) in &expected {
            let tensor = self.tensor(name)?;
            if tensor.shape != *shape {
                return Err(self.shape(tensor, shape.clone()));
            }
        }
        // Old checkpoints keep the rotary frequencies as a buffer, which the configuration says already.
        let ignored = |name: &str| name.ends_with(".rotary_emb.inv_freq");
        let names: std::collections::HashSet<_> = expected.iter().map(|(name, _)| name.as_str()).collect();
        for tensor in self.tensors().filter(|tensor| tensor.name.starts_with("model.")) {
            if !names.contains(tensor.name.as_str()) && !ignored(&tensor.name) {
                let (path, tensor) = (self.path_of(tensor), tensor.name.clone());
                return Err(WeightError::Surplus { path, tensor, layers: config.layers });
            }
        }
        Ok(())
    }
}
