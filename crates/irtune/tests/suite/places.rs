//! Where commands write: into the folder that they are run in, and where something can't be written or looked at.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use irtune_testing::base::SyntheticBase;
use irtune_testing::sandbox::{Said, Sandbox};
use serde_json::Value;

const TRAIN: &str = "train --base ../base --train ../train.jsonl --validation ../validation.jsonl --test ../test.jsonl \
    --max-length 400 --batch-size 8 --max-steps 3 --min-steps 0 --rank 2 --head pooled --stack false --warmup-steps 1 \
    --precision f32";

/// What a command says that is run in a new folder.
fn inside(sandbox: &Sandbox, folder: &str, arguments: &str) -> Said {
    fs::create_dir(sandbox.path(folder)).unwrap();
    again(sandbox, folder, arguments)
}

fn again(sandbox: &Sandbox, folder: &str, arguments: &str) -> Said {
    let mut command = sandbox.irtune();
    sandbox.run_with(command.current_dir(sandbox.path(folder)).args(arguments.split_whitespace()))
}

fn hidden(sandbox: &Sandbox) -> Vec<String> {
    sandbox.contents().into_iter().filter(|name| name.starts_with('.') || name.contains("/.")).collect()
}

#[test]
fn commands_write_into_the_folder_that_they_are_run_in() {
    let sandbox = Sandbox::with_base();
    fs::create_dir(sandbox.path("run")).unwrap();
    let before = fs::metadata(sandbox.path("run")).unwrap().ino();
    let said = again(&sandbox, "run", &format!("{TRAIN} --out .")).success();
    assert!(said.error.contains("macro F1") || said.error.contains("macro-F1"), "{}", said.error);
    assert_eq!(fs::metadata(sandbox.path("run")).unwrap().ino(), before, "it is the same folder");
    again(&sandbox, "run", "inspect .").success();

    inside(&sandbox, "merged", "merge --run ../run --out .").success();
    again(&sandbox, "merged", "predict --run . --data ../test.jsonl").success();
    inside(&sandbox, "combined", "combine --run ../run --out .").success();
    again(&sandbox, "combined", "eval --run . --data ../test.jsonl").success();
    let pairs = "--train ../train.jsonl --validation ../validation.jsonl --test ../test.jsonl";
    inside(&sandbox, "linear", &format!("baseline {pairs} --out .")).success();
    again(&sandbox, "linear", "inspect .").success();
    let settings = "--max-steps 2 --rank 2 --max-length 400 --warmup-steps 1 --head pooled --stack false";
    let compare = format!("compare --methods ir --base ../base {pairs} {settings} --out .");
    inside(&sandbox, "comparison", &compare).success();
    again(&sandbox, "comparison", "compare --report-only --out .").success();
    let folds = TRAIN.replace("--test ../test.jsonl", "--folds 2");
    inside(&sandbox, "folds", &format!("{folds} --out .")).success();
    SyntheticBase::of_bytes().write_gguf(&sandbox.path("model.gguf")).unwrap();
    inside(&sandbox, "small", "quantize ../model.gguf --to q8_0 --out small.gguf").success();
    assert_eq!(hidden(&sandbox), [""; 0]);

    // A second time each says that something is there.
    for (folder, arguments) in [
        ("run", format!("{TRAIN} --out .")),
        ("merged", "merge --run ../run --out .".to_owned()),
        ("combined", "combine --run ../run --out .".to_owned()),
        ("linear", format!("baseline {pairs} --out .")),
    ] {
        let said = again(&sandbox, folder, &arguments);
        assert_ne!(said.code, Some(0), "{arguments}");
        assert!(said.error.contains(". is not empty; choose another folder with --out"), "{}", said.error);
    }
}

#[test]
fn a_run_killed_before_its_checkpoints_are_removed_is_tidied() {
    let sandbox = Sandbox::with_base();
    inside(&sandbox, "run", &format!("{TRAIN} --out .")).success();
    let left = sandbox.path("run/checkpoints");
    let leave = || {
        fs::create_dir_all(left.join("step-00000003")).unwrap();
        fs::write(left.join("step-00000003/parameters.safetensors"), "left").unwrap();
    };
    leave();
    // It is what was killed that is continued, and that succeeds; only then there is nothing more to continue.
    sandbox.run("train --resume run").success();
    assert!(!left.exists());
    assert!(sandbox.run("train --resume run").error.contains("is finished"));
    leave();
    sandbox.run("combine --run run --out combined").success();
    assert!(!sandbox.path("combined/checkpoints").exists(), "a copy is of a finished run");
}

#[test]
fn what_comparisons_and_cross_validations_find_of_killed_runs_is_tidied() {
    let sandbox = Sandbox::with_base();
    let pairs = "--train train.jsonl --validation validation.jsonl --test test.jsonl";
    let settings = "--max-steps 2 --rank 2 --max-length 400 --warmup-steps 1 --head pooled --stack false";
    let compare = format!("compare --methods ir --base base {pairs} {settings} --out comparison");
    sandbox.run(&compare).success();
    let runs = fs::read_dir(sandbox.path("comparison/runs")).unwrap();
    let runs: Vec<_> = runs.map(|run| run.unwrap().path().join("checkpoints")).collect();
    runs.iter().for_each(|left| fs::create_dir(left).unwrap());
    sandbox.run(&compare).success();
    assert!(runs.len() == 2 && runs.iter().all(|left| !left.exists()));
    let folds = TRAIN.replace("--test ../test.jsonl", "--folds 2");
    inside(&sandbox, "folds", &format!("{folds} --out .")).success();
    fs::create_dir(sandbox.path("folds/fold-1/checkpoints")).unwrap();
    sandbox.run("train --resume folds").success();
    assert!(!sandbox.path("folds/fold-1/checkpoints").exists());
    // Where the base has moved, that can be said, and nothing else.
    fs::remove_dir_all(sandbox.path("folds/fold-2")).unwrap();
    fs::rename(sandbox.path("base"), sandbox.path("moved")).unwrap();
    let said = sandbox.run("train --resume folds").failure();
    assert!(said.contains("say where it is now with --base"), "{said}");
    let said = sandbox.run("train --resume folds --base moved --rank 3 --seed 1");
    assert_eq!(said.code, Some(2));
    let told = said.failure();
    assert!(
        told.contains("--rank: a run is continued with its own settings") && told.contains("--seed: "),
        "{told}"
    );
    sandbox.run("train --resume folds --base moved").success();
    assert!(sandbox.path("folds/fold-2/summary.json").exists());
    // But it must be the same.
    fs::remove_dir_all(sandbox.path("folds/fold-2")).unwrap();
    let config = fs::read_to_string(sandbox.path("moved/config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    config["rms_norm_eps"] = 1e-3.into();
    sandbox.write("moved/config.json", &config.to_string());
    let said = sandbox.run("train --resume folds --base moved").failure();
    assert!(said.contains("so the base is another"), "{said}");
    assert!(!sandbox.path("folds/fold-2").exists());
}

#[test]
fn a_run_is_inspected_where_nothing_can_be_written() {
    let sandbox = Sandbox::with_base();
    inside(&sandbox, "run", &format!("{TRAIN} --out .")).success();
    // A folder in the place of each picture: what a folder without permission does to anyone but its owner.
    for picture in ["layers.svg", "probabilities.svg"] {
        let _ = fs::remove_file(sandbox.path("run").join(picture));
        fs::create_dir(sandbox.path("run").join(picture)).unwrap();
    }
    let said = sandbox.run("inspect run").success();
    for picture in ["layers", "probabilities"] {
        let expected = format!("The {picture} as a picture: not drawn, cannot write run/{picture}.svg: ");
        assert!(said.out.contains(&expected), "{}", said.out);
    }
    let json: Value = serde_json::from_str(&sandbox.run("inspect run --json").success().out).unwrap();
    assert_eq!((&json["picture"], &json["finished"]), (&Value::Null, &true.into()));
    assert_eq!(hidden(&sandbox), [""; 0]);
}

#[test]
fn a_folder_that_cannot_be_looked_into_is_no_missing_run() {
    let sandbox = Sandbox::new();
    symlink("circle", sandbox.path("circle")).unwrap();
    for command in ["inspect circle", "train --resume circle", "merge --run circle --out merged"] {
        let said = sandbox.run(command);
        assert_ne!(said.code, Some(0), "{command}");
        assert!(!said.error.contains("is not a run folder"), "{command}: {}", said.error);
        assert!(said.error.contains("circle") && said.error.contains("symbolic links"), "{}", said.error);
    }
}

#[test]
fn a_comparison_of_too_many_runs_is_refused_at_once() {
    let sandbox = Sandbox::with_base();
    let said = sandbox.run(
        "compare --methods ir --base base --train train.jsonl --max-length 400 --folds 100000 --seeds 1,2 --out many",
    );
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.failure());
    assert!(!sandbox.path("many").exists());
}
