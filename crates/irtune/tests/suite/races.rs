//! Processes that make the same folder at the same time.

use std::fs;
use std::process::{Output, Stdio};

use irtune_testing::sandbox::Sandbox;

const PROCESSES: usize = 4;

/// Ways to say that somebody else was first.
const TOLD: [&str; 4] = [
    "is not empty; choose another folder with --out",
    "something else has come to be there meanwhile",
    "another process is writing there",
    "another process is training",
];

/// Runs the same command in several processes at once.
fn race(sandbox: &Sandbox, arguments: &str) -> Vec<Output> {
    let start = |_| {
        let mut command = sandbox.process();
        command.args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let started: Vec<_> = (0..PROCESSES).map(start).collect();
    started.into_iter().map(|process| process.wait_with_output().unwrap()).collect()
}

/// One has made the folder, the others are told, and nothing is left of theirs.
fn check(sandbox: &Sandbox, out: &str, raced: &[Output]) {
    let (first, told): (Vec<_>, Vec<_>) = raced.iter().partition(|output| output.status.success());
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let all: Vec<String> = raced.iter().map(said).collect();
    assert_eq!(first.len(), 1, "{all:?}");
    for output in told {
        assert!(output.status.code().is_some_and(|code| code == 1 || code == 2), "{all:?}");
        let said = said(output);
        assert!(TOLD.iter().any(|way| said.contains(way)), "{said}");
    }
    assert!(fs::read_dir(sandbox.path(out)).unwrap().count() > 3);
    let hidden: Vec<String> =
        sandbox.contents().into_iter().filter(|name| name.starts_with('.') || name.contains("/.")).collect();
    assert!(hidden.is_empty(), "left behind: {hidden:?}");
}

#[test]
fn of_several_that_make_the_same_folder_one_does() {
    let sandbox = Sandbox::with_base();
    let train = "train --base base --train train.jsonl --validation validation.jsonl --max-length 400 --batch-size 8 \
        --max-steps 2 --min-steps 0 --rank 2 --head pooled --stack false --warmup-steps 1 --threads 1 --precision f32 --out";
    sandbox.run(&format!("{train} whole")).success();
    let baseline = "baseline --train train.jsonl --validation validation.jsonl --test test.jsonl --out";
    let commands = [
        ("train", train),
        ("baseline", baseline),
        ("merge", "merge --run whole --out"),
        ("combine", "combine --run whole --out"),
    ];
    for (name, command) in commands {
        // Where nothing is, and in a folder that is there.
        for empty in [false, true] {
            let out = format!("{name}-{empty}");
            if empty {
                fs::create_dir(sandbox.path(&out)).unwrap();
            }
            let raced = race(&sandbox, &format!("{command} {out}"));
            check(&sandbox, &out, &raced);
            let asked = if name == "baseline" { "inspect" } else { "predict --data test.jsonl --run" };
            sandbox.run(&format!("{asked} {out}")).success();
        }
    }
}
