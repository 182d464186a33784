//! What a model is to tell: labels, the prompt that asks for one, and the words that stand for them.

use crate::settings::{HeadKind, Objective, TrainSettings};
use irtune_data::{DataError, Ending, LabelSet, Prompt, Template, Verbalizer};
use irtune_model::{Base, ProblemType};
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
    /// How examples end: as transformers' classifiers read them, where the model is such a one.
    pub ending: Ending,
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
        let problem = settings.problem();
        Ok(Task { labels, template, problem, verbalizer, ending: Ending::default() })
    }

    /// The prompt of every pair.
    pub fn prompt(&self) -> Prompt {
        self.template.prompt(self.verbalizer.as_ref().map_or(&self.labels, Verbalizer::as_labels))
    }
}

/// How the examples of a new run end. A head over the last token's state reads the row that transformers' classifiers read.
/// An edit head is a class of our own, which reads the last token, and words are said after it. The text of a chat has all
/// special tokens already.
pub(crate) fn ending(base: &Base, settings: &TrainSettings, chat: bool) -> Ending {
    if (settings.objective, settings.head) != (Objective::Head, HeadKind::Pooled) {
        return Ending::default();
    }
    let appended = if chat { Vec::new() } else { base.tokenizer.appended().to_vec() };
    Ending { appended, padding: base.config.padding_token() }
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
