//! What a classifier reads of a pair.

use crate::base_tokens::BaseTokens;
use irtune_data::{DataError, Encoder, Example, LabelSet, Pair};
use irtune_linear::LinearModel;

/// Makes of a pair what a classifier reads: its tokens, what a linear model says of it, or both.
pub(crate) struct PairEncoder {
    /// Of a decoder.
    pub(crate) encoder: Option<Encoder<BaseTokens>>,
    /// A linear model, alone or beside the decoder.
    pub(crate) linear: Option<LinearModel>,
}

/// A pair as a classifier reads it.
pub(crate) struct EncodedPair {
    /// Its tokens; none for a linear model alone.
    pub(crate) example: Example,
    /// The linear model's log-probabilities of the labels; none without one.
    pub(crate) linear: Vec<f64>,
}

impl PairEncoder {
    /// Encodes a pair; its label, if it has one, has to be one of `labels`, if these are given.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub(crate) fn encode(&self, pair: &Pair, labels: Option<&LabelSet>) -> Result<EncodedPair, DataError> {
        let example = match &self.encoder {
            Some(encoder) => encoder.encode(pair, labels)?,
            None => Example {
                target: labels.map(|labels| labels.target(pair)).transpose()?.flatten(),
                kind: pair.kind(),
                ..Example::default()
            },
        };
        let linear = self.linear.as_ref().map(|model| model.log_probabilities(std::slice::from_ref(pair)));
        Ok(EncodedPair { example, linear: linear.unwrap_or_default() })
    }
}
