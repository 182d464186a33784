//! A folder of its own for each test, with a tiny random model and a small corpus in it.
#![allow(dead_code, missing_docs)]

pub mod tiny;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder that everything happens in, and that disappears afterwards.
pub struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With a tiny base in `base` and pairs in `train.jsonl`, `validation.jsonl` and `test.jsonl`.
    pub fn with_base() -> Self {
        let sandbox = Self::new();
        tiny::write_base(&sandbox.path("base"));
        for (part, count) in [("train", 24), ("validation", 8), ("test", 8)] {
            sandbox.write(&format!("{part}.jsonl"), &tiny::pairs(part, count));
        }
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// `irtune` in this folder, cut off from the machine's settings, caches and network.
    pub fn irtune(&self) -> Command {
        let mut command = Command::cargo_bin("irtune").unwrap();
        self.isolate(|key, value| {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        });
        command.current_dir(self.folder.path()).timeout(std::time::Duration::from_secs(300));
        command
    }

    /// The same for a process that is to be interrupted.
    pub fn process(&self) -> std::process::Command {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("irtune"));
        self.isolate(|key, value| {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        });
        command.current_dir(self.folder.path());
        command
    }

    fn isolate(&self, mut set: impl FnMut(&str, Option<&str>)) {
        for (key, _) in
            std::env::vars().filter(|(key, _)| key.starts_with("IRTUNE_") || key.starts_with("HF_"))
        {
            set(&key, None);
        }
        set("IRTUNE_CACHE", Some(&self.path("cache").to_string_lossy()));
        set("HF_HOME", Some(&self.path("huggingface").to_string_lossy()));
        set("HF_HUB_OFFLINE", Some("1"));
        set("COLUMNS", Some("100"));
    }

    /// `irtune` with arguments separated by spaces.
    pub fn run(&self, arguments: &str) -> Said {
        self.run_with(self.irtune().args(arguments.split_whitespace()))
    }

    pub fn run_with(&self, command: &mut Command) -> Said {
        let output = command.output().unwrap();
        Said {
            code: output.status.code(),
            out: self.plain(&output.stdout),
            error: self.plain(&output.stderr),
        }
    }

    /// Text without this machine's paths.
    fn plain(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
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
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"));
        if path.is_dir() {
            collect(root, &path, found);
        }
    }
}

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub error: String,
}

impl Said {
    /// For a snapshot of a failure.
    pub fn failure(&self) -> String {
        assert_eq!(self.out, "", "a failure writes nothing to standard output");
        format!("exit code {}\n{}", self.code.unwrap(), self.error)
    }

    pub fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.error);
        self
    }
}

/// The files of an adapter, byte for byte.
pub fn adapter_bytes(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(run.join("adapter"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert!(files.iter().any(|(name, _)| name == "adapter_model.safetensors"), "{files:?}");
    files
}
