//! What to try next, for errors whose own words do not say it.

use std::error::Error;
use std::io;
use std::path::Path;

use irtune_model::ModelError;
use irtune_train::{PredictorError, TrainError};

use irtune_hub::LocateError;

use super::failure::Failure;

/// A way out of an error, if there is one to name.
pub fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<LocateError>() {
        return Some(match error {
            LocateError::Missing { .. } => {
                "a base is a folder with config.json and safetensors, a .gguf file, smollm2, or hf:ORG/NAME[@REVISION]"
                    .to_owned()
            }
            LocateError::Unavailable { .. } => {
                "download the model on any machine and give its folder or .gguf file with --base".to_owned()
            }
        });
    }
    if let Some(PredictorError::Model(ModelError::Base(_))) = error.downcast_ref() {
        return Some("if the base has moved, say where it is now with --base".to_owned());
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::StorageFull => Some("free some space, then try again".to_owned()),
        io::ErrorKind::PermissionDenied => Some("check who may write there".to_owned()),
        _ => None,
    }
}

/// Why a run can't be continued, with its base where it was or where `base` says.
pub fn resumed(error: TrainError, base: Option<&Path>) -> Failure {
    match error {
        TrainError::Model(ModelError::Base(_)) if base.is_none() => {
            anyhow::anyhow!("{error}; if the base has moved, say where it is now with --base").into()
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_with_a_way_out_name_it() {
        let missing = LocateError::Missing { path: "nowhere".into() };
        assert!(hint(&missing).unwrap().contains("smollm2"));
        let unavailable = LocateError::Unavailable { base: "smollm2".to_owned(), attempts: Vec::new() };
        assert!(hint(&unavailable).unwrap().contains("--base"));
        assert!(hint(&io::Error::from(io::ErrorKind::StorageFull)).is_some());
        assert!(hint(&io::Error::from(io::ErrorKind::NotFound)).is_none());
    }
}
