//! What every request shares.

use std::sync::Arc;

use irtune_data::Row;
use irtune_train::{Answer, Caller, Prediction, Worker};
use tokio::time::timeout;

use super::failure::ApiFailure;
use super::metrics::Counts;
use super::options::ServeOptions;

/// Pairs that are asked for at once: other requests get their turn between the parts of a long one.
const PART: usize = 64;

/// What every request shares.
pub(super) struct State {
    caller: Caller,
    /// The model's thread, which ends with the last request that holds this.
    _worker: Option<Worker>,
    /// The labels, in their order.
    pub labels: Vec<String>,
    /// What the model is called.
    pub name: String,
    pub options: ServeOptions,
    pub counts: Arc<Counts>,
}

impl State {
    pub fn new(caller: Caller, labels: Vec<String>, name: String, options: ServeOptions) -> Self {
        State { caller, _worker: None, labels, name, options, counts: Arc::default() }
    }

    /// The same with another model; what is counted goes on.
    pub fn beside(&self, worker: Worker, labels: Vec<String>, name: String) -> Self {
        let (options, counts) = (self.options.clone(), self.counts.clone());
        State { caller: worker.caller(), _worker: Some(worker), labels, name, options, counts }
    }

    /// Asks the model.
    ///
    /// # Errors
    /// When there are too many rows, one can't be used, too many requests wait, or it takes too long.
    pub async fn classify(self: &Arc<Self>, rows: Vec<Row>) -> Result<Vec<Prediction>, ApiFailure> {
        Ok(self.answers(rows).await?.into_iter().map(|answer| answer.prediction).collect())
    }

    /// Asks the model, and tells what it read too.
    ///
    /// # Errors
    /// As [`classify`](Self::classify).
    pub async fn answers(self: &Arc<Self>, rows: Vec<Row>) -> Result<Vec<Answer>, ApiFailure> {
        let most = self.options.pairs;
        if rows.len() > most {
            return Err(ApiFailure::TooMany { pairs: rows.len(), most });
        }
        let total = rows.len();
        let mut rows = rows.into_iter();
        let asked = async {
            let mut all = Vec::with_capacity(total);
            loop {
                let part: Vec<Row> = rows.by_ref().take(PART).collect();
                if part.is_empty() {
                    return Ok::<_, ApiFailure>(all);
                }
                let caller = self.caller.clone();
                // Texts become tokens there, and the wait blocks.
                let answered = tokio::task::spawn_blocking(move || caller.try_ask(part)?.wait()).await;
                all.extend(answered.map_err(|_| ApiFailure::Broken)??);
            }
        };
        let answers = timeout(self.options.timeout, asked).await.map_err(|_| ApiFailure::Slow)??;
        self.counts.pairs.inc_by(answers.len() as u64);
        Ok(answers)
    }
}
