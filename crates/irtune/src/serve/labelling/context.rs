//! What every request about labelling shares.

use std::sync::{Arc, PoisonError};

use irtune_labelling::store::{LabelKind, Store, StoreError};

use super::project::Project;
use crate::serve::failure::ApiFailure;
use crate::serve::server::{Current, Server};

/// What every request about labelling shares.
#[derive(Clone)]
pub(crate) struct Labelling {
    pub server: Server,
    pub project: Arc<Project>,
}

impl Labelling {
    pub fn new(server: Server, project: Project) -> Labelling {
        Labelling { server, project: Arc::new(project) }
    }

    /// Does something with the store, on a thread where it may wait for the disk.
    ///
    /// # Errors
    /// What the store says.
    pub async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiFailure> {
        let project = self.project.clone();
        let done = tokio::task::spawn_blocking(move || {
            work(&mut project.store.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(done.await.map_err(|_| ApiFailure::Broken)??)
    }
}

impl Current {
    /// Whether a revision has one label or any number of them.
    pub fn kind(&self) -> LabelKind {
        if self.several { LabelKind::Several } else { LabelKind::One }
    }
}
