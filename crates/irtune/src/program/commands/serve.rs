//! `irtune serve`

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use irtune::serve::{Address, DataKeys, Project, ServeOptions, serve};
use irtune::settings::{Origin, Problem, Problems};

use super::inference::{Model, opened};
use crate::program::args::ServeArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::interrupt;
use crate::program::output::say_line;

/// How often a server looks whether it should end.
const LOOK: Duration = Duration::from_millis(100);

/// Answers requests until it is interrupted.
pub fn run(arguments: &ServeArguments, environment: &Environment) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    let token = arguments.token_file.as_ref().and_then(|path| {
        token(path).map_err(|reason| problem("token-file", format!("`{}` {reason}", path.display()))).ok()
    });
    let address = match arguments.listen.parse::<SocketAddr>() {
        Ok(socket) => Address::new(socket, token).map_err(|error| {
            problem("listen", format!("{error}; put one into a file and name it with --token-file"));
        }),
        Err(_) => {
            problem(
                "listen",
                format!("`{}` is no address with a port, such as 127.0.0.1:8420", arguments.listen),
            );
            Err(())
        }
    };
    let keys = arguments.label_studio_keys.as_deref().map(str::parse::<DataKeys>);
    let data_keys = keys.transpose().unwrap_or_else(|error| {
        problem("label-studio-keys", error.to_string());
        None
    });
    let model = Model::check(&arguments.model, &mut problem);
    let Ok(address) = address else { return Err(Failure::Settings(Problems(problems))) };
    if !problems.is_empty() {
        return Err(Failure::Settings(Problems(problems)));
    }
    let predicting = model.options(environment)?;
    let project = arguments.project.as_ref();
    let project = project.map(|folder| Project::open(folder, &arguments.model.run, predicting.clone()));
    let mut project = project.transpose().map_err(anyhow::Error::new)?;
    let run = &arguments.model.run;
    let (mut folder, mut name) = match &project {
        Some(project) => project.model().map_err(anyhow::Error::new)?,
        None => {
            let name = run.file_name().unwrap_or(run.as_os_str());
            (run.clone(), name.to_string_lossy().into_owned())
        }
    };
    let mut predictor = opened(&folder, &predicting);
    if let (Err(error), Some(project)) = (&predictor, &mut project)
        && project.leave_accepted().map_err(anyhow::Error::new)?
    {
        let error = error.message();
        say_line(&format!(
            "note: {name} of the project, at work so far, can't be opened, so {} is; put back {} to have it again\n{}",
            run.display(),
            folder.display(),
            error.trim_end()
        ));
        (folder, name) = project.model().map_err(anyhow::Error::new)?;
        predictor = opened(&folder, &predicting);
    }
    let predictor = predictor?;
    let options = ServeOptions {
        address,
        body_bytes: arguments.max_body as usize * 1_000_000,
        pairs: arguments.max_pairs as usize,
        queue: arguments.queue as usize,
        timeout: Duration::from_secs(arguments.timeout.into()),
        data_keys,
    };
    let interrupted = interrupt::listen("the requests at hand are finished")?;
    let shutdown = async {
        while !interrupted.load(Ordering::SeqCst) {
            tokio::time::sleep(LOOK).await;
        }
    };
    let listening =
        |address: SocketAddr| say_line(&format!("listening on http://{address} (Ctrl-C ends it)"));
    let listen = &arguments.listen;
    serve(predictor, name, options, project, listening, shutdown)
        .map_err(|error| anyhow::Error::new(error).context(format!("{listen} cannot be listened on")).into())
}

/// The token in a file.
///
/// # Errors
/// When there is none, or none that a request's header can hold.
fn token(path: &Path) -> Result<String, String> {
    let text = irtune_files::read_text(path).map_err(|error| format!("cannot be read: {error}"))?;
    let token = text.trim();
    match token {
        "" => Err("is empty".to_owned()),
        token if token.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(token.to_owned()),
        _ => {
            Err("holds no token: use one line of letters, digits and marks of ASCII, without blanks"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_that_a_header_can_hold() {
        let folder = tempfile::tempdir().unwrap();
        let read = |content: &str| {
            let path = folder.path().join("token");
            std::fs::write(&path, content).unwrap();
            token(&path)
        };
        assert_eq!(read("\u{FEFF}s3cret!\r\n"), Ok("s3cret!".to_owned()));
        assert_eq!(read(" \n"), Err("is empty".to_owned()));
        for other in ["two words", "a\nb", "tök"] {
            assert!(read(other).unwrap_err().starts_with("holds no token"), "{other}");
        }
    }
}
