//! Whether the files that a run's prompt was made of are as they were.

use super::RunFolder;
use super::error::RunFolderError;
use crate::settings::TrainSettings;
use irtune_data::{PromptChoice, Template, Verbalizer};
use std::path::{Path, PathBuf};

impl RunFolder {
    /// The files of `settings` that hold something else than this run was begun with: the prompt's and that of the labels'
    /// words, each with the setting's name. A template that was put into a chat can't be compared, and a file that is gone
    /// tells nothing.
    ///
    /// # Errors
    /// When the run's own files are missing or damaged.
    pub fn changed_prompt_files(
        &self,
        settings: &TrainSettings,
    ) -> Result<Vec<(&'static str, PathBuf)>, RunFolderError> {
        let mut changed = Vec::new();
        let name = settings.prompt.as_str();
        if Template::named(name).is_none()
            && let Ok(PromptChoice { template, chat: false }) = PromptChoice::named_or_file(name)
            && template != self.prompt()?
        {
            changed.push(("prompt", PathBuf::from(name)));
        }
        if let (Some(file), Some(words)) = (&settings.label_words, self.verbalizer()?)
            && let Ok(now) = Verbalizer::from_file(Path::new(file), &self.labels()?)
            && now != words
        {
            changed.push(("label_words", PathBuf::from(file)));
        }
        Ok(changed)
    }
}
