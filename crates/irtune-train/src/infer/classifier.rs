//! An engine that answers encoded pairs.

use super::error::PredictorError;
use super::evaluate::{self, BatchLimit};
use super::prediction::{Answer, Prediction, Probabilities};
use crate::batch::Input;
use irtune_data::{Example, LabelSet, Pair, Place};
use irtune_metrics::Calibration;
use irtune_model::{ChangedTokens, Engine, ModelError};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// An engine with its labels, how many pairs go through it together, and how its outputs become answers.
pub(crate) struct Classifier {
    engine: Box<dyn Engine>,
    labels: LabelSet,
    names: Arc<[String]>,
    pub(crate) limit: BatchLimit,
    pub(crate) calibration: Calibration,
    pub(crate) abstain_below: Option<f64>,
}

/// A pair as it waits for its answer: its example, and what the answer says of it.
pub(crate) struct Question {
    pub(crate) example: Example,
    pub(crate) id: Option<String>,
    pub(crate) place: Place,
}

impl Question {
    pub(crate) fn new(example: Example, pair: Pair) -> Question {
        Question { example, id: pair.id, place: pair.place }
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
        engine: Box<dyn Engine>,
        labels: LabelSet,
        limit: BatchLimit,
        calibration: Option<Calibration>,
        abstain_below: Option<f64>,
    ) -> Classifier {
        let names = labels.names().into();
        let calibration = calibration.unwrap_or_else(|| Calibration::none(labels.len()));
        Classifier { engine, labels, names, limit, calibration, abstain_below }
    }

    pub(crate) fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// Logits, `[examples, labels]`; examples that begin alike share a batch.
    pub(crate) fn logits(&mut self, examples: &[impl Input]) -> Result<Vec<f32>, ModelError> {
        let never = AtomicBool::new(false);
        let logits = evaluate::logits(self.engine.as_mut(), examples, self.limit, &never)?;
        Ok(logits.expect("nobody interrupts"))
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
        let Question { example, id, place } = question;
        let (id, place) = (id.clone(), place.clone());
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(PredictorError::NotFinite { place });
        }
        let probabilities = Probabilities::new(self.names.clone(), self.calibration.probabilities(logits));
        let prediction = Prediction::new(id, probabilities, self.abstain_below);
        Ok(Answer { prediction, place, shortened: example.shortened })
    }
}
