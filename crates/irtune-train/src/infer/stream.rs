//! Predictions in the order of their pairs, made as they are asked for.

use super::classifier::{Classifier, Question};
use super::error::PredictorError;
use super::pair_encoder::PairEncoder;
use super::prediction::Answer;
use irtune_data::{DataError, Pair};
use std::collections::VecDeque;

/// Predictions in the order of their pairs, made as they are asked for.
pub struct PredictionStream<'a, I> {
    classifier: &'a mut Classifier,
    encoder: &'a PairEncoder,
    /// Pairs that are read at a time.
    read: usize,
    pairs: I,
    ready: VecDeque<Answer>,
    error: Option<PredictorError>,
    ended: bool,
}

impl<'a, I: Iterator<Item = Result<Pair, DataError>>> PredictionStream<'a, I> {
    pub(super) fn new(
        classifier: &'a mut Classifier,
        encoder: &'a PairEncoder,
        read: usize,
        pairs: I,
    ) -> Self {
        Self { classifier, encoder, read, pairs, ready: VecDeque::new(), error: None, ended: false }
    }

    /// Reads on and predicts; a pair that can't be read ends it, and is told of after the predictions before it.
    fn fill(&mut self) -> Result<(), PredictorError> {
        let mut questions = Vec::with_capacity(self.read);
        while questions.len() < self.read {
            let encoded = match self.pairs.next() {
                Some(pair) => {
                    pair.and_then(|pair| Ok(Question::new(self.encoder.encode(&pair, None)?, pair)))
                }
                None => {
                    self.ended = true;
                    break;
                }
            };
            match encoded {
                Ok(question) => questions.push(question),
                Err(error) => {
                    self.error = Some(error.into());
                    break;
                }
            }
        }
        if questions.is_empty() {
            return Ok(());
        }
        let questions: Vec<&Question> = questions.iter().collect();
        for answer in self.classifier.answers(&questions)? {
            self.ready.push_back(answer?);
        }
        Ok(())
    }
}

impl<I: Iterator<Item = Result<Pair, DataError>>> Iterator for PredictionStream<'_, I> {
    type Item = Result<Answer, PredictorError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() && self.error.is_none() && !self.ended {
            self.error = self.fill().err().or(self.error.take());
        }
        if let Some(answer) = self.ready.pop_front() {
            return Some(Ok(answer));
        }
        let error = self.error.take()?;
        self.ended = true;
        Some(Err(error))
    }
}
