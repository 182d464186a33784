//! Watches the workers of a target.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use anyhow::Context as _;

use crate::place::{self, CURRENT};
use crate::target::{Cases, Target};
use crate::{message, worker};

/// What a worker may hold in memory, in kibibytes as `ulimit` counts.
const MOST_MEMORY: u64 = 2 << 20;

/// Has the cases of a target worked through, by one worker after another when they die; how many findings there are. Each
/// worker has a copy of the whole files.
///
/// # Errors
/// When the files can't be copied, or a worker fails by itself.
pub fn watch(target: &Target, cases: Cases, whole: &Path, keep: Option<&Path>) -> anyhow::Result<usize> {
    let started = Instant::now();
    let (mut rest, mut findings, mut sums) = (cases, Vec::new(), [0u64; 3]);
    while rest.count > 0 {
        let folder = tempfile::Builder::new().prefix(message::PLACE).tempdir()?;
        place::copy(whole, folder.path())?;
        let output = start(target, rest, folder.path(), keep)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        for line in said.lines() {
            if let Some(finding) = line.strip_prefix("finding ") {
                findings.push(finding.to_owned());
            } else if let Some(done) = line.strip_prefix("done ") {
                for (sum, text) in sums.iter_mut().zip(done.split(' ')) {
                    *sum += text.parse::<u64>()?;
                }
            }
        }
        if output.status.success() {
            break;
        }
        let died = died(&output, &folder.path().join(CURRENT))?;
        findings.push(format!("{} {}", died.0, died.1));
        let done = died.0 + 1 - rest.first;
        rest = Cases { first: died.0 + 1, count: rest.count - done };
    }
    let [read, refused, kinds] = sums;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{:<14}{:>9} cases from {}: {read} read, {refused} refused in {kinds} kinds of words, {} findings, {seconds:.1} s",
        target.name,
        cases.count,
        cases.first,
        findings.len()
    );
    findings.iter().for_each(|finding| println!("    {finding}"));
    Ok(findings.len())
}

/// Runs a worker to its end; on Unix its memory is limited.
fn start(target: &Target, cases: Cases, folder: &Path, keep: Option<&Path>) -> anyhow::Result<Output> {
    let program = std::env::current_exe()?;
    let mut command = match cfg!(unix) {
        true => {
            let mut shell = Command::new("sh");
            shell
                .args(["-c", &format!("ulimit -c 0; ulimit -d {MOST_MEMORY}; exec \"$0\" \"$@\"")])
                .arg(program);
            shell
        }
        false => Command::new(program),
    };
    command
        .arg(target.name)
        .arg("--first")
        .arg(cases.first.to_string())
        .arg("--count")
        .arg(cases.count.to_string());
    command.arg("--worker").arg(folder).env("RAYON_NUM_THREADS", "1");
    if let Some(keep) = keep {
        command.arg("--keep").arg(keep);
    }
    Ok(command.output()?)
}

/// In which case a worker died, and how.
fn died(output: &Output, current: &PathBuf) -> anyhow::Result<(u64, String)> {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let number = fs::read(current).ok().and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
    let number = number.with_context(|| format!("a worker died before its first case: {complaint}"))?;
    let how = match output.status.code() {
        Some(worker::TOO_LONG) => "it takes longer than ten seconds".to_owned(),
        _ => format!("the process ends ({}): {}", output.status, complaint.trim().replace('\n', " ")),
    };
    Ok((number, how))
}
