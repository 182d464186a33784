//! What is asked of the labels of rows.

/// Whether rows need a label, and how many they can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// Training and evaluation: a row without label is an error, rows with a label to drop are dropped.
    Required,
    /// Every row gives a pair, with its label or without one.
    Optional,
    /// Prediction: label and document are not looked at, whatever their columns hold.
    Ignored,
    /// Training and evaluation where a pair can have several labels, or none: a list of labels, one label, or an empty
    /// list. Labels to drop are left out of lists, and rows with no others are dropped.
    Several,
}
