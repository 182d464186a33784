//! How a command ends when it does not succeed: what is said, and the exit code.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use irtune::compare::CompareError;
use irtune::settings::Problems;
use irtune::show::brief::brief;
use irtune_files::shell_path;

/// Why a command stopped.
#[derive(Debug)]
pub enum Failure {
    /// The settings are wrong; nothing was loaded.
    Settings(Problems),
    /// The user interrupted; what was done is saved where there is something to save.
    Interrupted {
        /// The run to resume, with the step it stands at.
        saved: Option<(PathBuf, u64)>,
    },
    /// The user interrupted a comparison; what was done is saved.
    Compare {
        /// The comparison's folder.
        out: PathBuf,
        /// The run that was interrupted, with the step it stands at.
        cell: Option<(String, u64)>,
    },
    /// Nobody reads standard output any more.
    NoReader,
    /// Anything else.
    Error(anyhow::Error),
}

impl Failure {
    /// The process's exit code: 1 failure, 2 wrong settings, 130 interrupted.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Settings(_) => 2,
            Self::Interrupted { .. } | Self::Compare { .. } => 130,
            Self::NoReader => 0,
            Self::Error(_) => 1,
        })
    }

    /// Of a comparison in the folder `out`.
    pub fn comparison(error: CompareError, out: &Path) -> Self {
        match error {
            CompareError::Settings(problems) => Self::Settings(problems),
            CompareError::Interrupted { run } => Self::Compare { out: out.to_owned(), cell: run },
            // Their own ways out are looked up by their types.
            CompareError::Predictor(error) => error.into(),
            CompareError::Model(error) => error.into(),
            error => error.into(),
        }
    }

    /// What to say on standard error.
    pub fn message(&self) -> String {
        brief(&self.whole_message()).into_owned()
    }

    fn whole_message(&self) -> String {
        match self {
            Self::Settings(problems) => format!("error: {problems}\n"),
            Self::Interrupted { saved: None } => "interrupted\n".to_owned(),
            Self::Interrupted { saved: Some((run, step)) } => format!(
                "interrupted after step {step}; everything is saved\nhint: continue with\n  irtune train --resume {}\n",
                shell_path(run)
            ),
            Self::Compare { out, cell } => format!(
                "interrupted{}; everything is saved\nhint: continue with\n  irtune compare --out {}\n",
                cell.as_ref()
                    .map_or_else(String::new, |(cell, step)| format!(" after step {step} of {cell}")),
                shell_path(out)
            ),
            Self::NoReader => String::new(),
            Self::Error(error) => chain(error),
        }
    }
}

/// The error with its causes; a cause that its error already quotes is not said twice.
fn chain(error: &anyhow::Error) -> String {
    let mut out = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // A parser's own position counts from where it began, which would contradict the file's line above.
        let without_position = cause.split(" at line ").next().unwrap_or(&cause);
        if !out.contains(without_position) {
            let _ = writeln!(out, "  because: {cause}");
        }
    }
    if let Some(hint) = error.chain().find_map(super::hints::hint) {
        let _ = writeln!(out, "hint: {hint}");
    }
    out
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_listed_once() {
        let inner = std::io::Error::other("disk full");
        let error = anyhow::Error::new(inner).context("saving failed").context("step 3: saving failed");
        assert_eq!(chain(&error), "error: step 3: saving failed\n  because: disk full\n");
    }
}
