//! Which pairs a run takes from its training pairs.

use super::{Fold, TrainSettings};
use serde::{Deserialize, Serialize};

/// Which pairs are taken from the training pairs, and for what: the test fold, then the hold-out, then the subset.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The part that is the test set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// Share to validate on when there are no validation pairs; 0 for nothing.
    pub validation_fraction: f64,
    /// How many to train on; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_size: Option<usize>,
    /// Of every draw.
    pub seed: u64,
}

impl TrainSettings {
    /// Which pairs a run with these settings takes.
    pub fn draw(&self) -> Draw {
        let &TrainSettings { fold, validation_fraction, train_size, seed, .. } = self;
        Draw { fold, validation_fraction, train_size, seed }
    }
}
