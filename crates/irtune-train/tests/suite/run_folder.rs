//! Run folders: made whole or not at all, never over something else, and read back.

use crate::runs::stored_file;
use irtune_data::{Columns, Ending, LabelSet, Template, Verbalizer};
use irtune_files::Disk;
use irtune_model::{BaseFormat, BaseSource, ProblemType};
use irtune_train::{
    Platform, RunContents, RunFolder, RunFolderError, Sources, StoredSource, Task, TrainSettings,
};
use std::fs;
use std::path::Path;

fn contents() -> RunContents {
    RunContents {
        settings: TrainSettings { learning_rate: 0.1 + 0.2, ..Default::default() },
        sources: Sources {
            base: BaseSource {
                path: "base".into(),
                format: BaseFormat::Safetensors,
                bytes: 12,
                fingerprint: "f".into(),
                files: [("config.json".to_owned(), "c".to_owned())].into(),
            },
            base_name: "org/name".into(),
            train: StoredSource::File(stored_file("train.jsonl")),
            validation: None,
            test: Some(StoredSource::File(stored_file("test.csv"))),
            columns: Columns::default(),
        },
        kept: Vec::new(),
        platform: Platform {
            version: "1".into(),
            operating_system: "linux".into(),
            architecture: "x86_64".into(),
            cores: 2,
            precision: "f32".into(),
            threads: 2,
            seed: 171,
        },
        task: Task {
            labels: LabelSet::new(["b", "a"]).unwrap(),
            template: Template::instruction(),
            problem: ProblemType::SingleLabel,
            verbalizer: Some(Verbalizer::of_names(&LabelSet::new(["b", "a"]).unwrap()).unwrap()),
            ending: Ending { appended: vec![3], padding: Some(2) },
        },
    }
}

fn message(result: Result<impl Sized, RunFolderError>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn what_is_put_in_comes_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let contents = contents();
    RunFolder::create(&Disk, &path, &contents).unwrap();
    let folder = RunFolder::open(&path).unwrap();
    assert_eq!(folder.settings().unwrap(), contents.settings);
    assert_eq!(folder.sources().unwrap(), contents.sources);
    assert_eq!(folder.platform().unwrap(), contents.platform);
    assert_eq!(folder.labels().unwrap().names(), ["b", "a"]);
    assert_eq!(folder.prompt().unwrap().text(), Template::instruction().text());
    assert_eq!(folder.task().unwrap(), contents.task);
    assert_eq!(folder.summary().unwrap(), None);
    assert_eq!(folder.steps().unwrap().count(), 0);
    assert_eq!(folder.evaluations().unwrap().count(), 0);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn an_empty_folder_may_become_a_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    fs::create_dir(&path).unwrap();
    RunFolder::create(&Disk, &path, &contents()).unwrap();
    RunFolder::open(&path).unwrap();
}

#[test]
fn what_is_there_is_never_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    RunFolder::create(&Disk, &path, &contents()).unwrap();
    let begun = message(RunFolder::create(&Disk, &path, &contents()));
    assert!(
        begun.ends_with(
            "is not empty; choose another folder with --out, or continue the run in it with --resume"
        ),
        "{begun}"
    );
    let other = directory.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("notes"), "x").unwrap();
    let other_message = message(RunFolder::check_free(&other));
    assert!(other_message.ends_with("is not empty; choose another folder with --out"), "{other_message}");
    assert_eq!(fs::read(other.join("notes")).unwrap(), b"x");
    let file = message(RunFolder::check_free(&other.join("notes")));
    assert!(file.ends_with("notes is there and is no folder; choose another folder with --out"), "{file}");
    RunFolder::check_free(&directory.path().join("new")).unwrap();
}

#[test]
fn something_else_is_no_run() {
    let directory = tempfile::tempdir().unwrap();
    let missing = message(RunFolder::open(&directory.path().join("none")));
    assert!(missing.contains("none is not a run folder: it has no settings.toml"), "{missing}");
    assert!(message(RunFolder::open(directory.path())).contains("give the folder that"));
}

#[test]
fn damaged_files_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let folder = RunFolder::create(&Disk, &path, &contents()).unwrap();
    let damage = |name: &str, content: &str| fs::write(path.join(name), content).unwrap();

    damage("settings.toml", "rank = 'high'");
    let found = message(folder.settings());
    assert!(found.contains("settings.toml") && found.contains("invalid type"), "{found}");
    damage("labels.json", "[\"a\"");
    let found = message(folder.labels());
    assert!(found.contains("labels.json: ") && found.ends_with("the file is damaged"), "{found}");
    fs::remove_file(path.join("sources.json")).unwrap();
    assert!(message(folder.sources()).starts_with("cannot read "));
    damage("metrics.jsonl", "{}\n");
    let found = message(folder.steps().unwrap().next().unwrap());
    assert!(found.contains("metrics.jsonl line 1: missing field"), "{found}");
    damage("summary.json", "{}");
    assert!(message(folder.summary()).contains("summary.json"));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "x").unwrap();
    let found = message(RunFolder::create(&Disk, &file.join("run"), &contents()));
    assert!(found.contains("file"), "{found}");
    assert_eq!(fs::read(&file).unwrap(), b"x");
    if let Err(error) = RunFolder::create(&Disk, Path::new("/proc/irtune-run"), &contents()) {
        assert!(error.to_string().starts_with("cannot write "), "{error}");
    }
}
