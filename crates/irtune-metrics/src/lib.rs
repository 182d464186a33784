//! How well labels are predicted: accuracy, precision, recall, F1, average precision, confusions, intervals; and how far
//! the people agree who gave the labels ([`Annotations`]).
//!
//! Every figure counts over the whole label set, also labels that a data set never shows: a ratio whose
//! denominator is zero is 0, and macro figures are plain means over all labels. The area under the
//! precision-recall curve is the *average precision*, as in the published code; it ranks by probability, where
//! that code ranks by unnormalised logits.
//!
//! # Source
//! `accuracy_score`, `precision_recall_fscore_support(labels=all, zero_division=0)`, `confusion_matrix` and
//! `average_precision_score` (one-hot labels) of scikit-learn 1.9, which the figures equal to 1e-9; `utilities.py`
//! of ZhexiongLiu/IR-Tuning, commit 0a44982.
#![forbid(unsafe_code)]

mod agreement;
mod average_precision;
mod bootstrap;
mod confusion;
mod error;
mod figures;
mod holm;
mod mcnemar;
mod predictions;
mod report;
mod resampled;
mod sign_flip;
mod spread;
mod table;

pub use agreement::{Annotations, Ceiling};
pub use average_precision::Rankings;
pub use bootstrap::{Bootstrap, Interval, Intervals, percentile};
pub use confusion::Confusion;
pub use error::MetricsError;
pub use figures::{ClassFigures, Figures};
pub use holm::holm;
pub use mcnemar::McNemar;
pub use predictions::Predictions;
pub use report::{ClassMetrics, Metrics};
pub use resampled::{Difference, Resampled};
pub use sign_flip::SignFlip;
pub use spread::Spread;
