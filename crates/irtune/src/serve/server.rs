//! The model that answers now: another one may take its place while requests are at hand.

use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::FromRef;
use irtune_model::ProblemType;
use irtune_train::{Predictor, Worker, WorkerOptions};

use super::state::State;

/// The model that answers now.
#[derive(Clone)]
pub(super) struct Server {
    current: Arc<RwLock<Current>>,
}

/// A model at work.
#[derive(Clone)]
pub(super) struct Current {
    /// What a request is answered with.
    pub state: Arc<State>,
    /// What tells the model from others.
    pub key: Arc<str>,
    /// Whether it gives a revision any number of labels.
    pub several: bool,
}

impl Server {
    pub fn new(state: State, key: &str, several: bool) -> Server {
        let current = Current { state: Arc::new(state), key: key.into(), several };
        Server { current: Arc::new(RwLock::new(current)) }
    }

    /// The model as it is now; whoever holds it goes on with it when another takes its place.
    pub fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another model in its place. Requests at hand are answered by the one that they began with.
    pub fn swap(&self, predictor: Predictor, name: String, key: &str) {
        let several = predictor.problem() == ProblemType::MultiLabel;
        let before = self.current();
        let labels = predictor.labels().names().to_vec();
        let queue = before.state.options.queue;
        let worker = Worker::start(predictor, WorkerOptions { queue, ..WorkerOptions::default() });
        let state = Arc::new(before.state.beside(worker, labels, name));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) =
            Current { state, key: key.into(), several };
    }
}

impl FromRef<Server> for Arc<State> {
    fn from_ref(server: &Server) -> Arc<State> {
        server.current().state
    }
}
