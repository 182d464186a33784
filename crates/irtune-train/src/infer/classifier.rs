//! What answers encoded pairs: an engine, a linear model, or both together.

use super::combine::combined;
use super::decision::Decision;
use super::error::PredictorError;
use super::evaluate::{self, BatchLimit};
use super::pair_encoder::EncodedPair;
use super::prediction::{Answer, Prediction, Probabilities};
use crate::batch::Input;
use irtune_data::{Example, Id, LabelSet, Pair, Place};
use irtune_linear::Stack;
use irtune_model::{ChangedTokens, Engine, ModelError};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A model with its labels, how many pairs go through it together, and how its outputs become answers.
pub(crate) struct Classifier {
    model: Model,
    labels: LabelSet,
    names: Arc<[String]>,
    pub(crate) limit: BatchLimit,
    pub(crate) decision: Decision,
    pub(crate) abstain_below: Option<f64>,
}

/// What answers.
pub(crate) enum Model {
    /// A decoder; with a stack combined with the linear model.
    Decoder(Box<dyn Engine>, Option<Stack>),
    /// The linear model, which has said all when a pair is encoded.
    Linear,
}

/// A pair as it waits for its answer: what is read of it, and what the answer says of it.
pub(crate) struct Question {
    pub(crate) example: Example,
    /// The linear model's log-probabilities of the labels; none without one.
    pub(crate) linear: Vec<f64>,
    pub(crate) id: Option<Id>,
    pub(crate) place: Place,
}

impl Question {
    pub(crate) fn new(encoded: EncodedPair, pair: Pair) -> Question {
        let EncodedPair { example, linear } = encoded;
        Question { example, linear, id: pair.id, place: pair.place }
    }
}

impl Input for Question {
    fn change(&self) -> Option<ChangedTokens<'_>> {
        Input::change(&self.example)
    }
}

impl AsRef<[u32]> for Question {
    fn as_ref(&self) -> &[u32] {
        &self.example.tokens
    }
}

impl Classifier {
    pub(crate) fn new(
        model: Model,
        labels: LabelSet,
        limit: BatchLimit,
        decision: Decision,
        abstain_below: Option<f64>,
    ) -> Classifier {
        let names = labels.names().into();
        Classifier { model, labels, names, limit, decision, abstain_below }
    }

    pub(crate) fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// Logits, `[questions, labels]`; examples that begin alike share a batch.
    pub(crate) fn logits(&mut self, questions: &[&Question]) -> Result<Vec<f32>, ModelError> {
        let linear = || questions.iter().flat_map(|question| &question.linear).copied();
        let Model::Decoder(engine, stack) = &mut self.model else {
            return Ok(linear().map(|log| log as f32).collect());
        };
        let never = AtomicBool::new(false);
        let logits = evaluate::logits(engine.as_mut(), questions, self.limit, &never)?;
        let logits = logits.expect("nobody interrupts");
        Ok(match stack {
            Some(stack) => combined(stack, &logits, &linear().collect::<Vec<_>>(), self.labels.len()),
            None => logits,
        })
    }

    /// An answer to each question, in their order; an error where the model gives none.
    pub(crate) fn answers(
        &mut self,
        questions: &[&Question],
    ) -> Result<Vec<Result<Answer, PredictorError>>, PredictorError> {
        let logits = self.logits(questions)?;
        let rows = questions.iter().zip(logits.chunks_exact(self.labels.len()));
        Ok(rows.map(|(question, row)| self.answer(question, row)).collect())
    }

    fn answer(&self, question: &Question, logits: &[f32]) -> Result<Answer, PredictorError> {
        let Question { example, id, place, .. } = question;
        let (id, place) = (id.clone(), place.clone());
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(PredictorError::NotFinite { place });
        }
        let probabilities = |values| Probabilities::new(self.names.clone(), values);
        let prediction = match &self.decision {
            Decision::One(calibration) => {
                let values = calibration.probabilities(logits);
                Prediction::new(id, probabilities(values), self.abstain_below)
            }
            Decision::Several(thresholds) => {
                let values = thresholds.probabilities(logits);
                let given = thresholds.given(&values);
                Prediction::several(id, probabilities(values), &given)
            }
        };
        Ok(Answer { prediction, place, shortened: example.shortened, tokens: example.tokens.len() })
    }
}
