//! How well labels are predicted: accuracy, precision, recall, F1, average precision, confusions, intervals. How far
//! probabilities can be trusted, and how outputs become probabilities that can be: [`Calibration`]. How far the people
//! agree who gave the labels: [`Annotations`].
//!
//! Every figure counts over the whole label set, also labels that a data set never shows: a ratio whose
//! denominator is zero is 0, and macro figures are plain means over all labels. The area under the
//! precision-recall curve is the *average precision*, as in the published code; it ranks by probability, where
//! that code ranks by unnormalised logits.
//!
//! # Source
//! `accuracy_score`, `precision_recall_fscore_support(labels=all, zero_division=0)`, `confusion_matrix` and
//! `average_precision_score` (one-hot labels) of scikit-learn 1.9, which the figures equal to 1e-9, those of examples with
//! several labels too ([`MultiLabelPredictions`]); `utilities.py`
//! of ZhexiongLiu/IR-Tuning, commit 0a44982.
#![forbid(unsafe_code)]

mod agreement;
mod average_precision;
mod bootstrap;
mod calibration;
mod calibration_error;
mod confusion;
mod error;
mod figures;
mod holm;
mod label_issues;
mod levels;
mod logits;
mod mcnemar;
mod multi_label;
mod multi_label_report;
mod predictions;
mod probability_figures;
mod random;
mod report;
mod resampled;
mod risk_coverage;
mod sign_flip;
mod softmax;
mod spread;
mod table;

pub use agreement::{Annotations, Ceiling};
pub use average_precision::Rankings;
pub use bootstrap::{Bootstrap, Interval, Intervals, percentile};
pub use calibration::{Calibration, OffsetTarget, OffsetWorth, Thresholds, certainty_scale, temperature};
pub use calibration_error::{CALIBRATION_BINS, ReliabilityBin, ReliabilityBins};
pub use confusion::Confusion;
pub use error::MetricsError;
pub use figures::{ClassFigures, Figures};
pub use holm::holm;
pub use label_issues::{ConfidentLearning, LabelIssue};
pub use levels::LevelMetrics;
pub use logits::Logits;
pub use mcnemar::McNemar;
pub use multi_label::figures::MultiLabelFigures;
pub use multi_label::predictions::MultiLabelPredictions;
pub use multi_label::sigmoid::{mean_binary_loss, sigmoid};
pub use multi_label::tally::LabelTally;
pub use predictions::Predictions;
pub use probability_figures::{AtRisk, ProbabilityFigures};
pub use report::{ClassMetrics, Metrics};
pub use resampled::{Difference, Resampled};
pub use risk_coverage::{RiskCoverage, RiskCoveragePoint};
pub use sign_flip::SignFlip;
pub use softmax::{log_softmax, mean_loss, softmax};
pub use spread::Spread;
