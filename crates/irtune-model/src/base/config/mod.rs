//! What a decoder is made of: sizes and constants, as `config.json` or a GGUF's metadata give them.

pub(crate) mod classifier;
mod error;
mod from_gguf;
mod from_json;
mod rope;
mod tensors;

use serde::{Deserialize, Serialize};

pub use error::ConfigError;
pub use tensors::LayerTensor;

use crate::families::{Family, LayerSpec, NormPlacement, Projection, RopeScaling, Variant};

/// More than any model has, and few enough to keep something for each before the weights are seen.
const MOST_LAYERS: usize = 1 << 16;

/// Sizes and constants of a decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// What its files are called and what its layers consist of.
    pub family: &'static Family,
    /// Rows of the embedding.
    pub vocabulary_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the MLP.
    pub intermediate_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Heads of the queries.
    pub heads: usize,
    /// Heads of keys and values; a divisor of `heads`.
    pub key_value_heads: usize,
    /// Width of one head; even.
    pub head_size: usize,
    /// Added to what a norm takes the root of: the mean square, or the variance.
    pub norm_epsilon: f32,
    /// Longest sequence the model was made for.
    pub max_positions: usize,
    /// Standard deviation that new heads are drawn with. A GGUF doesn't hold it: 0.02 there, transformers' default.
    pub initializer_range: f32,
    /// The language-model head is the embedding.
    pub tied_embeddings: bool,
    /// Begins a text.
    pub begin_token: Option<u32>,
    /// Ends a text; the first, if a file names several.
    pub end_token: Option<u32>,
    /// Fills up batches elsewhere; at the end of a text no classifier reads it. A folder may name it for its tokenizer alone.
    pub pad_token: Option<u32>,
    /// What else the configuration says: biases, positions, windows, scales.
    pub variant: Variant,
}

impl ModelConfig {
    /// Width of all query heads.
    pub fn query_size(&self) -> usize {
        self.heads * self.head_size
    }

    /// Width of all key heads, or of all value heads.
    pub fn key_value_size(&self) -> usize {
        self.key_value_heads * self.head_size
    }

    /// The padding token that is written for transformers: the base's own, else its end token, else its begin token.
    pub fn padding_token(&self) -> Option<u32> {
        self.pad_token.or(self.end_token).or(self.begin_token)
    }

    /// What a layer consists of.
    pub fn layer(&self, index: usize) -> LayerSpec {
        (self.family.layer)(&self.variant, index)
    }

    /// Whether every layer adds its branches' outputs to the residual stream as they are.
    pub(crate) fn adds_plainly(&self) -> bool {
        let plain = |spec: LayerSpec| spec.norms == NormPlacement::Before && spec.residual_scale == 1.0;
        (0..self.layers).all(|layer| plain(self.layer(layer)))
    }

    /// A projection's outputs and inputs: the shape of its weight, `[outputs, inputs]`.
    pub fn projection_shape(&self, projection: Projection) -> (usize, usize) {
        match projection {
            Projection::QProj => (self.query_size(), self.hidden_size),
            Projection::KProj | Projection::VProj => (self.key_value_size(), self.hidden_size),
            Projection::OProj => (self.hidden_size, self.query_size()),
            Projection::GateProj | Projection::UpProj => (self.intermediate_size, self.hidden_size),
            Projection::DownProj => (self.hidden_size, self.intermediate_size),
            Projection::QkvProj => (self.query_size() + 2 * self.key_value_size(), self.hidden_size),
            Projection::GateUpProj => (2 * self.intermediate_size, self.hidden_size),
        }
    }

    /// The projections of any layer, each once.
    pub fn projections(&self) -> impl Iterator<Item = Projection> {
        let has = |projection| (0..self.layers).any(|layer| self.layer(layer).has_projection(projection));
        Projection::ALL.into_iter().filter(move |&projection| has(projection))
    }

    /// Positions beyond which the decoder can't read: where they are learned, or where other frequencies would begin.
    pub fn most_positions(&self) -> Option<usize> {
        if self.layer(0).learned_positions {
            return Some(self.max_positions);
        }
        match &self.variant.rotary.scaling {
            RopeScaling::Long { short, long, original_positions, .. } => {
                (short != long).then_some(*original_positions)
            }
            _ => None,
        }
    }

    /// Says whether a text of so many tokens can be read.
    ///
    /// # Errors
    /// [`ConfigError::TooLong`]
    pub fn check_length(&self, tokens: usize) -> Result<(), ConfigError> {
        match self.most_positions() {
            Some(most) if tokens > most => Err(ConfigError::TooLong { tokens, most }),
            _ => Ok(()),
        }
    }

    /// What every source of a configuration must satisfy.
    fn checked(self, path: &std::path::Path) -> Result<Self, ConfigError> {
        let path = || path.to_owned();
        if !self.heads.is_multiple_of(self.key_value_heads) {
            let Self { heads, key_value_heads, .. } = self;
            return Err(ConfigError::HeadsNotDivisible { path: path(), heads, key_value_heads });
        }
        if !self.head_size.is_multiple_of(2) {
            return Err(ConfigError::OddHeadSize { path: path(), head_size: self.head_size });
        }
        for (field, token) in
            [("begin", self.begin_token), ("end", self.end_token), ("padding", self.pad_token)]
        {
            if let Some(token) = token.filter(|&token| token as usize >= self.vocabulary_size) {
                let vocabulary_size = self.vocabulary_size;
                return Err(ConfigError::TokenOutOfRange { path: path(), field, token, vocabulary_size });
            }
        }
        let Variant { rotary, local_rotary, .. } = &self.variant;
        [Some(rotary), local_rotary.as_ref()]
            .into_iter()
            .flatten()
            .try_for_each(|one| rope::check(one, &path))?;
        Ok(self)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::families::{RopeScaling, Rotary};

    /// A decoder small enough to write to disk in a test.
    pub(crate) fn tiny() -> ModelConfig {
        ModelConfig {
            family: crate::families::FAMILIES[0],
            vocabulary_size: 40,
            hidden_size: 64,
            intermediate_size: 96,
            layers: 2,
            heads: 4,
            key_value_heads: 2,
            head_size: 16,
            norm_epsilon: 1e-5,
            max_positions: 128,
            initializer_range: 0.02,
            tied_embeddings: true,
            begin_token: Some(1),
            end_token: Some(2),
            pad_token: None,
            variant: Variant::plain(plain_rotary(), 2, 16),
        }
    }

    /// The rotary positions of [`tiny`].
    pub(crate) fn plain_rotary() -> Rotary {
        Rotary { size: 16, theta: 10_000.0, scaling: RopeScaling::None, query_growth: None }
    }

    #[test]
    fn projections_have_the_shapes_of_their_weights() {
        let config = ModelConfig { head_size: 8, ..tiny() };
        let shapes: Vec<_> = config.projections().map(|one| config.projection_shape(one)).collect();
        assert_eq!(shapes, [(32, 64), (16, 64), (16, 64), (64, 32), (96, 64), (96, 64), (64, 96)]);
        assert_eq!(config.projection_shape(Projection::QkvProj), (64, 64));
        assert_eq!(config.projection_shape(Projection::GateUpProj), (192, 64));
    }
}
