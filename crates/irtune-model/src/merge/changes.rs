//! What training changed about a base, and each matrix with its change.

use super::MergeError;
use crate::{
    adapters::{
        config::AdapterConfig,
        merge::{check_mergeable, merged_bias, merged_weight},
        projection::Projection,
    },
    base::Base,
    error::ModelError,
    families::Kind,
    head::Head,
    host_tensor::HostTensor,
    parameters,
    parameters::WEIGHTS_HEAD_NAME,
    peft::{HEAD_NAME, expected_tensors},
    tuned_weights,
};

/// What training changed about a base.
#[derive(Clone, Copy, Debug)]
pub enum Changes<'a> {
    /// Adapters: those of an adapter folder, or an engine's exported ones.
    Adapter {
        /// Their settings.
        adapter: &'a AdapterConfig,
        /// Adapters and head.
        tensors: &'a [HostTensor],
    },
    /// A head alone.
    Head {
        /// The head, as an engine without adapters has it.
        tensors: &'a [HostTensor],
    },
    /// Weights of the base.
    Weights {
        /// Those of the layers that trained, and the head.
        tensors: &'a [HostTensor],
    },
}

impl Changes<'_> {
    fn tensors(&self) -> &[HostTensor] {
        match self {
            Changes::Adapter { tensors, .. } | Changes::Head { tensors } | Changes::Weights { tensors } => {
                tensors
            }
        }
    }

    fn find(&self, name: &str) -> Option<&HostTensor> {
        self.tensors().iter().find(|tensor| tensor.name == name)
    }

    fn head_name(&self) -> &'static str {
        match self {
            Changes::Adapter { .. } | Changes::Head { .. } => HEAD_NAME,
            Changes::Weights { .. } => WEIGHTS_HEAD_NAME,
        }
    }

    /// Says whether every tensor is there and fits the base.
    pub(super) fn check(&self, base: &Base, head: &Head) -> Result<(), MergeError> {
        let config = &base.config;
        let fits: Result<(), ModelError> = match self {
            Changes::Adapter { adapter, tensors } => check_mergeable(adapter).and_then(|()| {
                Ok(parameters::checked::checked(expected_tensors(adapter, config, head.clone()), tensors)
                    .map(drop)?)
            }),
            Changes::Head { tensors } => {
                let head = (HEAD_NAME.to_owned(), head.shape(config.hidden_size));
                parameters::checked::checked(vec![head], tensors).map(drop).map_err(ModelError::from)
            }
            Changes::Weights { tensors } => {
                let path = std::path::Path::new("tuned weights");
                tuned_weights::check(tensors, config, head, path).map(drop).map_err(Into::into)
            }
        };
        fits.map_err(|source| match source {
            ModelError::NotMerged { .. } => MergeError::Adapter(Box::new(source)),
            source => MergeError::Tensors(Box::new(source)),
        })
    }

    /// The head, by rows.
    pub(super) fn head(&self) -> Vec<f32> {
        self.find(self.head_name()).expect("checked before").data.clone()
    }

    /// A tensor of the trained model outside its projections.
    pub(super) fn other(&self, base: &Base, name: &str) -> Vec<f32> {
        match self.find(name) {
            Some(tensor) => tensor.data.clone(),
            None => base.weights.values(name).expect("checked when the base was opened"),
        }
    }

    /// A projection's bias in the trained model, `[outputs]`.
    pub(super) fn bias(&self, base: &Base, layer: usize, projection: Projection) -> Vec<f32> {
        match self {
            Changes::Adapter { adapter, tensors } => {
                merged_bias(base, adapter, tensors, layer, projection).expect("checked before")
            }
            Changes::Head { .. } | Changes::Weights { .. } => {
                self.other(base, &base.config.family.layer_name(layer, projection, Kind::Bias))
            }
        }
    }

    /// Whether [`Changes::matrix`] gives a projection's matrix as transformers stores it: one that trained itself.
    pub(super) fn is_stored(&self, base: &Base, layer: usize, projection: Projection) -> bool {
        matches!(self, Changes::Weights { .. })
            && self.find(&base.config.family.weight_name(layer, projection)).is_some()
    }

    /// A projection's matrix in the trained model, `[outputs, inputs]`; as it is stored if it trained itself.
    pub(super) fn matrix(&self, base: &Base, layer: usize, projection: Projection) -> Vec<f32> {
        match self {
            Changes::Adapter { adapter, tensors } => {
                merged_weight(base, adapter, tensors, layer, projection).expect("checked before")
            }
            Changes::Head { .. } | Changes::Weights { .. } => {
                self.other(base, &base.config.family.weight_name(layer, projection))
            }
        }
    }
}
