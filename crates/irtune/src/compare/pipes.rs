//! What a comparison reads through pipes, kept in its folder: many runs read it.

use std::path::Path;

use irtune_data::is_pipe;
use irtune_files::{Disk, replace_file};
use toml::{Table, Value};

use super::CompareError;
use super::definition::Definition;

/// The settings that name a file.
const FILES: [&str; 6] = ["train", "validation", "test", "prompt", "class_weights", "label_words"];

/// What stands before the path of a prompt that becomes a chat.
const CHAT: &str = "chat:";

/// Puts the content of every pipe that a definition names into `data/` below the comparison's folder, and names it there.
///
/// # Errors
/// When a pipe can't be read, or the folder can't be made.
pub fn keep_pipes(definition: &mut Definition, out: &Path) -> Result<(), CompareError> {
    let Definition { settings, corpus, method, adapter, .. } = definition;
    let corpora = corpus.iter_mut().map(|corpus| &mut corpus.settings);
    let entries = method.iter_mut().chain(adapter).map(|entry| &mut entry.settings);
    for (number, section) in [settings].into_iter().chain(corpora).chain(entries).enumerate() {
        keep(section, number, out)?;
    }
    Ok(())
}

fn keep(section: &mut Table, number: usize, out: &Path) -> Result<(), CompareError> {
    for key in FILES {
        let Some(Value::String(text)) = section.get_mut(key) else { continue };
        let (chat, path) = match text.strip_prefix(CHAT) {
            Some(path) => (CHAT, path),
            None => ("", text.as_str()),
        };
        let path = Path::new(path);
        if !is_pipe(path) {
            continue;
        }
        let folder = out.join("data");
        let unread = |source| CompareError::Path { path: path.display().to_string(), source };
        let bytes = std::fs::read(path).map_err(unread)?;
        std::fs::create_dir_all(&folder)
            .map_err(|source| CompareError::Folder { path: folder.clone(), source })?;
        let extension =
            path.extension().map(|extension| format!(".{}", extension.display())).unwrap_or_default();
        let kept = folder.join(format!("{key}-{number}{extension}"));
        replace_file(&Disk, &kept, &mut |writer| writer.write_all(&bytes))?;
        *text = format!("{chat}{}", kept.display());
    }
    Ok(())
}
