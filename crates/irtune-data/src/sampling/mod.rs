//! What is drawn from pairs: a hold-out, folds, smaller training sets, worked examples, and the order of an epoch.

pub(crate) mod draw_shots;
pub(crate) mod epoch;
pub(crate) mod folds;
mod groups;
pub(crate) mod hold_out;
mod random;
pub(crate) mod subset;
