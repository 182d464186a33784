//! Checks a set of named tensors against what an engine holds.

use std::collections::HashMap;

use crate::{error::ModelError, host_tensor::HostTensor};

/// The tensors by name, once every expected one is there in its shape and no other is.
pub(crate) fn checked(
    expected: Vec<(String, Vec<usize>)>,
    tensors: &[HostTensor],
) -> Result<HashMap<&str, &HostTensor>, ModelError> {
    let mut found = HashMap::new();
    for tensor in tensors {
        if found.insert(tensor.name.as_str(), tensor).is_some() {
            return Err(ModelError::RepeatedParameter { name: tensor.name.clone() });
        }
    }
    for (name, shape) in &expected {
        match found.get(name.as_str()) {
            None => return Err(ModelError::MissingParameter { name: name.clone() }),
            Some(tensor) if tensor.shape != *shape => {
                let (name, expected, found) = (name.clone(), shape.clone(), tensor.shape.clone());
                return Err(ModelError::ParameterShape { name, expected, found });
            }
            Some(_) => {}
        }
    }
    if found.len() > expected.len() {
        let known = |tensor: &&HostTensor| !expected.iter().any(|(name, _)| *name == tensor.name);
        if let Some(tensor) = tensors.iter().find(known) {
            return Err(ModelError::UnknownParameter { name: tensor.name.clone() });
        }
    }
    Ok(found)
}
