//! What trains beside the head.

use super::AdapterConfig;

/// What trains beside the head.
#[derive(Clone, Debug, PartialEq)]
pub enum Trained {
    /// Nothing.
    Head,
    /// Adapters in every layer.
    Adapter(AdapterConfig),
    /// The layers' own weights: all seven projections and both norm gains of a layer, in f32 master copies that a layer
    /// gets when it first trains. Embeddings and the final norm stay frozen.
    Weights {
        /// The lowest layer that will ever train: memory is shared out as if every layer from there up had trained.
        lowest: usize,
    },
}

impl Trained {
    /// The adapters' settings.
    pub fn adapter(&self) -> Option<&AdapterConfig> {
        match self {
            Trained::Adapter(adapter) => Some(adapter),
            Trained::Head | Trained::Weights { .. } => None,
        }
    }

    /// Whether the layers' own weights train.
    pub fn is_weights(&self) -> bool {
        matches!(self, Trained::Weights { .. })
    }
}

impl From<Option<AdapterConfig>> for Trained {
    fn from(adapter: Option<AdapterConfig>) -> Self {
        adapter.map_or(Trained::Head, Trained::Adapter)
    }
}
