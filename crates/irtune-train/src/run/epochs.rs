//! In which order a run visits its examples.

use crate::error::TrainError;
use crate::settings::{Batches, TrainSettings};
use irtune_data::{EpochOrder, Example, related};

/// The batches of every epoch.
///
/// # Errors
/// When there are no examples.
pub(crate) fn order(settings: &TrainSettings, train: &[Example]) -> Result<EpochOrder, TrainError> {
    let mut order = EpochOrder::new(train.len(), settings.step_examples(), settings.seed)?;
    if let Some(tokens) = settings.step_tokens() {
        order = order.with_tokens(train.iter().map(|example| example.tokens.len()).collect(), tokens);
    }
    Ok(match settings.batches {
        Batches::Shuffled => order,
        Batches::Related => order.with_groups(related(train)),
    })
}
