//! What a model is to tell: labels, the prompt that asks for one, and the words that stand for them.

use crate::settings::{Objective, TrainSettings};
use irtune_data::{DataError, LabelSet, Prompt, Template, Verbalizer};
use irtune_model::ProblemType;
use std::path::Path;

/// What a model is to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The labels, in the order of the model's outputs.
    pub labels: LabelSet,
    /// The prompt's template.
    pub template: Template,
    /// Whether a pair has one of the labels or any number of them.
    pub problem: ProblemType,
    /// The labels' words, when the base's language-model head says them; nothing when a classification head tells.
    pub verbalizer: Option<Verbalizer>,
}

impl Task {
    /// What settings ask for, with the labels that the data has.
    ///
    /// # Errors
    /// When the file of the labels' words can't be used, or two labels have the same words.
    pub(crate) fn of(
        settings: &TrainSettings,
        template: Template,
        labels: LabelSet,
    ) -> Result<Task, DataError> {
        let verbalizer = match settings.objective {
            Objective::Head => None,
            Objective::Words => Some(verbalizer(settings.label_words.as_deref().map(Path::new), &labels)?),
        };
        Ok(Task { labels, template, problem: settings.problem(), verbalizer })
    }

    /// The prompt of every pair.
    pub fn prompt(&self) -> Prompt {
        self.template.prompt(self.verbalizer.as_ref().map_or(&self.labels, Verbalizer::as_labels))
    }
}

/// The labels' words: of a file, or their names.
///
/// # Errors
/// When the file can't be used, or two labels have the same words.
pub(crate) fn verbalizer(file: Option<&Path>, labels: &LabelSet) -> Result<Verbalizer, DataError> {
    match file {
        Some(path) => Verbalizer::from_file(path, labels),
        None => Verbalizer::of_names(labels),
    }
}
