//! A predictor on a thread of its own, which many callers share.
//!
//! It is for programs that embed irtune, such as a server. The command line reads one stream of pairs in order and
//! has no use for it.

mod batch;
mod request;
#[cfg(test)]
mod tests;

use super::classifier::{Classifier, Question};
use super::error::PredictorError;
use super::pair_encoder::EncodedPair;
use super::prediction::Answer;
use super::predictor::Predictor;
use batch::{Model, serve};
use irtune_data::{Columns, DataError, Labels, Pair, Pairs, Row};
use request::{Message, Request};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How a worker gathers requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Requests that may wait; a further one waits for room, or is refused. At least 1.
    pub queue: usize,
    /// Pairs from which on a batch of requests is full. A single request may have more.
    pub pairs: usize,
    /// Tokens from which on it is full.
    pub tokens: usize,
    /// How long the first request of a batch waits for others.
    pub patience: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { queue: 64, pairs: 128, tokens: 8192, patience: Duration::from_millis(2) }
    }
}

/// Why a worker gives no answers to a request.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A row of it can't be used, or the model gives no answer to it.
    #[error(transparent)]
    Predictor(#[from] PredictorError),
    /// As many requests wait as may.
    #[error("the worker is busy: {queue} requests wait already; ask again later")]
    Busy {
        /// How many may wait.
        queue: usize,
    },
    /// The worker has stopped.
    #[error("the worker has stopped; start another one")]
    Stopped,
    /// The model panicked over it.
    #[error("the model panicked over this request: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
}

impl From<DataError> for WorkerError {
    fn from(error: DataError) -> WorkerError {
        WorkerError::Predictor(error.into())
    }
}

/// A predictor on a thread of its own. Dropping it refuses what waits and ends the thread after the batch at hand.
///
/// Requests of several callers are computed together, as many as are there or come within
/// [`WorkerOptions::patience`]; each caller gets the answers to its own rows, in their order. What is wrong with one
/// request is told to its caller alone.
///
/// Which requests share a batch depends on time, and may change the last bits of a probability. In f32 two batchings
/// differ by less than 1e-5; in tests, in every precision, they differed by nothing. From 64 pairs in a batch on the
/// model is prepacked where [`Reading::Ahead`](crate::Reading) says so, which rounds its matrices once more. A request
/// that is computed alone is answered bitwise as [`Predictor::predict`] answers its pairs read at once.
///
/// ```
/// # use irtune_data::{Columns, CorpusSource};
/// # use irtune_train::{Silent, TrainRequest, TrainSettings, train};
/// use irtune_data::Row;
/// use irtune_train::{Predictor, PredictorOptions, Worker, WorkerOptions};
///
/// # let folder = tempfile::tempdir()?;
/// # let run = folder.path().join("run");
/// # let row = |number: usize| Row {
/// #     label: Some(["clarity", "style"][number % 2].into()),
/// #     ..Row::new(format!("w1 w{number}"), format!("w2 w{number}"))
/// # };
/// # let request = TrainRequest {
/// #     base: "../../golden/tiny_llama/six_layers/model".into(),
/// #     base_name: "tiny".into(),
/// #     train: CorpusSource::rows("training rows", (0..8).map(row)),
/// #     validation: None,
/// #     test: None,
/// #     columns: Columns::default(),
/// #     out: run.clone(),
/// #     settings: TrainSettings { max_steps: Some(1), prompt: "pair".into(), max_length: 60, ..Default::default() },
/// # };
/// # train(&request, &mut Silent, &Default::default())?;
/// let worker = Worker::start(Predictor::open(&run, &PredictorOptions::default())?, WorkerOptions::default());
/// let caller = worker.caller();
/// let served = std::thread::spawn(move || caller.classify(vec![Row::new("A car.", "The car.")]));
/// for answer in served.join().expect("no panic")? {
///     println!("{}", serde_json::to_string(&answer.prediction)?);
/// }
/// worker.finish();
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Worker {
    caller: Caller,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

type EncodePair = dyn Fn(&Pair) -> Result<EncodedPair, DataError> + Send + Sync;

/// Asks a worker; each thread may have its own.
#[derive(Clone)]
pub struct Caller {
    encode: Arc<EncodePair>,
    sender: SyncSender<Message>,
    queue: usize,
}

/// Answers to come. Dropping it cancels the request, which is then not computed unless that has begun.
pub struct Pending {
    answers: Receiver<Result<Vec<Answer>, WorkerError>>,
    cancelled: Arc<AtomicBool>,
}

impl Worker {
    /// Gives a predictor a thread.
    pub fn start(predictor: Predictor, options: WorkerOptions) -> Worker {
        let Predictor { classifier, encoder, .. } = predictor;
        Worker::over(classifier, Arc::new(move |pair| encoder.encode(pair, None)), options)
    }

    fn over(model: impl Model + 'static, encode: Arc<EncodePair>, options: WorkerOptions) -> Worker {
        let queue = options.queue.max(1);
        let (sender, receiver) = mpsc::sync_channel(queue);
        let stopping = Arc::new(AtomicBool::new(false));
        let stops = stopping.clone();
        let thread = std::thread::spawn(move || serve(model, &receiver, options, &stops));
        Worker { caller: Caller { encode, sender, queue }, stopping, thread: Some(thread) }
    }

    /// What asks it.
    pub fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Computes what was asked for so far, then ends the thread; later requests are refused.
    pub fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // A thread that is gone already needs no message.
        let _ = self.caller.sender.send(Message::End);
        if let Some(thread) = self.thread.take() {
            // Panics of the model are caught and told to callers.
            let _ = thread.join();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stopping.store(true, Ordering::Relaxed);
            self.end();
        }
    }
}

impl Caller {
    /// Classifies rows: asks, and waits for the answers.
    ///
    /// # Errors
    /// As [`Caller::ask`] and [`Pending::wait`].
    pub fn classify(&self, rows: Vec<Row>) -> Result<Vec<Answer>, WorkerError> {
        self.ask(rows)?.wait()
    }

    /// Asks for answers to rows, and waits while the queue is full. Rows become tokens on the caller's thread.
    ///
    /// # Errors
    /// When there is no row, a row can't be used, or the worker has stopped.
    pub fn ask(&self, rows: Vec<Row>) -> Result<Pending, WorkerError> {
        let (request, pending) = self.request(rows)?;
        self.sender.send(Message::Ask(request)).map_err(|_| WorkerError::Stopped)?;
        Ok(pending)
    }

    /// The same, but never waits.
    ///
    /// # Errors
    /// As [`Caller::ask`], and [`WorkerError::Busy`] when the queue is full.
    pub fn try_ask(&self, rows: Vec<Row>) -> Result<Pending, WorkerError> {
        let (request, pending) = self.request(rows)?;
        match self.sender.try_send(Message::Ask(request)) {
            Ok(()) => Ok(pending),
            Err(TrySendError::Full(_)) => Err(WorkerError::Busy { queue: self.queue }),
            Err(TrySendError::Disconnected(_)) => Err(WorkerError::Stopped),
        }
    }

    fn request(&self, rows: Vec<Row>) -> Result<(Request, Pending), WorkerError> {
        let mut questions = Vec::with_capacity(rows.len());
        for pair in Pairs::from_rows("request", rows.into(), &Columns::default(), Labels::Optional) {
            let pair = pair?;
            questions.push(Question::new((self.encode)(&pair)?, pair));
        }
        let (reply, answers) = mpsc::channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let request = Request { questions, reply, cancelled: cancelled.clone() };
        Ok((request, Pending { answers, cancelled }))
    }
}

impl Pending {
    /// Waits for the answers, one a row, in their order.
    ///
    /// # Errors
    /// When the model fails or gives no finite answer, or the worker stops before.
    pub fn wait(self) -> Result<Vec<Answer>, WorkerError> {
        self.answers.recv().unwrap_or(Err(WorkerError::Stopped))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

impl Model for Classifier {
    fn answers(
        &mut self,
        questions: &[&Question],
    ) -> Result<Vec<Result<Answer, PredictorError>>, PredictorError> {
        Classifier::answers(self, questions)
    }
}
