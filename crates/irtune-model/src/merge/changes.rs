//! What training changed about a base, and each matrix with its change.

use irtune_kernels::{
    Matrix, MatrixMut,
    product::{Output, Term, product},
    weight::Weight,
};

use super::MergeError;
use crate::{
    adapters::lora::{LoraConfig, Projection},
    base::Base,
    engine::WEIGHTS_HEAD_NAME,
    host_tensor::HostTensor,
    parameters,
    peft::{HEAD_NAME, expected_tensors},
    tuned_weights,
};

/// What training changed about a base; the tensors are those of [`crate::Engine::parameters`].
#[derive(Clone, Copy, Debug)]
pub enum Changes<'a> {
    /// LoRA adapters.
    Lora {
        /// Their settings.
        lora: &'a LoraConfig,
        /// Adapters and head.
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
            Changes::Lora { tensors, .. } | Changes::Weights { tensors } => tensors,
        }
    }

    fn find(&self, name: &str) -> Option<&HostTensor> {
        self.tensors().iter().find(|tensor| tensor.name == name)
    }

    fn head_name(&self) -> &'static str {
        match self {
            Changes::Lora { .. } => HEAD_NAME,
            Changes::Weights { .. } => WEIGHTS_HEAD_NAME,
        }
    }

    /// Says whether every tensor is there and fits the base.
    pub(super) fn check(&self, base: &Base, labels: usize) -> Result<(), MergeError> {
        let config = &base.config;
        let fits = match self {
            Changes::Lora { lora, tensors } => {
                parameters::checked(expected_tensors(lora, config, labels), tensors).map(drop)
            }
            Changes::Weights { tensors } => {
                let path = std::path::Path::new("tuned weights");
                tuned_weights::check(tensors, config, labels, path).map(drop).map_err(Into::into)
            }
        };
        fits.map_err(|source| MergeError::Tensors(Box::new(source)))
    }

    /// The head, `[labels, hidden]`.
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

    /// A projection's matrix in the trained model, `[outputs, inputs]`.
    pub(super) fn matrix(&self, base: &Base, layer: usize, projection: Projection) -> Vec<f32> {
        let mut matrix = self.other(base, &projection.weight_name(layer));
        let (outputs, inputs) = base.config.projection_shape(projection);
        match self {
            Changes::Lora { lora, .. } => {
                let factors = [projection.lora_a_name(layer), projection.lora_b_name(layer)];
                if let [Some(a), Some(b)] = factors.map(|name| self.find(&name)) {
                    let left = Matrix::new(&b.data, outputs, lora.rank);
                    let term = Term::backward(left, Weight::of(&a.data, lora.rank, inputs));
                    let out = MatrixMut::new(&mut matrix, outputs, inputs);
                    product(&[term], lora.scaling(), Output::Add(out));
                }
            }
            Changes::Weights { .. } => {}
        }
        matrix
    }
}
