//! Commands killed at a change to files, or without space from one on: nothing half-written has a final name, and what is
//! continued ends as what was never disturbed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use irtune_testing::base::SyntheticBase;
use irtune_testing::sandbox::{FileFault, FileFaults, Sandbox};
use serde_json::Value;

const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --test test.jsonl --max-length 400 \
    --batch-size 8 --max-steps 4 --min-steps 0 --rank 2 --save-every 1 --eval-every 2 --warmup-steps 1 --precision f32 \
    --threads 1";

/// A command that makes something at `--out`.
struct Work {
    name: &'static str,
    command: String,
    /// How it goes on: with `--resume`, or by the same command again.
    resumes: bool,
    /// The ending of what it makes, where that is a file whose ending says what it holds.
    ending: &'static str,
    /// What of its results is the same every time.
    compared: fn(&str) -> bool,
}

fn works() -> Vec<Work> {
    let pairs = "--train train.jsonl --validation validation.jsonl --test test.jsonl";
    let everything = |name: &str| !name.contains("tfevents");
    // Reports and tables hold times.
    let runs = |name: &str| name.starts_with("runs/") && !name.contains("tfevents");
    let folds = TRAIN.replace("--test test.jsonl", "--folds 2");
    let compare = format!(
        "compare --methods ir --base base {pairs} --max-steps 2 --rank 2 --max-length 400 --warmup-steps 1 --precision f32 \
         --threads 1"
    );
    let work = |name, command: &str, resumes, compared| Work {
        name,
        command: command.to_owned(),
        resumes,
        ending: "",
        compared,
    };
    let annotate = work("annotate", "annotate --run plain old.txt new.txt", false, everything);
    vec![
        work("train", TRAIN, true, everything),
        work("folds", &folds, false, everything),
        work("compare", &compare, false, runs),
        work("baseline", &format!("baseline {pairs}"), false, everything),
        work("merge", "merge --run plain", false, everything),
        work("combine", "combine --run plain", false, everything),
        work("quantize", "quantize model.gguf --to q8_0", false, everything),
        Work { ending: ".docx", ..annotate },
    ]
}

/// A place with what the commands need.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_base();
    SyntheticBase::of_bytes().write_gguf(&sandbox.path("model.gguf")).unwrap();
    sandbox.run(&format!("{TRAIN} --stack false --out plain")).success();
    sandbox.write("old.txt", "He go home. It rains.");
    sandbox.write("new.txt", "He goes home. It rains.");
    sandbox
}

fn command(sandbox: &Sandbox, arguments: &str) -> Command {
    let mut command = sandbox.process();
    command.args(arguments.split_whitespace());
    command
}

/// Every file of a result without what depends on the clock; a result that is a file has one of the empty name.
fn result(work: &Work, path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![path.to_owned()];
    while let Some(path_now) = open.pop() {
        if path_now.is_dir() {
            open.extend(fs::read_dir(&path_now).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let name = path_now.strip_prefix(path).unwrap().to_string_lossy().into_owned();
        if (work.compared)(&name) {
            let bytes = fs::read(&path_now).unwrap();
            let is_json = name.ends_with(".json") || name.ends_with(".jsonl");
            found.insert(name, if is_json { without_clock(&bytes) } else { bytes });
        }
    }
    found
}

fn without_clock(json: &[u8]) -> Vec<u8> {
    fn forget(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !name.contains("second") && name != "peak_bytes");
                fields.values_mut().for_each(forget);
            }
            Value::Array(values) => values.iter_mut().for_each(forget),
            _ => {}
        }
    }
    let documents = serde_json::Deserializer::from_slice(json).into_iter::<Value>();
    let documents = documents.map(|document| {
        let mut document = document.expect("whole JSON");
        forget(&mut document);
        format!("{document}\n")
    });
    documents.collect::<String>().into_bytes()
}

/// Goes on after a fault until the result is whole.
fn go_on(sandbox: &Sandbox, work: &Work, out: &str) {
    if work.resumes {
        let said = sandbox.run(&format!("train --resume {out}"));
        if said.code == Some(0) || said.error.contains("is finished") {
            return;
        }
        assert!(said.error.contains("is not a run folder"), "{out}: {}", said.error);
    }
    let said = sandbox.run(&format!("{} --out {out}", work.command));
    let is_whole = said.error.contains("is not empty; choose another folder");
    assert!(said.code == Some(0) || is_whole, "{out}: {}", said.error);
}

/// The numbers of some changes of so many, the first and the last among them.
fn spread(changes: u64, points: u64) -> impl Iterator<Item = u64> {
    let points = points.min(changes);
    (0..points).map(move |point| 1 + point * (changes - 1) / (points - 1).max(1))
}

/// Has every command killed at so many changes, and without space from as many on. How often each was done.
fn disturb(kills: u64, full: u64) -> Vec<(&'static str, u64, u64)> {
    let (sandbox, faults) = (sandbox(), FileFaults::new());
    let mut done = Vec::new();
    for work in works() {
        let whole = format!("{}-whole{}", work.name, work.ending);
        let changes = faults.count(&mut command(&sandbox, &format!("{} --out {whole}", work.command)));
        let expected = result(&work, &sandbox.path(&whole));
        assert!(changes > 3 && !expected.is_empty(), "{}: {changes} changes", work.name);
        let killed = spread(changes, kills).map(FileFault::Kill);
        let filled = spread(changes, full).map(FileFault::Full);
        for fault in killed.chain(filled) {
            let out = format!("{}-{fault:?}{}", work.name, work.ending).replace(['(', ')'], "");
            // Every other time the folder is there already.
            let (FileFault::Kill(change) | FileFault::Full(change) | FileFault::Deny(change)) = fault;
            if change % 2 == 0 && sandbox.path(&whole).is_dir() {
                fs::create_dir(sandbox.path(&out)).unwrap();
            }
            let (code, said) =
                faults.run(&mut command(&sandbox, &format!("{} --out {out}", work.command)), fault);
            match fault {
                FileFault::Kill(_) => assert_eq!(code, None, "{out}: it is killed\n{said}"),
                _ => assert!(code == Some(0) || said.contains("space"), "{out}: {said}"),
            }
            go_on(&sandbox, &work, &out);
            let found = result(&work, &sandbox.path(&out));
            let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&found), names(&expected), "{out}");
            for (name, bytes) in &expected {
                assert!(found[name] == *bytes, "{out}: {name} is not what it is undisturbed");
            }
            let left: Vec<String> = sandbox.contents();
            let left: Vec<&String> =
                left.iter().filter(|name| name.starts_with('.') || name.contains("/.")).collect();
            assert!(left.is_empty(), "{out}: left behind: {left:?}");
            let path = sandbox.path(&out);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        done.push((work.name, spread(changes, kills).count() as u64, spread(changes, full).count() as u64));
    }
    done
}

#[test]
fn what_is_killed_or_finds_a_full_disk_goes_on_bitwise() {
    disturb(4, 2);
}

/// Hundreds of the same; what it prints stands in docs/reliability.md.
#[test]
#[ignore = "it takes some ten minutes"]
#[allow(clippy::disallowed_macros, reason = "it tells what it did")]
fn hundreds_of_kills_go_on_bitwise() {
    let done = disturb(120, 30);
    done.iter().for_each(|(name, kills, full)| println!("{name}: {kills} kills, {full} full disks"));
    let (kills, full) = done.iter().fold((0, 0), |(kills, full), done| (kills + done.1, full + done.2));
    println!("{kills} kills and {full} full disks, each continued bitwise");
}

#[test]
fn what_reads_needs_not_write() {
    let (sandbox, faults) = (sandbox(), FileFaults::new());
    let commands = [
        "inspect plain",
        "inspect base",
        "predict --run plain --data test.jsonl",
        "eval --run plain --data test.jsonl",
        "data train.jsonl test.jsonl",
        "plan --base base --train train.jsonl --max-length 400",
        "models",
    ];
    for arguments in commands {
        let (code, said) = faults.run(&mut command(&sandbox, arguments), FileFault::Deny(1));
        assert_eq!(code, Some(0), "{arguments}: {said}");
    }
}
