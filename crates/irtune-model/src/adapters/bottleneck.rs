//! Bottleneck adapters: `y = W x + s · U f(D dropout(x))` beside a projection, or `y = y₀ + s · U f(D dropout(y₀))` with
//! `y₀ = W x` after it. No biases; D starts uniformly within 1/√width, U at zero.
//!
//! # Source
//! Houlsby et al. 2019 (serial), arXiv 1902.00751; He et al. 2022 (parallel), arXiv 2110.04366; the recipe is that of
//! ZhexiongLiu/IR-Tuning, commit 0a44982: parallel to each projection, size 256, tanh, scaling 1.

use std::{fmt, str::FromStr};

use arrayvec::ArrayVec;
use irtune_device::{Activation, BMatrix, Device, Epilogue, FloatMatrix, Output, Term};
use serde::{Deserialize, Serialize};

use super::{
    config::{AdapterConfigError, MOST_WIDTH},
    projection::Projection,
    site::{AdapterScratch, Call, Flow, INPUT_TERMS, SavedAdapter, ScaledPart, SiteGradients},
};
use crate::parameters::{
    entries::{Entries, Initial},
    group::Group,
};

/// The function between a bottleneck's two matrices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BottleneckActivation {
    /// Hyperbolic tangent.
    #[default]
    Tanh,
    /// `max(0, x)`
    Relu,
    /// `x · Φ(x)`, with the error function.
    Gelu,
}

impl BottleneckActivation {
    /// Every activation.
    pub const ALL: [Self; 3] = [Self::Tanh, Self::Relu, Self::Gelu];

    fn activation(self) -> Activation {
        match self {
            Self::Tanh => Activation::Tanh,
            Self::Relu => Activation::Relu,
            Self::Gelu => Activation::Gelu,
        }
    }
}

impl fmt::Display for BottleneckActivation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::Gelu => "gelu",
        })
    }
}

impl FromStr for BottleneckActivation {
    type Err = UnknownBottleneckWord;

    fn from_str(name: &str) -> Result<Self, UnknownBottleneckWord> {
        let known = Self::ALL.into_iter().find(|activation| activation.to_string() == name);
        known.ok_or_else(|| UnknownBottleneckWord { word: name.to_owned(), known: "tanh, relu, gelu" })
    }
}

/// Where a bottleneck stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BottleneckPlace {
    /// Beside the projection, on its input.
    #[default]
    Parallel,
    /// After it, on its output.
    Serial,
}

impl fmt::Display for BottleneckPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Parallel => "parallel",
            Self::Serial => "serial",
        })
    }
}

impl FromStr for BottleneckPlace {
    type Err = UnknownBottleneckWord;

    fn from_str(name: &str) -> Result<Self, UnknownBottleneckWord> {
        let known = [Self::Parallel, Self::Serial].into_iter().find(|place| place.to_string() == name);
        known.ok_or_else(|| UnknownBottleneckWord { word: name.to_owned(), known: "parallel, serial" })
    }
}

/// Not an activation, or not a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no `{word}`: take one of {known}")]
pub struct UnknownBottleneckWord {
    /// What was given.
    pub word: String,
    /// What could have been.
    pub known: &'static str,
}

/// A bottleneck at every target module of every layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BottleneckConfig {
    /// Values between the two matrices.
    pub size: usize,
    /// The function between them.
    pub activation: BottleneckActivation,
    /// On which side of the projection.
    pub place: BottleneckPlace,
    /// Factor of what is added.
    pub scaling: f32,
    /// Probability that an input is dropped in training.
    pub dropout: f32,
    /// Adapted projections; order is kept.
    pub target_modules: Vec<Projection>,
}

impl BottleneckConfig {
    /// The published recipe on these projections, with LoRA's dropout of 0.05.
    pub fn over(target_modules: Vec<Projection>) -> Self {
        Self {
            size: 256,
            activation: BottleneckActivation::Tanh,
            place: BottleneckPlace::Parallel,
            scaling: 1.0,
            dropout: 0.05,
            target_modules,
        }
    }

    pub(super) fn validate(&self) -> Result<(), AdapterConfigError> {
        if self.size == 0 {
            return Err(AdapterConfigError::ZeroSize);
        }
        if self.size > MOST_WIDTH {
            return Err(AdapterConfigError::TooWide { field: "size", value: self.size });
        }
        if !(self.scaling.is_finite() && self.scaling > 0.0) {
            return Err(AdapterConfigError::Scaling { scaling: self.scaling });
        }
        Ok(())
    }

    pub(super) fn tensors(&self, outputs: usize, inputs: usize) -> Vec<(&'static str, Vec<usize>)> {
        let width = self.width(outputs, inputs);
        vec![("adapter_down.weight", vec![self.size, width]), ("adapter_up.weight", vec![outputs, self.size])]
    }

    /// Values that D reads.
    fn width(&self, outputs: usize, inputs: usize) -> usize {
        match self.place {
            BottleneckPlace::Parallel => inputs,
            BottleneckPlace::Serial => outputs,
        }
    }

    /// Adds the matrices to a layer's entries.
    pub(super) fn site(
        &self,
        entries: &mut Entries,
        names: &[String],
        (outputs, inputs): (usize, usize),
    ) -> BottleneckSite {
        let (size, width) = (self.size, self.width(outputs, inputs));
        let down = entries.matrix(names[0].clone(), size, width, Initial::Drawn);
        let up = entries.transposed(names[1].clone(), size, outputs, Initial::Constant(0.0));
        let serial = self.place == BottleneckPlace::Serial;
        let activation = self.activation.activation();
        BottleneckSite { down, up, size, width, outputs, scaling: self.scaling, activation, serial }
    }
}

/// Where a bottleneck's matrices are.
pub(crate) struct BottleneckSite {
    /// Offset of D, `[size, width]`.
    down: usize,
    /// Offset of U transposed, `[size, outputs]`.
    up: usize,
    size: usize,
    /// Values that D reads: the projection's inputs, or its outputs.
    pub(super) width: usize,
    outputs: usize,
    scaling: f32,
    activation: Activation,
    serial: bool,
}

impl BottleneckSite {
    fn down<'a, D: Device>(&self, group: &'a Group<D>) -> BMatrix<'a, D> {
        BMatrix::Trained(FloatMatrix {
            values: &group.values,
            offset: self.down,
            rows: self.size,
            columns: self.width,
        })
    }

    fn up<'a, D: Device>(&self, group: &'a Group<D>) -> BMatrix<'a, D> {
        BMatrix::Trained(FloatMatrix {
            values: &group.values,
            offset: self.up,
            rows: self.size,
            columns: self.outputs,
        })
    }

    pub(super) fn forward<D: Device>(
        &self,
        call: &Call<D>,
        group: &Group<D>,
        input: &D::Operands,
        saved: &mut SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        out: Output<D>,
    ) {
        let (device, rows, size) = (call.device, call.rows, self.size);
        let AdapterScratch { dropped, output, wide, activated, .. } = scratch;
        if self.serial {
            let output = if call.training { &mut saved.output } else { &mut *output };
            let out = Output::Operands(output);
            device.gemm(&[call.frozen(input)], call.biased(), rows, self.outputs, out);
        }
        let output = if call.training { &saved.output } else { &*output };
        let read = call.dropped(if self.serial { output } else { input }, self.width, saved, dropped);
        let term = Term::forward(read, self.down(group));
        device.gemm(&[term], Epilogue::PLAIN, rows, size, Output::Operands(&mut saved.inner));
        let factor = self.scaling * call.factor;
        device.activate(self.activation, &saved.inner, factor, rows * size, activated);
        let added = Term::backward(&*activated, self.up(group));
        if self.serial {
            let part = ScaledPart { factors: None, part: output, columns: self.outputs, bias: None };
            call.combine(&[added], Epilogue::PLAIN, part, wide, out);
        } else {
            device.gemm(&[call.frozen(input), added], call.biased(), rows, self.outputs, out);
        }
    }

    pub(super) fn backward<D: Device>(
        &self,
        call: &Call<D>,
        group: &mut Group<D>,
        Flow { input, out_gradient }: Flow<D>,
        saved: &SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        gradients: &mut SiteGradients<D>,
    ) {
        let (device, rows, size) = (call.device, call.rows, self.size);
        let AdapterScratch { dropped, wide, activated, transposed, .. } = scratch;
        let inner = &mut gradients.inner;
        let term = Term::forward(out_gradient, self.up(group));
        device.gemm(&[term], Epilogue::PLAIN, rows, size, Output::Operands(inner));
        let (activation, length) = (self.activation, rows * size);
        device.activate_backward(activation, &saved.inner, self.scaling, length, inner);
        if call.training {
            device.activate(activation, &saved.inner, self.scaling, length, activated);
            let output = (out_gradient, self.outputs);
            group.add_outer(device, self.up, rows, (activated, size), output, transposed);
            let read = if self.serial { &saved.output } else { input };
            let read = (call.dropped(read, self.width, saved, dropped), self.width);
            group.add_outer(device, self.down, rows, (inner, size), read, transposed);
        }
        if self.serial {
            let terms = [call.masked(Term::backward(&*inner, self.down(group)), saved)];
            let part = ScaledPart { factors: None, part: out_gradient, columns: self.outputs, bias: None };
            call.combine(&terms, Epilogue::PLAIN, part, wide, Output::Operands(&mut gradients.out));
        }
    }

    pub(super) fn input_gradient<'a, D: Device>(
        &'a self,
        call: &Call<'a, D>,
        group: &'a Group<D>,
        out_gradient: &'a D::Operands,
        saved: &'a SavedAdapter<D>,
        gradients: &'a SiteGradients<D>,
    ) -> ArrayVec<Term<'a, D>, INPUT_TERMS> {
        let mut terms = ArrayVec::new();
        if self.serial {
            terms.push(call.frozen_backward(&gradients.out));
        } else {
            terms.push(call.frozen_backward(out_gradient));
            let inner = Term::backward(&gradients.inner, self.down(group));
            terms.push(call.masked(inner, saved));
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_serde_uses_them() {
        for activation in BottleneckActivation::ALL {
            assert_eq!(activation.to_string().parse(), Ok(activation));
            assert_eq!(serde_json::to_value(activation).unwrap(), activation.to_string());
        }
        for place in [BottleneckPlace::Parallel, BottleneckPlace::Serial] {
            assert_eq!(place.to_string().parse(), Ok(place));
            assert_eq!(serde_json::to_value(place).unwrap(), place.to_string());
        }
        let message = "silu".parse::<BottleneckActivation>().unwrap_err().to_string();
        assert_eq!(message, "there is no `silu`: take one of tanh, relu, gelu");
        let message = "both".parse::<BottleneckPlace>().unwrap_err().to_string();
        assert!(message.ends_with("parallel, serial"), "{message}");
    }
}
