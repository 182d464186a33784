//! The worker's thread: gathers requests into batches and answers them.

use super::request::{Message, Request};
use super::{WorkerError, WorkerOptions};
use crate::infer::classifier::Question;
use crate::infer::error::PredictorError;
use crate::infer::prediction::Answer;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Instant;

/// What answers encoded pairs.
pub(super) trait Model: Send {
    /// An answer to each question, in their order.
    ///
    /// # Errors
    /// When all of it fails; an item is an error where one question has no answer.
    fn answers(
        &mut self,
        questions: &[&Question],
    ) -> Result<Vec<Result<Answer, PredictorError>>, PredictorError>;
}

/// Serves until it is told to end or nobody can ask any more.
pub(super) fn serve(
    mut model: impl Model,
    messages: &Receiver<Message>,
    options: WorkerOptions,
    stopping: &AtomicBool,
) {
    while let Ok(Message::Ask(first)) = messages.recv() {
        let (mut batch, more) = gather(first, messages, options);
        if stopping.load(Ordering::Relaxed) {
            batch.drain(..).for_each(|request| request.tell(Err(WorkerError::Stopped)));
        }
        batch.retain(|request| !request.is_cancelled());
        answer(&mut model, batch);
        if !more {
            return;
        }
    }
}

/// The requests that come within the first one's patience, until the batch is full; and whether more may come.
fn gather(first: Request, messages: &Receiver<Message>, options: WorkerOptions) -> (Vec<Request>, bool) {
    let until = Instant::now() + options.patience;
    let (mut pairs, mut tokens) = (first.questions.len(), first.tokens());
    let mut batch = vec![first];
    while pairs < options.pairs && tokens < options.tokens {
        match messages.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Message::Ask(request)) => {
                pairs += request.questions.len();
                tokens += request.tokens();
                batch.push(request);
            }
            Ok(Message::End) => return (batch, false),
            // Nobody came in time; that nobody can come any more is found by the next batch.
            Err(_) => break,
        }
    }
    (batch, true)
}

/// Answers a batch at once, or request by request when that fails, so that only the one at fault is told so.
fn answer(model: &mut impl Model, batch: Vec<Request>) {
    let together: Vec<&Question> = batch.iter().flat_map(|request| &request.questions).collect();
    if together.is_empty() {
        return;
    }
    match ask(model, &together) {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            for request in batch {
                let own: Vec<_> = answers.by_ref().take(request.questions.len()).collect();
                let own: Result<Vec<Answer>, PredictorError> = own.into_iter().collect();
                request.tell(own.map_err(WorkerError::from));
            }
        }
        Err(error) => match <[Request; 1]>::try_from(batch) {
            Ok([request]) => request.tell(Err(error)),
            Err(batch) => batch.into_iter().for_each(|request| answer(model, vec![request])),
        },
    }
}

/// Asks the model, and turns a panic into an error.
fn ask(
    model: &mut impl Model,
    questions: &[&Question],
) -> Result<Vec<Result<Answer, PredictorError>>, WorkerError> {
    // A pass only reads parameters, and writes all activations anew: what a panic leaves half done is not read.
    let asked = catch_unwind(AssertUnwindSafe(|| model.answers(questions)));
    match asked {
        Ok(answers) => Ok(answers?),
        Err(panic) => Err(WorkerError::Panicked { message: message(panic.as_ref()) }),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
