//! The peers' Python environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::programs::{output, root};

/// Python packages of the PyTorch side.
const PACKAGES: [&str; 6] = ["torch", "transformers", "peft", "gguf", "safetensors", "numpy"];

/// A Python environment with the peers in it.
pub struct Python {
    program: PathBuf,
}

impl Python {
    /// Opens the environment, or makes it and installs what it lacks.
    ///
    /// # Errors
    /// When it can't be made or a package can't be installed.
    pub fn ready(folder: PathBuf) -> anyhow::Result<Self> {
        let program = folder.join("bin/python");
        if !program.exists() {
            eprintln!("Making a Python environment in {} ...", folder.display());
            output(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        }
        let python = Self { program };
        if !python.has(&PACKAGES.join(", ")) {
            eprintln!("Installing {} ...", PACKAGES.join(", "));
            output(Command::new(&python.program).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
        }
        Ok(python)
    }

    fn has(&self, modules: &str) -> bool {
        output(Command::new(&self.program).args(["-c", &format!("import {modules}")])).is_ok()
    }

    /// Makes llama.cpp ready; it is compiled here, on one core and with low priority.
    ///
    /// # Errors
    /// When it can't be installed.
    pub fn llama(&self) -> anyhow::Result<()> {
        if self.has("llama_cpp") {
            return Ok(());
        }
        eprintln!("Compiling llama.cpp, which takes a while ...");
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(&self.program).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "llama-cpp-python",
        ]);
        output(command.env("CMAKE_BUILD_PARALLEL_LEVEL", "1"))
            .map(drop)
            .context("pip install llama-cpp-python")
    }

    /// A command that runs a script of `bench/peers`.
    pub fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(root().join("bench/peers").join(name));
        // Everything is local; nothing is to be looked up while the clock runs.
        command.env("HF_HUB_OFFLINE", "1");
        command
    }

    /// Writes a GGUF base as a transformers folder, unless it is there.
    ///
    /// # Errors
    /// When the script fails.
    pub fn export(&self, base: &Path, precision: &str, folder: &Path) -> anyhow::Result<()> {
        if folder.join("config.json").exists() {
            return Ok(());
        }
        eprintln!("Exporting the base in {precision} ...");
        output(self.script("export_base.py").arg(base).arg(folder).args(["--dtype", precision])).map(drop)
    }
}
