//! A folder of its own for each test, with a synthetic base and a small corpus in it, and the built program.

#[cfg(target_os = "linux")]
mod file_faults;
mod running;
mod said;

#[cfg(target_os = "linux")]
pub use file_faults::{FileFault, FileFaults};
pub use running::Running;
pub use said::Said;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use assert_cmd::Command;
use tempfile::TempDir;

use crate::{base::SyntheticBase, corpus};

/// A folder that everything happens in, and that disappears afterwards.
pub struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    /// An empty one.
    #[allow(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// With [`SyntheticBase::of_bytes`] in `base` and pairs in `train.jsonl`, `validation.jsonl` and `test.jsonl`.
    pub fn with_base() -> Self {
        let sandbox = Self::new();
        SyntheticBase::of_bytes().write_folder(&sandbox.path("base"));
        for (part, count) in [("train", 24), ("validation", 8), ("test", 8)] {
            sandbox.write(&format!("{part}.jsonl"), &corpus::sentences(part, count));
        }
        sandbox
    }

    /// The path of a name in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        path
    }

    /// `irtune` in this folder, cut off from the machine's settings, caches and network.
    pub fn irtune(&self) -> Command {
        let mut command = program();
        for (key, value) in self.environment() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command.current_dir(self.folder.path()).timeout(Duration::from_secs(300));
        command
    }

    /// The same for a process that a test talks to while it runs.
    pub fn process(&self) -> std::process::Command {
        let mut command = std::process::Command::new(program().get_program());
        for (key, value) in self.environment() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command.current_dir(self.folder.path());
        command
    }

    /// Starts `irtune` with arguments separated by spaces.
    pub fn start(&self, arguments: &str) -> Running {
        Running::start(self.process().args(arguments.split_whitespace()))
    }

    /// Starts a command that runs `irtune`.
    pub fn start_command(&self, command: &mut std::process::Command) -> Running {
        Running::start(command)
    }

    /// `irtune` in this folder, with the user's own caches and network: what it fetches, it fetches once.
    pub fn connected_irtune(&self) -> Command {
        let mut command = program();
        command.current_dir(self.folder.path()).timeout(Duration::from_secs(600));
        command
    }

    /// Variables to set, and to remove.
    fn environment(&self) -> Vec<(String, Option<String>)> {
        let ours = std::env::vars().map(|(key, _)| key);
        let ours = ours.filter(|key| key.starts_with("IRTUNE_") || key.starts_with("HF_"));
        let mut all: Vec<_> = ours.map(|key| (key, None)).collect();
        let path = |name: &str| self.path(name).to_string_lossy().into_owned();
        for (key, value) in [
            ("IRTUNE_CACHE", path("cache")),
            ("HF_HOME", path("huggingface")),
            ("HF_HUB_OFFLINE", "1".to_owned()),
            ("COLUMNS", "100".to_owned()),
        ] {
            all.push((key.to_owned(), Some(value)));
        }
        all
    }

    /// `irtune` with arguments separated by spaces.
    pub fn run(&self, arguments: &str) -> Said {
        self.run_with(self.irtune().args(arguments.split_whitespace()))
    }

    /// What a command of this folder says.
    pub fn run_with(&self, command: &mut Command) -> Said {
        let output = command.output().expect("the program runs");
        Said {
            code: output.status.code(),
            out: self.plain(&output.stdout),
            error: self.plain(&output.stderr),
        }
    }

    /// Text without this machine's paths.
    fn plain(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        text.replace(&*self.folder.path().to_string_lossy(), "[FOLDER]").replace('\\', "/")
    }

    /// Everything in the folder, to see that nothing was left behind.
    pub fn contents(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(self.folder.path(), self.folder.path(), &mut found);
        found.sort();
        found
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        found.push(path.strip_prefix(root).expect("a path inside").to_string_lossy().replace('\\', "/"));
        if path.is_dir() {
            collect(root, &path, found);
        }
    }
}

/// The built program, as cargo tells a test of its package where it is.
fn program() -> Command {
    Command::cargo_bin("irtune").expect("the built program")
}

/// The files of an adapter, byte for byte.
pub fn adapter_bytes(run: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(run.join("adapter")).expect("a run with an adapter");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut files: Vec<_> = paths.map(|path| (name(&path), fs::read(&path).expect("a file"))).collect();
    files.sort();
    assert!(files.iter().any(|(name, _)| name == "adapter_model.safetensors"), "{files:?}");
    files
}
