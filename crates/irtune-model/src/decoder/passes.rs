//! The passes through all layers: forward from tokens to logits, backward down to the lowest layer that trains.

use std::sync::PoisonError;

use irtune_device::{Device, Norm, NormInput, RowSet};

use super::{
    Decoder,
    state_cache::StateCache,
    workspace::{Slots, Workspace},
};
use crate::{
    adapters::site::Dropout,
    base::config::ModelConfig,
    error::ModelError,
    families::Role,
    head::HeadInput,
    layer::{Mode, Pass, attention::Stream},
    parameters::group::Group,
};

impl<D: Device> Decoder<D> {
    /// Tokens to logits; `modes` says what each layer does, `lowest` is the first that keeps anything. What a
    /// layer's adapters add is multiplied by its factor, where there is one.
    pub(super) fn forward(
        &mut self,
        modes: impl Fn(usize) -> Mode,
        lowest: usize,
        dropout: Option<Dropout>,
        factors: &[f32],
    ) -> Result<(), ModelError> {
        let shape = self.head_shape();
        let Self { device, layers, groups, workspace, .. } = self;
        for (layer, group) in layers.iter_mut().zip(groups) {
            layer.refresh(device, group, &mut workspace.scratch.adapters);
        }
        let Self { device, base, batch, workspace, layers, groups, cache, cosines, readings, .. } = self;
        let (device, config) = (&**device, &base.config);
        let readings = readings.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Workspace { residual, read_residual, pooled, saved, inputs, scratch, .. } = workspace;
        let edit = self.head_input.scaling().is_some();
        let recomputed = recomputed(self.slots, layers.len() - lowest);
        let count = layers.len();
        // With dropout, adapters that do something make states of their own in every step.
        let mut cache = cache.as_mut().filter(|cache| {
            let below = &groups[..cache.layer.min(groups.len())];
            !cosines.running()
                && cache.layer <= lowest
                && (dropout.is_none() || below.iter().all(|group| group.is_identity))
        });
        let mut first = 0;
        if let Some(cache) = &mut cache {
            let layer = cache.layer;
            match cache.read(batch.kept_keys(layer == count, edit)) {
                Ok(Some(rows)) => {
                    let to = match (layer == count, edit) {
                        (false, _) => &mut *residual,
                        (true, false) => &mut *read_residual,
                        (true, true) => &mut *pooled,
                    };
                    device.upload(rows, to, 0);
                    first = layer;
                }
                Ok(None) => {}
                Err(source) => return Err(ModelError::Cache { folder: cache.folder().to_owned(), source }),
            }
        }
        if first == 0 {
            device.embed(&self.embedding, &batch.uploaded, config.variant.embedding_scale, residual);
        }
        cosines.start(device, residual, batch.layout.rows(RowSet::All));
        for (index, layer) in layers.iter().enumerate().skip(first) {
            if let Some(cache) = cache.as_mut().filter(|cache| cache.layer == index && first == 0) {
                keep(device, residual, batch.kept_keys(false, edit), cache)?;
            }
            let rows = batch.rows(index + 1 == count);
            let factor = factors.get(index).copied().unwrap_or(1.0);
            let (mode, slot) = match index.checked_sub(lowest) {
                Some(above) if above < recomputed => {
                    device.copy(residual, &mut inputs[above], 0, rows.tokens * config.hidden_size);
                    (Mode::NoGrad, 0)
                }
                Some(above) => (modes(index), above - recomputed),
                None => (Mode::NoGrad, 0),
            };
            let rotary = self.rotary.of(layer.rotary());
            let pass = Pass { device, config, rotary, rows, dropout, factor, mode };
            let stream = Stream { residual: &mut *residual, pooled: &mut *read_residual };
            layer.forward(&pass, groups.get(index), stream, &mut saved[slot], scratch);
            let stream = if pass.rows.are_picked() { &*read_residual } else { &*residual };
            cosines.layer(device, &pass.rows, stream, readings.cosine_slot(index));
        }
        let Workspace { read_states, read_rstd, logits, .. } = workspace;
        // What was kept of an edit head's examples is already pooled.
        if !(edit && first == count) {
            let norm = final_norm(&self.final_gain, config);
            device.rms_norm_floats(norm, read_residual, batch.read_rows(), read_states, read_rstd);
            if edit {
                device.pool(read_states, config.hidden_size, &batch.uploaded, pooled);
            }
        }
        if let Some(cache) = cache.filter(|cache| cache.layer == count && first == 0) {
            let states = if edit { &*pooled } else { &*read_residual };
            keep(device, states, batch.kept_keys(true, edit), cache)?;
        }
        if self.verbalizer.is_none() {
            let input = if edit { &*pooled } else { &*read_states };
            device.head(input, &self.head.values, shape, logits);
        }
        Ok(())
    }

    /// Gradients from the logits' down to the lowest layer that trains.
    pub(super) fn backward(
        &mut self,
        modes: impl Fn(usize) -> Mode,
        lowest: usize,
        train_head: bool,
        dropout: Option<Dropout>,
    ) {
        let shape = self.head_shape();
        let Self { device, base, batch, workspace, layers, groups, head, head_input, .. } = self;
        let (device, config) = (&**device, &base.config);
        let Workspace { read_residual, read_states, read_rstd, logits_gradient, .. } = workspace;
        let Workspace { pooled, pooled_gradient, read_gradient, .. } = workspace;
        let Workspace { residual_gradient, residual, saved, inputs, scratch, .. } = workspace;
        let (rows, hidden) = (batch.read_rows(), config.hidden_size);
        let normed_gradient = &mut scratch.stream.picked_gradient;
        let Group { values, gradient, dirty, .. } = head;
        if self.verbalizer.is_none() {
            *dirty |= train_head;
            let head_gradient = train_head.then_some(gradient);
            match head_input {
                HeadInput::Pooled => {
                    let gradient = &mut *normed_gradient;
                    device.head_backward(
                        read_states,
                        values,
                        shape,
                        logits_gradient,
                        gradient,
                        head_gradient,
                    );
                }
                HeadInput::Edit(_) => {
                    let gradient = &mut *pooled_gradient;
                    device.head_backward(pooled, values, shape, logits_gradient, gradient, head_gradient);
                }
            }
        }
        let count = layers.len();
        if lowest >= count {
            return;
        }
        if let HeadInput::Edit(_) = head_input {
            device.pool_backward(pooled_gradient, hidden, &batch.uploaded, normed_gradient);
        }
        device.clear(read_gradient, 0, rows * hidden);
        let recomputed = recomputed(self.slots, count - lowest);
        let norm = final_norm(&self.final_gain, config);
        let input = NormInput { values: &*read_residual, rstd: read_rstd, rows };
        device.rms_norm_floats_backward(norm, input, normed_gradient, read_gradient);
        for (index, layer) in layers.iter().enumerate().skip(lowest).rev() {
            let rows = batch.rows(index + 1 == count);
            let mode = modes(index);
            let rotary = self.rotary.of(layer.rotary());
            let pass = Pass { device, config, rotary, rows, dropout, factor: 1.0, mode };
            let (mut group, wanted, above) = (groups.get_mut(index), index > lowest, index - lowest);
            let saved = &mut saved[above.saturating_sub(recomputed)];
            if above < recomputed {
                device.copy(&inputs[above], residual, 0, pass.rows.tokens * config.hidden_size);
                let stream = Stream { residual: &mut *residual, pooled: &mut *read_residual };
                layer.forward(&pass, group.as_deref(), stream, saved, scratch);
            }
            let stream = Stream { residual: &mut *residual_gradient, pooled: &mut *read_gradient };
            layer.backward(&pass, group.take(), wanted, stream, saved, scratch);
        }
    }
}

/// Keeps the states of a batch's rows.
fn keep<D: Device>(
    device: &D,
    states: &D::Floats,
    keys: &[u64],
    cache: &mut StateCache,
) -> Result<(), ModelError> {
    device.download(states, 0, cache.rows(keys));
    cache.write(keys).map_err(|source| ModelError::Cache { folder: cache.folder().to_owned(), source })
}

/// The norm after the last layer.
fn final_norm<'a, D: Device>(gain: &'a D::Floats, config: &ModelConfig) -> Norm<'a, D> {
    let plus = config.family.gain_offset(Role::FinalNorm);
    Norm { gain, offset: 0, width: config.hidden_size, epsilon: config.norm_epsilon, plus }
}

/// How many of so many layers, the lowest ones, are recomputed in the backward.
fn recomputed(slots: Slots, layers: usize) -> usize {
    layers.saturating_sub(slots.kept)
}
