//! Checks a set of named tensors against what an engine holds.

use std::collections::HashMap;

use crate::host_tensor::HostTensor;

/// Why a set of named tensors is not what an engine holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// A parameter is missing.
    #[error("parameter `{name}` is missing: it was made for other settings or another base")]
    MissingParameter {
        /// Its name.
        name: String,
    },
    /// A parameter is given twice.
    #[error("parameter `{name}` is given twice")]
    RepeatedParameter {
        /// Its name.
        name: String,
    },
    /// A parameter isn't one of this engine's.
    #[error("parameter `{name}` has no place here: it was made for other settings or another base")]
    UnknownParameter {
        /// Its name.
        name: String,
    },
    /// A parameter has another shape.
    #[error(
        "parameter `{name}` has shape {found:?}, expected {expected:?}: it was made for another base, rank or label set"
    )]
    ParameterShape {
        /// Its name.
        name: String,
        /// The shape here.
        expected: Vec<usize>,
        /// The shape that was given.
        found: Vec<usize>,
    },
}

/// The tensors by name, once every expected one is there in its shape and no other is.
pub(crate) fn checked(
    expected: Vec<(String, Vec<usize>)>,
    tensors: &[HostTensor],
) -> Result<HashMap<&str, &HostTensor>, ParameterError> {
    let mut found = HashMap::new();
    for tensor in tensors {
        if found.insert(tensor.name.as_str(), tensor).is_some() {
            return Err(ParameterError::RepeatedParameter { name: tensor.name.clone() });
        }
    }
    for (name, shape) in &expected {
        match found.get(name.as_str()) {
            None => return Err(ParameterError::MissingParameter { name: name.clone() }),
            Some(tensor) if tensor.shape != *shape => {
                let (name, expected, found) = (name.clone(), shape.clone(), tensor.shape.clone());
                return Err(ParameterError::ParameterShape { name, expected, found });
            }
            Some(_) => {}
        }
    }
    if found.len() > expected.len() {
        let known = |tensor: &&HostTensor| !expected.iter().any(|(name, _)| *name == tensor.name);
        if let Some(tensor) = tensors.iter().find(known) {
            return Err(ParameterError::UnknownParameter { name: tensor.name.clone() });
        }
    }
    Ok(found)
}
