//! irtune's own programs, and starting programs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;
use std::{env, fs};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// What is built: a package, the kind of its programs, their names.
const TARGETS: [(&str, &str, &[&str]); 4] = [
    ("irtune", "--bin", &["irtune"]),
    ("irtune-train", "--example", &["peer_work", "peer_driver"]),
    ("irtune-model", "--example", &["random_base"]),
    ("irtune-cpu", "--bench", &["gemm"]),
];

/// irtune's side, built for speed.
pub struct Programs {
    executables: BTreeMap<String, PathBuf>,
}

impl Programs {
    /// Builds them.
    ///
    /// # Errors
    /// When a build fails.
    pub fn build() -> anyhow::Result<Self> {
        Self::build_only(&TARGETS.map(|(package, ..)| package))
    }

    /// Builds those of some packages.
    ///
    /// # Errors
    /// When a build fails.
    pub fn build_only(packages: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command.args(["build", "--release", "--message-format", "json-render-diagnostics"]);
        // In one call, so that what they share is built once.
        for (package, target, names) in TARGETS.into_iter().filter(|(package, ..)| packages.contains(package))
        {
            command.args(["--package", package]);
            names.iter().for_each(|name| _ = command.args([target, name]));
        }
        let output = command.current_dir(root()).stderr(Stdio::inherit()).output().context("cargo")?;
        ensure!(output.status.success(), "irtune can't be built");
        let mut executables = BTreeMap::new();
        for line in String::from_utf8(output.stdout)?.lines() {
            let message: Value = serde_json::from_str(line)?;
            if let (Some(name), Some(path)) =
                (message["target"]["name"].as_str(), message["executable"].as_str())
            {
                executables.insert(name.to_owned(), PathBuf::from(path));
            }
        }
        Ok(Self { executables })
    }

    /// A program that was built elsewhere.
    pub fn given(name: &str, path: PathBuf) -> Self {
        Self { executables: BTreeMap::from([(name.to_owned(), path)]) }
    }

    /// A command that starts one of them.
    ///
    /// # Panics
    /// When it is none of those that were built.
    pub fn command(&self, name: &str) -> Command {
        Command::new(&self.executables[name])
    }
}

/// The commit that is measured, with a plus where files differ from it.
pub fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(root()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = git(&["status", "--porcelain", "crates", "bench", "Cargo.lock"])?;
    Some(git(&["rev-parse", "--short", "HEAD"])? + if changed.is_empty() { "" } else { "+" })
}

/// What a program wrote to standard output.
///
/// # Errors
/// When it can't be started or fails; the error ends with what it said last.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| command.get_program().display().to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.trim().lines().rev().take(8).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    ensure!(output.status.success(), "{:?}: {}\n{}", command.get_program(), output.status, last.join("\n"));
    Ok(String::from_utf8(output.stdout)?)
}

/// The JSON that a program writes to the file behind its `--out`; a moment it tells becomes a time since its start.
///
/// # Errors
/// When it fails or the file is not JSON.
pub fn result(command: &mut Command, out: &Path) -> anyhow::Result<Value> {
    let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64();
    output(command.arg("--out").arg(out))?;
    let mut result: Value = serde_json::from_slice(&fs::read(out)?)?;
    fs::remove_file(out)?;
    if let Some(moment) = result["first_step_unix_seconds"].as_f64()
        && let Some(object) = result.as_object_mut()
    {
        object.remove("first_step_unix_seconds");
        object.insert("time_to_first_step_seconds".to_owned(), json!(moment - started));
    }
    Ok(result)
}
