//! What keeps parameters.

use irtune_device::Device;

use crate::{decoder::Decoder, error::ModelError, host_tensor::HostTensor};

/// Parameters, gradients and moments as named tensors.
pub trait StateDict {
    /// Adapter and head parameters under PEFT's names, in its orientation; where the layers' own weights train, those of
    /// the layers that ever trained and of the head, under transformers' names.
    fn parameters(&self) -> Vec<HostTensor>;

    /// Parameters of this engine as its folder has them, for [`AdapterConfig::exported`](crate::AdapterConfig::exported): PiSSA's become a LoRA of twice the
    /// rank, which does the same over the base as it is; all others stay as they are.
    fn exported(&self, parameters: Vec<HostTensor>) -> Vec<HostTensor>;

    /// Gradients, named as the parameters; where the layers' own weights train, those of the layers that trained since
    /// the gradients were zero.
    fn gradients(&self) -> Vec<HostTensor>;

    /// Replaces all parameters; a layer whose own weights are not among them goes back to the base's.
    ///
    /// # Errors
    /// When a name is missing, unknown or given twice, or a shape differs.
    fn load_parameters(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError>;

    /// Moments and step counts, where there are any: `{name}.first_moment`, `{name}.second_moment`, `{name}.steps` (shape `[1]`).
    fn optimizer_state(&self) -> Vec<HostTensor>;

    /// Replaces moments and step counts.
    ///
    /// # Errors
    /// As [`StateDict::load_parameters`].
    fn load_optimizer_state(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError>;
}

impl<D: Device> StateDict for Decoder<D> {
    fn parameters(&self) -> Vec<HostTensor> {
        self.parameters()
    }

    fn exported(&self, parameters: Vec<HostTensor>) -> Vec<HostTensor> {
        self.exported(parameters)
    }

    fn gradients(&self) -> Vec<HostTensor> {
        self.gradients()
    }

    fn load_parameters(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        self.load_parameters(tensors)
    }

    fn optimizer_state(&self) -> Vec<HostTensor> {
        self.optimizer_state()
    }

    fn load_optimizer_state(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError> {
        self.load_optimizer_state(tensors)
    }
}
