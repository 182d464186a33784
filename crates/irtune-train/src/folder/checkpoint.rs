//! Checkpoints: everything a run needs to continue as if it had never stopped.
//!
//! A checkpoint is a folder `checkpoints/step-00000120`. It is written as `.writing`, file by file through to the
//! disk, and renamed when complete; only then is the one before it renamed to `.dropped` and removed. So whenever a
//! run is killed, every folder named `step-…` is complete, and there is one as soon as the first was written.

use super::state::RunState;
use super::tensor_file::{self, FileSeal, SealError};
use irtune_files::Files;
use irtune_model::HostTensor;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

const WRITING: &str = ".writing";
const DROPPED: &str = ".dropped";
const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;

/// What a checkpoint holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Where the run stands.
    pub state: RunState,
    /// Adapters and head.
    pub parameters: Vec<HostTensor>,
    /// The optimizer's moments and step counts.
    pub optimizer: Vec<HostTensor>,
}

/// Why a checkpoint can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Writing failed; what was begun is removed and the checkpoint before it is still there.
    #[error("cannot write the checkpoint {}: {source}{}", path.display(), irtune_files::hint(source))]
    Write {
        /// The checkpoint.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The folder of checkpoints can't be read or tidied.
    #[error("{}: {source}{}", path.display(), irtune_files::hint(source))]
    Directory {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of the checkpoint is not what was written.
    #[error("{source}; {}", way_out(checkpoint, earlier.as_deref()))]
    Damaged {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// The checkpoint before it, when there is one.
        earlier: Option<PathBuf>,
        /// What is wrong.
        source: Box<SealError>,
    },
    /// The list of the checkpoint's files, or its state, does not parse.
    #[error("{}: {source}; {}", path.display(), way_out(checkpoint, earlier.as_deref()))]
    Unparsable {
        /// The file.
        path: PathBuf,
        /// The checkpoint.
        checkpoint: PathBuf,
        /// The checkpoint before it, when there is one.
        earlier: Option<PathBuf>,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// It was written by a version that stores checkpoints otherwise.
    #[error("{}: checkpoint format {found}, this version reads {FORMAT}; resume with the version that wrote it", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u32,
    },
}

fn way_out(checkpoint: &Path, earlier: Option<&Path>) -> String {
    let step =
        |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    match earlier {
        Some(earlier) => format!("remove {} to fall back to {}", checkpoint.display(), step(earlier)),
        None => "there is no earlier checkpoint, so train into a new folder".to_owned(),
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    state: FileSeal,
    parameters: FileSeal,
    optimizer: FileSeal,
}

/// The name of the checkpoint after so many steps.
pub fn name(step: u64) -> String {
    format!("step-{step:08}")
}

/// The complete checkpoints of a folder, the newest first; none when the folder is missing.
///
/// # Errors
/// When the folder can't be read.
pub fn list(directory: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let wrap = |source| CheckpointError::Directory { path: directory.to_owned(), source };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrap(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(wrap)?.path();
        let step =
            path.file_name().and_then(|name| name.to_str()?.strip_prefix("step-")?.parse::<u64>().ok());
        found.extend(step.map(|step| (step, path)));
    }
    found.sort_unstable_by_key(|(step, _)| std::cmp::Reverse(*step));
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Removes what an interrupted write or removal left behind.
///
/// # Errors
/// When it can't be removed.
pub fn clean(files: &dyn Files, directory: &Path) -> Result<(), CheckpointError> {
    for name in [WRITING, DROPPED] {
        let path = directory.join(name);
        files.remove_directory(&path).map_err(|source| CheckpointError::Directory { path, source })?;
    }
    Ok(())
}

/// Writes a checkpoint into `directory` and drops the earlier ones; its path.
///
/// One that is already there for the same step is kept as it is: replacing it could not be done at once.
///
/// # Errors
/// When writing fails: then nothing of it is left and the one before is still there.
pub fn save(
    files: &dyn Files,
    directory: &Path,
    checkpoint: &Checkpoint,
) -> Result<PathBuf, CheckpointError> {
    let path = directory.join(name(checkpoint.state.step));
    let writing = directory.join(WRITING);
    let earlier = list(directory)?;
    if earlier.contains(&path) {
        return Ok(path);
    }
    clean(files, directory)?;
    let written = write(files, &writing, checkpoint).and_then(|()| files.rename(&writing, &path));
    if let Err(source) = written {
        // The first error is the one to report; the next save or resume tidies again.
        let _ = files.remove_directory(&writing);
        return Err(CheckpointError::Write { path, source });
    }
    for old in &earlier {
        drop_checkpoint(files, directory, old)
            .map_err(|source| CheckpointError::Directory { path: old.clone(), source })?;
    }
    Ok(path)
}

fn write(files: &dyn Files, writing: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    files.create_directory(writing)?;
    let tensors = |name: &str, tensors: &[HostTensor]| {
        tensor_file::write_sealed(files, &writing.join(name), &|writer| {
            tensor_file::write_tensors(tensors, writer)
        })
    };
    let parameters = tensors("parameters.safetensors", &checkpoint.parameters)?;
    let optimizer = tensors("optimizer.safetensors", &checkpoint.optimizer)?;
    let json = serde_json::to_vec_pretty(&checkpoint.state)?;
    let state =
        tensor_file::write_sealed(files, &writing.join("state.json"), &|writer| writer.write_all(&json))?;
    let manifest = serde_json::to_vec_pretty(&Manifest { format: FORMAT, state, parameters, optimizer })?;
    files.write(&writing.join(MANIFEST), &mut |writer| writer.write_all(&manifest))
}

fn drop_checkpoint(files: &dyn Files, directory: &Path, path: &Path) -> io::Result<()> {
    let dropped = directory.join(DROPPED);
    files.rename(path, &dropped)?;
    files.remove_directory(&dropped)
}

/// Reads a checkpoint and checks every byte of it.
///
/// # Errors
/// When a file is missing, shortened or changed; the message says which and what to do.
pub fn load(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut names = list(directory)?.into_iter().skip_while(|other| other != path);
    let earlier = names.nth(1);
    let damaged = |source: SealError| CheckpointError::Damaged {
        checkpoint: path.to_owned(),
        earlier: earlier.clone(),
        source: Box::new(source),
    };
    let unparsable = |file: &str, source: serde_json::Error| CheckpointError::Unparsable {
        path: path.join(file),
        checkpoint: path.to_owned(),
        earlier: earlier.clone(),
        source,
    };
    let manifest = path.join(MANIFEST);
    let text = std::fs::read(&manifest)
        .map_err(|source| damaged(SealError::Unreadable { path: manifest.clone(), source }))?;
    let header: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| unparsable(MANIFEST, error))?;
    if let Some(found) = header["format"].as_u64().filter(|found| *found != u64::from(FORMAT)) {
        return Err(CheckpointError::Format { path: manifest, found: found as u32 });
    }
    let seals: Manifest = serde_json::from_value(header).map_err(|error| unparsable(MANIFEST, error))?;
    let state = tensor_file::read_sealed(path, &seals.state).map_err(&damaged)?;
    Ok(Checkpoint {
        state: serde_json::from_slice(&state).map_err(|error| unparsable("state.json", error))?,
        parameters: tensor_file::read_tensors(path, &seals.parameters).map_err(&damaged)?,
        optimizer: tensor_file::read_tensors(path, &seals.optimizer).map_err(&damaged)?,
    })
}
