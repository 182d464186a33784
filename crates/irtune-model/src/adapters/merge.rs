//! A projection's matrix with its adapter in it.

use rayon::prelude::*;

use super::{config::AdapterConfig, ia3::Ia3Config, lora::LoraInit, projection::Projection};
use crate::{
    base::Base, error::ModelError, families::Kind, host_tensor::HostTensor,
    parameters::checked::ParameterError,
};

/// `W` of a projection with its adapter merged in, in f32; `W` itself where the projection has none.
///
/// `tensors` are those of an adapter folder, or an engine's [`exported`](crate::StateDict::exported) parameters with
/// [`AdapterConfig::exported`].
///
/// # Shapes
/// The result: `[outputs, inputs]`.
///
/// # Errors
/// When the adapter is a bottleneck, which no matrix can stand for; when it is PiSSA's, not yet exported; when a tensor is
/// missing or of another shape, or the base lacks the matrix.
pub fn merged_weight(
    base: &Base,
    adapter: &AdapterConfig,
    tensors: &[HostTensor],
    layer: usize,
    projection: Projection,
) -> Result<Vec<f32>, ModelError> {
    check_mergeable(adapter)?;
    let weight = base.weights.get(&base.config.family.weight_name(layer, projection))?;
    let (outputs, inputs) = (weight.rows, weight.columns);
    let mut values = vec![0.0; outputs * inputs];
    values.par_chunks_exact_mut(inputs).enumerate().for_each(|(row, out)| weight.decode_row(row, out));
    if !adapter.target_modules().contains(&projection) {
        return Ok(values);
    }
    let mut found = Vec::new();
    let adapter = &*adapter.of_module(&base.config, layer, projection);
    for (part, shape) in adapter.tensors(&base.config, layer, projection) {
        let name = base.config.family.adapter_name(layer, projection, part);
        let Some(tensor) = tensors.iter().find(|tensor| tensor.name == name) else {
            return Err(ParameterError::MissingParameter { name }.into());
        };
        if tensor.shape != shape {
            let found = tensor.shape.clone();
            return Err(ParameterError::ParameterShape { name, expected: shape, found }.into());
        }
        found.push(tensor.data.as_slice());
    }
    match (adapter, &found[..]) {
        (AdapterConfig::Lora(lora), [a, b]) => lora.merge(&mut values, inputs, a, b),
        (AdapterConfig::Dora(dora), [a, b, magnitudes]) => {
            dora.merge(&mut values, inputs, a, b, magnitudes);
        }
        (AdapterConfig::Ia3(ia3), [vector]) => ia3.merge(&mut values, inputs, projection, vector),
        _ => unreachable!("one tensor for each that the adapter has"),
    }
    Ok(values)
}

/// A projection's bias with its adapter merged in, `[outputs]`, where it has a bias: a vector over the outputs scales it.
///
/// # Errors
/// As [`merged_weight`].
pub(crate) fn merged_bias(
    base: &Base,
    adapter: &AdapterConfig,
    tensors: &[HostTensor],
    layer: usize,
    projection: Projection,
) -> Result<Vec<f32>, ModelError> {
    let family = base.config.family;
    let mut values = base.weights.vector(&family.layer_name(layer, projection, Kind::Bias))?;
    let scaled = matches!(adapter, AdapterConfig::Ia3(_)) && !Ia3Config::scales_input(projection);
    if scaled && adapter.target_modules().contains(&projection) {
        let (part, _) = adapter.tensors(&base.config, layer, projection).swap_remove(0);
        let name = family.adapter_name(layer, projection, part);
        let Some(tensor) = tensors.iter().find(|tensor| tensor.name == name) else {
            return Err(ParameterError::MissingParameter { name }.into());
        };
        values.iter_mut().zip(&tensor.data).for_each(|(value, factor)| *value *= factor);
    }
    Ok(values)
}

/// Says why an adapter can't become part of its base's matrices, if it can't.
///
/// # Errors
/// [`ModelError::NotMerged`]
pub(crate) fn check_mergeable(adapter: &AdapterConfig) -> Result<(), ModelError> {
    let why = match adapter {
        AdapterConfig::Bottleneck(_) => {
            "a bottleneck's activation is not linear, so no matrix does what it does"
        }
        AdapterConfig::Lora(lora) if lora.init == LoraInit::Pissa => {
            "PiSSA's parameters have to be exported first"
        }
        AdapterConfig::Lora(_) | AdapterConfig::Dora(_) | AdapterConfig::Ia3(_) => return Ok(()),
    };
    Err(ModelError::NotMerged { why })
}
