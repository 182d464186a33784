//! Everything that can go wrong when layers are chosen.

use thiserror::Error;

/// Why a method could not be made, or could not choose.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SelectError {
    /// No method has this name.
    #[error("there is no method `{name}`; choose one of: {}", known.join(", "))]
    UnknownMethod {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// The method reads no option of this name.
    #[error("method `{method}` has no option `{option}`; {}", options_hint(known))]
    UnknownOption {
        /// The method.
        method: &'static str,
        /// The option given.
        option: String,
        /// The options it reads.
        known: Vec<&'static str>,
    },
    /// An option's value is not one the method understands.
    #[error("option `{option}` of method `{method}` cannot be `{value}`; it takes {expected}")]
    OptionValue {
        /// The method.
        method: &'static str,
        /// The option.
        option: &'static str,
        /// The value given.
        value: String,
        /// What it takes instead.
        expected: &'static str,
    },
    /// Two options contradict each other.
    #[error(
        "option `{option}` of method `{method}` cannot be `{value}` while `{other}` is `{other_value}`; leave one of \
         them out"
    )]
    OptionConflict {
        /// The method.
        method: &'static str,
        /// The option.
        option: &'static str,
        /// The value given.
        value: String,
        /// The option it contradicts.
        other: &'static str,
        /// That one's value.
        other_value: String,
    },
    /// A model of this many layers cannot be selected from.
    #[error("cannot choose among {layers} layers; a model has 1 to {maximum}")]
    LayerCount {
        /// The number given.
        layers: usize,
        /// The most a [`LayerSet`](crate::LayerSet) holds.
        maximum: usize,
    },
    /// A set of no layers was asked for.
    #[error("a set of layers must hold at least one of the {layers} layers")]
    EmptySet {
        /// Layers of the model.
        layers: usize,
    },
    /// A set was to hold a layer that the model does not have.
    #[error("layer {layer} does not exist: the model has {layers} layers, counted from 0")]
    LayerOutOfRange {
        /// The layer.
        layer: usize,
        /// Layers of the model.
        layers: usize,
    },
    /// The evidence is about a model of another size than the policy was made for.
    #[error(
        "method `{method}` was made for {expected} layers, but the evidence of step {step} is about {found}"
    )]
    EvidenceLayers {
        /// The method.
        method: &'static str,
        /// The step.
        step: u64,
        /// Layers the policy was made for.
        expected: usize,
        /// Layers the evidence is about.
        found: usize,
    },
    /// The policy scores layers by gradient norms, and none were measured.
    #[error("method `{method}` needs the gradient norms of step {step}, but none were measured")]
    NoGradientNorms {
        /// The method.
        method: &'static str,
        /// The step.
        step: u64,
    },
    /// A layer trained in this step, but its gradient norms are missing.
    #[error("layer {layer} trained in step {step}, but its gradient norms were not measured")]
    MissingGradientNorms {
        /// The step.
        step: u64,
        /// The layer.
        layer: usize,
    },
    /// A gradient norm is not a number that can be scored.
    #[error(
        "the gradient of adapter parameter {parameter} of layer {layer} has norm {norm} in step {step}, which \
         cannot be scored; lower the learning rate or train in precision f32"
    )]
    InvalidGradientNorm {
        /// The step.
        step: u64,
        /// The layer.
        layer: usize,
        /// Position of the parameter within the layer.
        parameter: usize,
        /// The norm.
        norm: f64,
    },
    /// A recorded score cannot have come from gradients.
    #[error(
        "the recorded score of layer {layer} is {score} in step {step}, but method `{method}` scores layers by norms, \
         which are never negative"
    )]
    RecordedScore {
        /// The method.
        method: &'static str,
        /// The step.
        step: u64,
        /// The layer.
        layer: usize,
        /// The score.
        score: f64,
    },
    /// The policy scores layers by cosines, and none were measured.
    #[error("method `{method}` needs the layer cosines of step {step}, but none were measured")]
    NoLayerCosines {
        /// The method.
        method: &'static str,
        /// The step.
        step: u64,
    },
    /// A cosine is not a number.
    #[error(
        "the cosine between input and output of layer {layer} is {cosine} in step {step}; lower the learning rate or \
         train in precision f32"
    )]
    InvalidCosine {
        /// The step.
        step: u64,
        /// The layer.
        layer: usize,
        /// The cosine.
        cosine: f64,
    },
    /// The policy ranks layers by their weights, and none were measured.
    #[error(
        "method `{method}` needs a number about each layer's weights in step {step}, but none were measured"
    )]
    NoWeights {
        /// The method.
        method: &'static str,
        /// The step.
        step: u64,
    },
    /// A number about a layer's weights is negative or not finite.
    #[error(
        "method `{method}` cannot rank layer {layer}, whose weights measure {number}; check the base's weights"
    )]
    InvalidWeight {
        /// The method.
        method: &'static str,
        /// The layer.
        layer: usize,
        /// What was measured.
        number: f64,
    },
    /// The policy asks for losses where none can be measured.
    #[error(
        "method `{method}` asks for losses of the model in step {step}, but there is no model to measure them on"
    )]
    NoProbe {
        /// The method.
        method: &'static str,
        /// The step.
        step: u64,
    },
    /// A loss that the policy asked for could not be measured.
    #[error("the loss that method `{method}` asked for in step {step} could not be measured")]
    ProbeFailed {
        /// The method.
        method: &'static str,
        /// The step.
        step: u64,
    },
    /// A loss that the policy asked for is not a number.
    #[error(
        "the loss that method `{method}` asked for in step {step} is {loss}; lower the learning rate or train in \
         precision f32"
    )]
    ProbeLoss {
        /// The method.
        method: &'static str,
        /// The step.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// The saved state was written by another method.
    #[error(
        "the saved state belongs to method `{found}`, not to `{expected}`; resume with the run's own method"
    )]
    StateMethod {
        /// The method that is to continue.
        expected: &'static str,
        /// The method that wrote the state.
        found: String,
    },
    /// The saved state lacks a list of numbers, or holds it at another length.
    #[error(
        "the saved state of method `{method}` should hold {expected} numbers called `{list}`, but holds {found}; \
         it was written for another model or is damaged"
    )]
    StateList {
        /// The method.
        method: &'static str,
        /// Name of the list.
        list: &'static str,
        /// Numbers it should hold.
        expected: usize,
        /// Numbers it holds.
        found: usize,
    },
    /// The saved state holds a list that no step can have produced.
    #[error("the saved state of method `{method}` holds an impossible list `{list}`, so it is damaged")]
    StateDamaged {
        /// The method.
        method: &'static str,
        /// Name of the list.
        list: &'static str,
    },
    /// The saved state holds a score that no step can have produced.
    #[error("the saved state of method `{method}` gives layer {layer} the score {score}, so it is damaged")]
    StateScore {
        /// The method.
        method: &'static str,
        /// The layer.
        layer: usize,
        /// The score.
        score: f64,
    },
}

/// The end of the sentence on an unknown option.
fn options_hint(known: &[&str]) -> String {
    if known.is_empty() { "it has none".to_string() } else { format!("it has: {}", known.join(", ")) }
}
