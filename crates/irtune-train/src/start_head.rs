//! Where a head starts whose base is a classifier itself.

use crate::error::TrainError;
use crate::run::notice::Notice;
use crate::run::observer::Observer;
use irtune_data::LabelSet;
use irtune_model::{Base, ClassifierHead, Engine, Head, HostTensor, WEIGHTS_HEAD_NAME, peft::HEAD_NAME};

/// Starts a head from that of its base, where that is a classifier of the same labels; else it stays as it was drawn, and
/// the observer is told that the base's own is left out.
///
/// # Errors
/// When the base's configuration doesn't fit its head.
pub(crate) fn start_head(
    engine: &mut dyn Engine,
    base: &Base,
    head: &Head,
    labels: &LabelSet,
    observer: &mut dyn Observer,
) -> Result<(), TrainError> {
    let Some(own) = ClassifierHead::of(base)? else { return Ok(()) };
    let Some(values) = own.rows_of(labels.names()) else {
        observer.on_notice(&Notice::HeadLeftOut { other_labels: true });
        return Ok(());
    };
    let mut parameters: Vec<HostTensor> = engine.parameters();
    let is_head = |tensor: &&mut HostTensor| [HEAD_NAME, WEIGHTS_HEAD_NAME].contains(&&*tensor.name);
    match parameters.iter_mut().find(is_head) {
        Some(tensor) if own.input == head.input && own.shape == tensor.shape => {
            tensor.data = values;
            engine.load_parameters(&parameters)?;
            observer.on_notice(&Notice::HeadOfBase);
        }
        _ => observer.on_notice(&Notice::HeadLeftOut { other_labels: false }),
    }
    Ok(())
}
