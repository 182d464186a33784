//! What an example should be told as.

/// What an example should be told as, in the order of a label set.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// One label.
    Class(u32),
    /// One label, learned as the shares of what the pair's annotators said.
    Shares {
        /// The label.
        class: u32,
        /// The share of each label, `[labels]`.
        shares: Vec<f32>,
    },
    /// Any number of labels: whether it has each, `[labels]`.
    Labels(Vec<bool>),
}

impl Target {
    /// The one label, where there is one.
    pub fn class(&self) -> Option<u32> {
        match self {
            Target::Class(class) | Target::Shares { class, .. } => Some(*class),
            Target::Labels(_) => None,
        }
    }

    /// Whether the example has each label, where it can have several.
    pub fn labels(&self) -> Option<&[bool]> {
        match self {
            Target::Class(_) | Target::Shares { .. } => None,
            Target::Labels(labels) => Some(labels),
        }
    }
}
