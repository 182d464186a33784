//! The ways to choose what is labelled next.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, VariantNames};

/// How the pairs that are labelled next are chosen.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Display,
    EnumString,
    EnumIter,
    VariantNames,
    Serialize,
    Deserialize,
)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Queue {
    /// In an order drawn from the seed.
    Random,
    /// Those first whose two most probable labels are nearest to each other (Scheffer et al. 2001).
    Margin,
    /// Those first whose probabilities have the largest entropy (Settles 2009, section 3.1).
    Entropy,
    /// Those first that probably have labels which few pairs have so far.
    Rare,
    /// Unsure ones that differ from each other: k-means++ over the gradients that a linear head would get for the most
    /// probable label (BADGE, Ash et al. 2020).
    #[default]
    Diverse,
}
