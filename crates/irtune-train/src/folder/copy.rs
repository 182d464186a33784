//! A run folder made of another one.

use super::create::create_whole;
use super::error::RunFolderError;
use super::{RunFolder, SETTINGS, SUMMARY, calibration, linear, test_predictions};
use crate::data_split::DataSplit;
use crate::settings::TrainSettings;
use irtune_files::{Files, WriteError};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// What only an unfinished run needs.
const CHECKPOINTS: &str = "checkpoints";
/// What depends on how a model's outputs are answered; the copy gets its own.
const OWN: [&str; 6] =
    [SETTINGS, SUMMARY, calibration::FILE, linear::MODEL, linear::STACK, test_predictions::FILE];
/// Of these the copy keeps what was measured while the model was trained.
const EVALUATIONS: &str = "evaluations.jsonl";

/// Copies a finished run under other settings; `fill` writes what depends on how its outputs are answered. All of it or
/// nothing.
///
/// # Errors
/// When something is at `out`, a file can't be read or written, or `fill` fails.
pub(crate) fn copy_run<T, E: From<RunFolderError> + From<WriteError>>(
    files: &dyn Files,
    run: &RunFolder,
    out: &Path,
    settings: &TrainSettings,
    fill: impl FnOnce(&RunFolder) -> Result<T, E>,
) -> Result<T, E> {
    create_whole(files, out, |writing| {
        copy_folder(files, run.path(), writing, &|name| {
            OWN.contains(&name) || [EVALUATIONS, CHECKPOINTS].contains(&name)
        })?;
        let copy = RunFolder { path: writing.to_owned() };
        copy.write_settings(files, settings)?;
        for evaluation in run.evaluations()? {
            let evaluation = evaluation?;
            if evaluation.split != DataSplit::Test {
                copy.log_evaluation(files, &evaluation)?;
            }
        }
        fill(&copy)
    })
}

/// Copies the files of a folder, and of those in it, but for some at its top.
fn copy_folder(
    files: &dyn Files,
    from: &Path,
    to: &Path,
    left_out: &dyn Fn(&str) -> bool,
) -> Result<(), RunFolderError> {
    let unread = |source| RunFolderError::read(from, source);
    for entry in fs::read_dir(from).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if left_out(&entry.file_name().to_string_lossy()) {
            continue;
        }
        if path.is_dir() {
            files.create_directory(&target).map_err(WriteError::at(&target))?;
            copy_folder(files, &path, &target, &|_| false)?;
            continue;
        }
        let mut file = File::open(&path).map_err(|source| RunFolderError::read(&path, source))?;
        files
            .write(&target, &mut |writer| io::copy(&mut file, writer).map(drop))
            .map_err(WriteError::at(&target))?;
    }
    Ok(())
}
