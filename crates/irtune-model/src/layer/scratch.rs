//! Memory that every layer uses in turn.

use irtune_device::{Device, DeviceError};

use crate::{
    adapters::{
        Trained,
        config::Widths,
        site::{AdapterScratch, SiteGradients},
    },
    base::config::ModelConfig,
    families::Projection,
};

use super::{attention::AttentionScratch, mlp::MlpScratch};

/// Memory that every layer uses in turn.
pub(crate) struct Scratch<D: Device> {
    pub(crate) stream: StreamScratch<D>,
    pub(crate) attention: AttentionScratch<D>,
    pub(crate) mlp: MlpScratch<D>,
    pub(crate) adapters: AdapterScratch<D>,
}

/// What attention and MLP both need beside the residual stream.
pub(crate) struct StreamScratch<D: Device> {
    /// `[tokens, hidden]`: a norm's output.
    pub(crate) normed: D::Operands,
    /// `[examples, hidden]`: the rows of `normed` that the last layer's queries are, and no other layer's.
    pub(crate) picked: D::Operands,
    /// `[tokens, hidden]`: the residual stream's gradient as an operand.
    pub(crate) rounded_gradient: D::Operands,
    /// `[tokens, hidden]`
    pub(crate) normed_gradient: D::Floats,
    /// `[examples, hidden]`
    pub(crate) picked_gradient: D::Floats,
    /// `[tokens, hidden]`: a branch's output, or its gradient, where it isn't the stream's.
    pub(crate) beside: D::Floats,
}

/// What a projection's backward leaves for its input's gradient, of adapters with these settings.
pub(super) fn site_gradients<D: Device>(
    device: &D,
    config: &ModelConfig,
    trained: &Trained,
    projection: Projection,
    tokens: usize,
) -> Result<SiteGradients<D>, DeviceError> {
    let adapter = trained.adapter().filter(|adapter| adapter.target_modules().contains(&projection));
    let widths = adapter.map_or_else(Widths::default, |adapter| adapter.widths(config, projection));
    SiteGradients::new(device, widths, tokens)
}

impl<D: Device> Scratch<D> {
    /// For so many tokens, pooled rows, and rows of what attention's segments add to shared ones.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        (tokens, examples, partial_rows): (usize, usize, usize),
    ) -> Result<Self, DeviceError> {
        let hidden = config.hidden_size;
        Ok(Self {
            stream: StreamScratch {
                normed: device.operands(tokens, hidden)?,
                picked: device.operands(examples, hidden)?,
                rounded_gradient: device.operands(tokens, hidden)?,
                normed_gradient: device.floats(tokens, hidden)?,
                picked_gradient: device.floats(examples, hidden)?,
                beside: device.floats(if config.adds_plainly() { 0 } else { tokens }, hidden)?,
            },
            attention: AttentionScratch::new(device, config, trained, tokens, partial_rows)?,
            mlp: MlpScratch::new(device, config, trained, tokens)?,
            adapters: AdapterScratch::new(device, config, trained, tokens)?,
        })
    }
}
