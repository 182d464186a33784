//! The targets of a pass, in memory that is kept.

use super::StepError;
use irtune_data::{Example, Target};
use irtune_model::Targets;

/// The targets of a pass, in memory that is kept.
#[derive(Debug, Default)]
pub(super) struct PassTargets {
    classes: Vec<u32>,
    /// Shares of labels, or whether examples have them.
    values: Vec<f32>,
    several: bool,
}

impl PassTargets {
    /// Takes the targets of examples, whose place in the step follows from that of the first.
    ///
    /// # Errors
    /// When an example has no target, or not of the kind that the others have.
    pub(super) fn refill(&mut self, examples: &[&Example], first: usize) -> Result<(), StepError> {
        self.classes.clear();
        self.values.clear();
        let mut kinds = None;
        for (place, example) in examples.iter().enumerate() {
            let example_place = first + place;
            let unlabelled = StepError::Unlabelled { example: example_place };
            let target = example.target.as_ref().ok_or(unlabelled)?;
            match target {
                Target::Class(class) => self.classes.push(*class),
                Target::Shares { shares, .. } => self.values.extend(shares),
                Target::Labels(has) => self.values.extend(has.iter().map(|&has| f32::from(u8::from(has)))),
            }
            let kind = std::mem::discriminant(target);
            if *kinds.get_or_insert(kind) != kind {
                return Err(StepError::MixedTargets { example: example_place });
            }
            self.several = target.labels().is_some();
        }
        Ok(())
    }

    /// How many losses they have: one an example, or one for each label that it can have.
    pub(super) fn losses(&self, examples: usize) -> usize {
        if self.several && !self.values.is_empty() { self.values.len() } else { examples }
    }

    /// All of them.
    pub(super) fn all(&self) -> Targets<'_> {
        match (self.values.is_empty(), self.several) {
            (true, _) => Targets::Classes(&self.classes),
            (false, false) => Targets::Distributions(&self.values),
            (false, true) => Targets::Labels(&self.values),
        }
    }
}
