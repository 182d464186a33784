//! What people say of pairs in another program, which tells of it.

use irtune_labelling::store::OutsideWord;

use super::context::Labelling;
use super::{predictions, say};
use crate::serve::failure::ApiFailure;

impl Labelling {
    /// Keeps what was said of pairs in another program; the labels are those of the model.
    ///
    /// # Errors
    /// When a label isn't one of the model's, or the store can't keep it; then nothing is kept.
    pub(crate) async fn keep_outside(
        &self,
        source: &'static str,
        mut words: Vec<OutsideWord>,
    ) -> Result<(), ApiFailure> {
        let current = self.server.current();
        for word in &mut words {
            word.labels = word.labels.take().map(|labels| say::checked(&current, labels)).transpose()?;
        }
        self.stored(move |store| store.say_outside(source, &words)).await?;
        predictions::ask_for_missing(self);
        Ok(())
    }

    /// Takes back what was said under these names; says of how many there was something.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn retract_outside(
        &self,
        source: &'static str,
        names: Vec<String>,
    ) -> Result<usize, ApiFailure> {
        self.stored(move |store| store.retract_outside(source, &names)).await
    }
}
