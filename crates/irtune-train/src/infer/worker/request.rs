//! What is sent to a worker.

use super::WorkerError;
use crate::infer::classifier::Question;
use crate::infer::prediction::Answer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

/// What is sent to a worker.
pub(super) enum Message {
    Ask(Request),
    /// What was sent before is the last.
    End,
}

/// Encoded pairs of one caller, and where their answers go.
pub(super) struct Request {
    pub(super) questions: Vec<Question>,
    pub(super) reply: Sender<Result<Vec<Answer>, WorkerError>>,
    pub(super) cancelled: Arc<AtomicBool>,
}

impl Request {
    /// Its tokens.
    pub(super) fn tokens(&self) -> usize {
        self.questions.iter().map(|question| question.example.tokens.len()).sum()
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Tells its caller; one that is gone needs no answer.
    pub(super) fn tell(self, answers: Result<Vec<Answer>, WorkerError>) {
        let _ = self.reply.send(answers);
    }
}
