//! What the model says of what is in the store.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use irtune_data::Row;
use irtune_labelling::store::DocumentId;

use super::context::Labelling;
use crate::serve::failure::ApiFailure;

/// Revisions that are classified at once while nobody waits for them.
const PART: usize = 64;

/// How long a full queue is left alone.
const WAIT: Duration = Duration::from_millis(200);

/// Asks the model about revisions that it said nothing of yet: all, or those of a document; at most so many. Says how many
/// there were.
///
/// # Errors
/// What the store or the model says.
pub(super) async fn ask(
    labelling: &Labelling,
    document: Option<DocumentId>,
    most: usize,
) -> Result<usize, ApiFailure> {
    let current = labelling.server.current();
    let key = current.key.clone();
    let asked = labelling.stored(move |store| store.unanswered(&key, document, most)).await?;
    let count = asked.len();
    if count == 0 {
        return Ok(0);
    }
    let (ids, rows): (Vec<_>, Vec<_>) =
        asked.into_iter().map(|(id, original, revised)| (id, Row::new(original, revised))).unzip();
    let predictions = current.state.classify(rows).await?;
    let text = |prediction| serde_json::to_string(&prediction).expect("texts and finite numbers are JSON");
    let answers: Vec<_> = ids.into_iter().zip(predictions.into_iter().map(text)).collect();
    let key: Arc<str> = current.key.clone();
    labelling.stored(move |store| store.keep_answers(&key, &answers)).await?;
    Ok(count)
}

/// Goes on to ask while there is something to ask, in the background.
pub(super) fn ask_for_missing(labelling: &Labelling) {
    let labelling = labelling.clone();
    // Without a runtime, as where paths are only listed, nobody waits for answers.
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        if labelling.project.predicting.swap(true, Ordering::SeqCst) {
            return;
        }
        loop {
            match ask(&labelling, None, PART).await {
                Ok(0) => break,
                Ok(_) => {}
                // Others are served first.
                Err(ApiFailure::Worker(irtune_train::WorkerError::Busy { .. })) => {
                    tokio::time::sleep(WAIT).await
                }
                Err(_) => break,
            }
        }
        labelling.project.predicting.store(false, Ordering::SeqCst);
    });
}
