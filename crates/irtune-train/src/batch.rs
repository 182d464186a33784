//! Encoded pairs packed into a batch, with what changed in them where it is known.

use irtune_data::Example;
use irtune_model::{BatchError, ChangedTokens, PackedBatch, SHORTEST_SHARED};

/// What goes through a model: tokens, and what changed among them.
pub trait Input: AsRef<[u32]> {
    /// What changed; nothing when that was not asked for.
    fn change(&self) -> Option<ChangedTokens<'_>> {
        None
    }
}

impl Input for Vec<u32> {}

impl Input for Example {
    fn change(&self) -> Option<ChangedTokens<'_>> {
        let change = self.change.as_ref()?;
        Some(ChangedTokens { removed: &change.removed, added: &change.added, counters: &change.counters })
    }
}

impl<T: Input + ?Sized> Input for &T {
    fn change(&self) -> Option<ChangedTokens<'_>> {
        (**self).change()
    }
}

/// Packs examples into the memory of a batch, with their changes when all have one.
///
/// # Errors
/// When they can't be packed.
pub(crate) fn refill(batch: &mut PackedBatch, examples: &[impl Input]) -> Result<(), BatchError> {
    batch.refill(examples, SHORTEST_SHARED)?;
    if examples.iter().all(|example| example.change().is_some()) {
        batch.set_changes(examples.iter().filter_map(Input::change))?;
    }
    Ok(())
}
