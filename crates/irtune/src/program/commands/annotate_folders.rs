//! `irtune annotate` with folders of drafts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use irtune::annotate::{Annotation, FolderPairs, Output, text};
use irtune::settings::{Origin, Problem, Problems};
use irtune_documents::Format;
use irtune_files::{Disk, replace_file};

use super::annotate::{annotation, read};
use super::inference::Model;
use crate::program::args::AnnotateArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::output::{print, say_line};
use crate::program::progress::Count;

/// Where what is written of folders goes.
#[derive(Debug, Default)]
struct Places<'a> {
    /// One file with a line a revision.
    lines: Option<&'a Path>,
    /// Folders with files for each document.
    folders: Vec<&'a Path>,
    /// The kinds of these files.
    kinds: Vec<Output>,
}

/// Tells why each revision between the drafts of two folders was made; `problems` are those known so far.
pub(super) fn run(
    arguments: &AnnotateArguments,
    format: Option<Format>,
    mut problems: Vec<Problem>,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut problem = |flag: &str, message: String| {
        problems.push(Problem::at(&Origin::Flag(flag.to_owned()), message));
    };
    let places = places(arguments, &mut problem);
    let model = Model::check(&arguments.model, &mut problem);
    if !problems.is_empty() {
        return Err(Failure::Settings(Problems(problems)));
    }
    let found = FolderPairs::find(&arguments.old, arguments.new.as_deref(), format.is_some())?;
    for path in &found.alone {
        say_line(&format!("note: {} has no partner of the same name, and is left out", path.display()));
    }
    for path in &found.unread {
        say_line(&format!("note: {} is of a kind that isn't read, and is left out", path.display()));
    }
    let mut predictor = model.open(&arguments.model.run, environment)?;
    let mut count = Count::new("documents");
    let mut left_out = 0;
    let mut all = |each: &mut dyn FnMut(&Annotation) -> Result<(), Failure>| {
        for (done, pair) in found.pairs.iter().enumerate() {
            let drafts = match read(&pair.old, pair.new.as_deref(), format) {
                Ok(drafts) => drafts,
                Err(error) => {
                    say_line(&format!("{}; it is left out", error.message().trim_end()));
                    left_out += 1;
                    continue;
                }
            };
            let mut annotation = annotation(drafts, &mut predictor, |_, _| {})?;
            annotation.document = Some(pair.name.clone());
            each(&annotation)?;
            count.at(done + 1, found.pairs.len());
        }
        Ok::<_, Failure>(())
    };
    let shown = |annotation: &Annotation, lines: &[u8]| match (arguments.json, arguments.out.is_empty()) {
        (true, _) => print(&String::from_utf8_lossy(lines)),
        (false, true) => {
            let name = annotation.document.as_deref().unwrap_or_default();
            print(&format!("{name}\n{}\n", text(annotation)))
        }
        (false, false) => Ok(()),
    };
    let done = match places.lines {
        None => all(&mut |annotation| {
            write_files(annotation, &places)?;
            shown(annotation, &Output::Jsonl.write(annotation))
        }),
        // The file is there once all documents are in it.
        Some(path) => {
            let mut failure = None;
            let written = replace_file(&Disk, path, &mut |writer| {
                let done = all(&mut |annotation| {
                    write_files(annotation, &places)?;
                    let lines = Output::Jsonl.write(annotation);
                    writer.write_all(&lines)?;
                    shown(annotation, &lines)
                });
                done.map_err(|error| {
                    failure = Some(error);
                    io::Error::other("a document can't be annotated")
                })
            });
            failure.map_or_else(|| Ok(written?), Err)
        }
    };
    count.finish();
    done?;
    match left_out {
        0 => Ok(()),
        _ => Err(anyhow::anyhow!("{left_out} of {} documents can't be read", found.pairs.len()).into()),
    }
}

fn places<'a>(arguments: &'a AnnotateArguments, problem: &mut dyn FnMut(&str, String)) -> Places<'a> {
    let mut places = Places::default();
    for kind in &arguments.to {
        match kind.trim().parse() {
            Ok(kind) => places.kinds.push(kind),
            Err(_) => problem("to", format!("`{kind}` is none of html, docx, jsonl, csv, json and m2")),
        }
    }
    for path in &arguments.out {
        match Output::of_path(path) {
            Ok(Output::Jsonl) if places.lines.is_none() => places.lines = Some(path),
            Ok(_) => problem(
                "out",
                format!(
                    "`{}`: of folders one .jsonl file is written, or a folder (with --to)",
                    path.display()
                ),
            ),
            Err(_) => places.folders.push(path),
        }
    }
    if places.folders.is_empty() && !places.kinds.is_empty() {
        problem("to", "needs a folder to write to: --out FOLDER".to_owned());
    }
    if places.kinds.is_empty() {
        places.kinds.push(Output::Html);
    }
    places
}

/// The files of a document in each folder: its own name, with the kind's ending behind it.
fn write_files(annotation: &Annotation, places: &Places<'_>) -> Result<(), Failure> {
    let name = annotation.document.as_deref().unwrap_or_default();
    for folder in &places.folders {
        for kind in &places.kinds {
            let path: PathBuf = folder.join(format!("{name}.{kind}"));
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent).map_err(|error| {
                anyhow::Error::new(error).context(format!("{} cannot be made", parent.display()))
            })?;
            let content = kind.write(annotation);
            replace_file(&Disk, &path, &mut |writer| writer.write_all(&content))?;
        }
    }
    Ok(())
}
