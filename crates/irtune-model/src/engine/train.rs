//! What trains.

use std::path::Path;

use irtune_device::{AdamW, Device, DropoutKey, LossOptions, Targets};

use crate::{
    batch::PackedBatch,
    decoder::{Decoder, StepReadings, TrainingPass},
    error::ModelError,
};

/// Gradients, what is read of them, and the update.
pub trait Train {
    /// How [`Train::add_gradients`] counts labels from now on; all alike before.
    ///
    /// # Errors
    /// When there are not as many class weights as labels.
    fn set_loss(&mut self, options: LossOptions) -> Result<(), ModelError>;

    /// Sets the learning rate of the head over that of all else, for every later [`Train::update`]; 1 to begin with.
    fn set_head_rate(&mut self, rate: f32);

    /// What [`Train::set_loss`] was given.
    fn loss_options(&self) -> &LossOptions;

    /// Forward and backward: adds the gradient of (sum of the examples' losses) / `normalizer` to that of the active
    /// layers' parameters and of the head. A loss is the cross-entropy of the example's target, as
    /// [`irtune_device::Losses::cross_entropy`] has it. The sum of losses stays on the device until [`Train::read_step`].
    /// Labels count as [`Train::set_loss`] says.
    ///
    /// A warm step allocates nothing, but for a layer whose own weights train for the first time.
    ///
    /// # Errors
    /// When a token or target is out of range, a shape is wrong, or label words meet targets that are no classes.
    fn add_gradients(
        &mut self,
        batch: &PackedBatch,
        targets: Targets<'_>,
        pass: TrainingPass<'_>,
    ) -> Result<(), ModelError>;

    /// Reads, at once, the losses of all passes since the gradients were zero, the gradient norms of the active layers
    /// and, if asked, of the head, and the cosines if they were watched.
    fn read_step(&mut self, active: &[bool], train_head: bool, out: &mut StepReadings);

    /// Reads the loss of the last [`Train::add_gradients`].
    fn last_loss(&mut self) -> f64;

    /// [`Train::add_gradients`] of examples of these classes, and the sum of losses read back at once.
    ///
    /// # Shapes
    /// `classes`: `[examples]`; `active`: `[layers]`.
    ///
    /// # Errors
    /// As [`Train::add_gradients`].
    fn accumulate(
        &mut self,
        batch: &PackedBatch,
        classes: &[u32],
        active: &[bool],
        train_head: bool,
        normalizer: f64,
        dropout: Option<DropoutKey>,
    ) -> Result<f64, ModelError> {
        let pass = TrainingPass { active, train_head, normalizer, dropout };
        self.add_gradients(batch, Targets::Classes(classes), pass)?;
        Ok(self.last_loss())
    }

    /// Keeps the hidden states at the beginning of `layer` in a nameless file inside `folder` from now on, so that
    /// passes in which nothing below it trains compute them once; for the number of layers, those that the head pools.
    /// A pass that trains a lower layer, or drops inputs of adapters below that do something, goes without. What is
    /// kept is forgotten when parameters are loaded or adapters below are updated.
    ///
    /// # Errors
    /// When there is nothing below the layer or no such layer, or the file can't be made.
    fn cache_states(&mut self, layer: usize, folder: &Path) -> Result<(), ModelError>;

    /// Sets all gradients to zero, and forgets measured cosines.
    fn zero_gradients(&mut self);

    /// Whether [`Train::add_gradients`] measures the cosines between the layers' inputs and outputs.
    fn watch_cosines(&mut self, watched: bool);

    /// The cosine between input and output of every layer, the mean over the passes since the gradients were zero;
    /// nothing if none were watched.
    ///
    /// In a pass, input and output of a layer are averaged over the examples at every position, and their cosines over
    /// the positions. The last layer has outputs at the examples' last positions only.
    ///
    /// # Shapes
    /// `out`: `[layers]`, overwritten.
    ///
    /// # Source
    /// `CosineSimilarityTracker` of ZhexiongLiu/IR-Tuning, commit 0a44982, which counts padding as positions.
    fn layer_cosines(&self, out: &mut Vec<f64>);

    /// L2 norm of each parameter's gradient in a layer: of adapters by target module, in the order of
    /// [`AdapterConfig::tensors`](crate::AdapterConfig::tensors); of the layer's own weights both norms' gains, then the projections.
    fn gradient_norms(&self, layer: usize, out: &mut Vec<f64>);

    /// L2 norm of the head's gradient.
    fn head_gradient_norm(&self) -> f64;

    /// Multiplies the gradients of the active layers and, if asked, of the head.
    fn scale_gradients(&mut self, active: &[bool], train_head: bool, factor: f32);

    /// One AdamW step of the active layers' parameters and, if asked, of the head; each parameter counts its own steps.
    ///
    /// # Errors
    /// When there is no room for the moments of a layer whose own weights train.
    fn update(&mut self, active: &[bool], train_head: bool, settings: &AdamW) -> Result<(), ModelError>;

    /// Clears the moments and step counts of a layer's parameters.
    fn reset_optimizer(&mut self, layer: usize);
}

impl<D: Device> Train for Decoder<D> {
    fn set_loss(&mut self, options: LossOptions) -> Result<(), ModelError> {
        self.set_loss(options)
    }

    fn set_head_rate(&mut self, rate: f32) {
        self.set_head_rate(rate)
    }

    fn loss_options(&self) -> &LossOptions {
        self.loss_options()
    }

    fn add_gradients(
        &mut self,
        batch: &PackedBatch,
        targets: Targets<'_>,
        pass: TrainingPass<'_>,
    ) -> Result<(), ModelError> {
        self.add_gradients(batch, targets, pass)
    }

    fn read_step(&mut self, active: &[bool], train_head: bool, out: &mut StepReadings) {
        self.read_step(active, train_head, out)
    }

    fn last_loss(&mut self) -> f64 {
        self.last_loss()
    }

    fn cache_states(&mut self, layer: usize, folder: &Path) -> Result<(), ModelError> {
        self.cache_states(layer, folder)
    }

    fn zero_gradients(&mut self) {
        self.zero_gradients()
    }

    fn watch_cosines(&mut self, watched: bool) {
        self.watch_cosines(watched)
    }

    fn layer_cosines(&self, out: &mut Vec<f64>) {
        self.layer_cosines(out)
    }

    fn gradient_norms(&self, layer: usize, out: &mut Vec<f64>) {
        self.gradient_norms(layer, out)
    }

    fn head_gradient_norm(&self) -> f64 {
        self.head_gradient_norm()
    }

    fn scale_gradients(&mut self, active: &[bool], train_head: bool, factor: f32) {
        self.scale_gradients(active, train_head, factor)
    }

    fn update(&mut self, active: &[bool], train_head: bool, settings: &AdamW) -> Result<(), ModelError> {
        self.update(active, train_head, settings)
    }

    fn reset_optimizer(&mut self, layer: usize) {
        self.reset_optimizer(layer)
    }
}
