//! A server that runs until it is dropped.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

/// A server process.
pub struct Served {
    child: Child,
    /// Where it listens.
    pub address: String,
}

impl Served {
    /// Starts it, and waits until it says where it listens.
    ///
    /// # Errors
    /// When it can't be started or ends.
    pub fn start(command: &mut Command) -> anyhow::Result<Served> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("no messages")?);
        let mut said = String::new();
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                bail!("{:?} ended and never listened:\n{said}", command.get_program());
            }
            if let Some(address) = line.split("listening on http://").nth(1) {
                let address = address.split([' ', '\n', '/']).next().unwrap_or_default().to_owned();
                // What it says from now on is read by nobody, but must go somewhere.
                std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Ok(Served { child, address });
            }
            said += &line;
        }
    }

    /// Bytes of it that are in memory.
    pub fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
