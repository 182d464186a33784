//! A decoder layer: attention, then an MLP, each added to the residual stream.
//!
//! # Source
//! Touvron et al. 2023; `LlamaDecoderLayer` of transformers.

use irtune_device::{Device, DeviceError};

use super::{
    Pass,
    attention::{Attention, AttentionSaved, Stream},
    linear::Linear,
    mlp::{Mlp, MlpSaved},
    scratch::Scratch,
};
use crate::{
    adapters::{
        Trained,
        site::{AdapterScratch, Sites},
    },
    base::{Base, config::ModelConfig},
    error::ModelError,
    families::{Family, RotaryKind},
    host_tensor::HostTensor,
    parameters::{entries::Entry, group::Group},
};

/// A layer's frozen parts, and its adapters.
pub(crate) struct Block<D: Device> {
    rotary: Option<RotaryKind>,
    attention: Attention<D>,
    mlp: Mlp<D>,
}

/// What a layer's forward leaves for its backward.
pub(crate) struct BlockSaved<D: Device> {
    attention: AttentionSaved<D>,
    mlp: MlpSaved<D>,
}

impl<D: Device> BlockSaved<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        Ok(Self {
            attention: AttentionSaved::new(device, config, trained, tokens)?,
            mlp: MlpSaved::new(device, config, trained, tokens)?,
        })
    }
}

impl<D: Device> Block<D> {
    /// Layer `index` of a base, with these adapters.
    ///
    /// # Errors
    /// When the base lacks a tensor.
    pub(crate) fn new(
        device: &D,
        base: &Base,
        index: usize,
        mut adapters: Sites<D>,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            rotary: base.config.layer(index).rotary,
            attention: Attention::new(device, base, index, &mut adapters)?,
            mlp: Mlp::new(device, base, index, &mut adapters)?,
        })
    }

    /// Which rotary positions it has.
    pub(crate) fn rotary(&self) -> Option<RotaryKind> {
        self.rotary
    }

    fn linears(&self) -> impl Iterator<Item = &Linear<D>> {
        self.attention.linears().into_iter().chain(self.mlp.linears())
    }

    fn linears_mut(&mut self) -> impl Iterator<Item = &mut Linear<D>> {
        self.attention.linears_mut().into_iter().chain(self.mlp.linears_mut())
    }

    /// Finds anew what adapters know of parameters that changed.
    pub(crate) fn refresh(&mut self, device: &D, group: &mut Group<D>, scratch: &mut AdapterScratch<D>) {
        if std::mem::take(&mut group.stale) {
            self.linears_mut().for_each(|linear| linear.refresh(device, group, scratch));
        }
    }

    /// Prepacks the matrices with what their adapters add, where that is one matrix.
    pub(crate) fn prepack(&mut self, device: &D, group: Option<&Group<D>>) {
        self.linears_mut().for_each(|linear| linear.prepack(device, group));
    }

    /// Forgets what was prepacked.
    pub(crate) fn unpack(&mut self) {
        self.linears_mut().for_each(Linear::unpack);
    }

    /// Turns parameters among these that a folder has in another form into that.
    pub(crate) fn export(&self, device: &D, family: &Family, parameters: &mut [HostTensor]) {
        self.linears().for_each(|linear| linear.export(device, family, parameters));
    }

    /// Copies the layer's weights into the memory of its master copies.
    pub(crate) fn copy_weights(&self, device: &D, entries: &[Entry], values: &mut D::Floats) {
        let gains = self.attention.gains().chain(self.mlp.gains());
        gains.for_each(|gain| gain.copy_weights(device, entries, values));
        self.linears().for_each(|linear| linear.copy_weights(device, entries, values));
    }

    /// Runs the layer on the residual stream; in the last layer its pooled rows go on in `stream.pooled`.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        stream: Stream<D>,
        saved: &mut BlockSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Stream { residual, pooled } = stream;
        let whole = Stream { residual: &mut *residual, pooled: &mut *pooled };
        self.attention.forward(pass, group, whole, &mut saved.attention, scratch);
        let stream = if pass.rows.are_picked() { pooled } else { residual };
        self.mlp.forward(pass, group, stream, &mut saved.mlp, scratch);
    }

    /// Turns the gradient of the layer's output into that of its input, and adds its adapters' or weights' if it
    /// trains; in the last layer `stream.pooled` is read instead of all rows.
    ///
    /// Overwrites gate and up in `saved`. Without `input_wanted` (the lowest training layer) the gradient of the
    /// residual stream is left unfinished.
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        input_wanted: bool,
        stream: Stream<D>,
        saved: &mut BlockSaved<D>,
        scratch: &mut Scratch<D>,
    ) {
        let Stream { residual, pooled } = stream;
        let above = if pass.rows.are_picked() { &mut *pooled } else { &mut *residual };
        self.mlp.backward(pass, group.as_deref_mut(), above, &mut saved.mlp, scratch);
        let whole = Stream { residual, pooled };
        self.attention.backward(pass, group, input_wanted, whole, &mut saved.attention, scratch);
    }
}
