//! `irtune push`

use std::path::PathBuf;

use irtune_hub::{HubModel, HubName, PushContent, PushFile, PushRequest, Pushed, System, push};
use irtune_train::{Published, published};
use serde::Serialize;

use super::of_run;
use crate::program::args::PushArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print_json, say_line};
use crate::program::progress::Fetching;
use irtune::settings::{Origin, Problem, Problems};
use irtune::show::numbers::bytes;

/// What was sent, or would be.
#[derive(Serialize)]
struct Told<'a> {
    files: Vec<Listed<'a>>,
    left_out: Vec<LeftOut<'a>>,
    /// Nothing of a dry run.
    pushed: Option<&'a Pushed>,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    bytes: u64,
}

#[derive(Serialize)]
struct LeftOut<'a> {
    name: &'a str,
    because: &'static str,
}

/// Puts a model on the hub.
pub fn run(arguments: &PushArguments, environment: &Environment) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    of_run::check_run(&arguments.run, &mut problem);
    if arguments.message.trim().is_empty() {
        problem("message", "is empty".to_owned());
    }
    let name = repository(arguments).unwrap_or_else(|(flag, message)| {
        problem(flag, message);
        None
    });
    let Some(name) = name.filter(|_| problems.is_empty()) else {
        return Err(Failure::Settings(Problems(problems)));
    };
    let home: Vec<PathBuf> = environment.home().map(PathBuf::from).into_iter().collect();
    let published = published(&arguments.run, arguments.linear, &home)?;
    let files = files(&published);
    let lengths = files.iter().map(PushFile::length).collect::<Result<Vec<_>, _>>()?;
    let listed = || files.iter().zip(&lengths);
    for (file, length) in listed() {
        say_line(&format!("  {} ({})", file.name, bytes(*length)));
    }
    for (name, because) in &published.left_out {
        say_line(&format!("  left out: {name}, which {because}"));
    }
    let pushed = if arguments.dry_run {
        say_line(&format!(
            "Nothing was sent. Without --dry-run these files, {}, become a commit of {name}.",
            bytes(lengths.iter().sum())
        ));
        None
    } else {
        let request = PushRequest {
            name: &name,
            revision: &arguments.revision,
            private: arguments.private,
            message: &arguments.message,
            files: &files,
        };
        let pushed = push(&request, &environment.hub(), &System, &mut Fetching::default())?;
        say_line(&said(&pushed));
        Some(pushed)
    };
    if arguments.json {
        let files = listed().map(|(file, length)| Listed { name: &file.name, bytes: *length }).collect();
        let left_out = published.left_out.iter().map(|(name, because)| LeftOut { name, because }).collect();
        print_json(&Told { files, left_out, pushed: pushed.as_ref() })?;
    }
    Ok(())
}

/// The repository, or the flag that is wrong and why.
fn repository(arguments: &PushArguments) -> Result<Option<HubName>, (&'static str, String)> {
    let PushArguments { to, revision, .. } = arguments;
    let form = || format!("`{to}` is not of the form hf:ORG/NAME");
    let rest = to.strip_prefix("hf:").ok_or_else(|| ("hf:ORG/NAME", form()))?;
    let model: HubModel = rest.parse().map_err(|_| ("hf:ORG/NAME", form()))?;
    if model.revision.is_some() {
        return Err(("hf:ORG/NAME", format!("`{to}` names a revision; give the branch with --revision")));
    }
    if model.quantisation.is_some() {
        return Err(("hf:ORG/NAME", form()));
    }
    let branch = format!("{}@{revision}", model.name).parse::<HubModel>();
    branch.map_err(|_| ("revision", format!("`{revision}` can be no name of a branch")))?;
    Ok(Some(model.name))
}

fn files(published: &Published) -> Vec<PushFile> {
    let content = |file: &irtune_train::PublishedFile| match &file.bytes {
        Some(bytes) => PushContent::Bytes(bytes.clone()),
        None => PushContent::File(file.path.clone()),
    };
    let files = published.files.iter();
    files.map(|file| PushFile { name: file.name.clone(), content: content(file) }).collect()
}

/// One line of what was done.
fn said(pushed: &Pushed) -> String {
    let Pushed { repository, commit, created, sent, unchanged, ignored } = pushed;
    let made = if *created { "a new repository, " } else { "" };
    if sent.is_empty() {
        return format!("{repository}: {made}everything is there already (commit {commit})");
    }
    let counted = |count: usize, what: &str| match count {
        0 => String::new(),
        count => format!(", {count} {what}"),
    };
    format!(
        "{repository}: {made}{} sent{}{} (commit {commit})",
        if sent.len() == 1 { "one file".to_owned() } else { format!("{} files", sent.len()) },
        counted(unchanged.len(), "there already"),
        counted(ignored.len(), "kept out by its .gitignore"),
    )
}
