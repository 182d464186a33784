//! The program killed or refused at one of its changes to files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What happens to a program at a change to files. Changes are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFault {
    /// It is killed, when half of the change is done.
    Kill(u64),
    /// From this change on there is no space.
    Full(u64),
    /// From this change on nothing can be changed.
    Deny(u64),
}

/// A library that stands between a program and the system calls by which it changes files; on Linux.
pub struct FileFaults {
    folder: TempDir,
    library: PathBuf,
}

impl FileFaults {
    /// Compiles the library with the C compiler that links Rust's programs too.
    ///
    /// # Panics
    /// When there is none.
    #[allow(clippy::new_without_default, reason = "it runs a compiler")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (source, library) = (folder.path().join("file_faults.c"), folder.path().join("file_faults.so"));
        fs::write(&source, include_str!("file_faults.c")).expect("a file");
        let compiled =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).output();
        let compiled = compiled.expect("a C compiler, `cc`");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        Self { folder, library }
    }

    /// How many changes a command makes.
    ///
    /// # Panics
    /// When it fails.
    pub fn count(&self, command: &mut Command) -> u64 {
        let counted = self.folder.path().join("count");
        let output = self.preload(command).env("FILES_COUNT", &counted).output().expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(counted).expect("a count").trim().parse().expect("a number")
    }

    /// Runs a command that has such a fault: its exit code, none when it was killed, and what it said.
    ///
    /// # Panics
    /// When it doesn't start.
    pub fn run(&self, command: &mut Command, fault: FileFault) -> (Option<i32>, String) {
        let (variable, change) = match fault {
            FileFault::Kill(change) => ("FILES_KILL", change),
            FileFault::Full(change) => ("FILES_FULL", change),
            FileFault::Deny(change) => ("FILES_DENY", change),
        };
        let output =
            self.preload(command).env(variable, change.to_string()).output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn preload<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("LD_PRELOAD", Path::new(&self.library)).stdin(Stdio::null())
    }
}
