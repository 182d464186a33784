//! Runs that are interrupted or killed: what is said, and that they continue as if nothing had been.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use irtune_testing::sandbox::{Sandbox, adapter_bytes};

const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --rank 4 --max-length 400 \
    --batch-size 2 --epochs 30 --warmup-steps 5 --save-every 7 --eval-every 20 --out";

fn start(sandbox: &Sandbox, out: &str) -> Child {
    sandbox
        .process()
        .args(TRAIN.split_whitespace())
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn steps_made(sandbox: &Sandbox, out: &str) -> usize {
    fs::read_to_string(sandbox.path(out).join("metrics.jsonl")).map_or(0, |text| text.lines().count())
}

/// Waits until the run has made some steps; it must not have ended before.
fn wait_for_steps(sandbox: &Sandbox, child: &mut Child, out: &str, steps: usize) {
    let began = Instant::now();
    while steps_made(sandbox, out) < steps {
        assert!(child.try_wait().unwrap().is_none(), "it ended before step {steps}");
        assert!(began.elapsed() < Duration::from_secs(120), "no step {steps} in two minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn whole(sandbox: &Sandbox) {
    sandbox.run(&format!("{TRAIN} whole")).success();
}

/// Everything of a step that does not depend on the clock.
fn steps(sandbox: &Sandbox, out: &str) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(sandbox.path(out).join("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let mut step: serde_json::Value = serde_json::from_str(line).unwrap();
            let fields = step.as_object_mut().unwrap();
            for clock in ["seconds", "tokens_per_second", "examples_per_second"] {
                assert!(fields.remove(clock).is_some(), "{clock}");
            }
            step
        })
        .collect()
}

#[test]
fn killed_runs_continue_bitwise() {
    let sandbox = Sandbox::with_base();
    whole(&sandbox);
    let mut child = start(&sandbox, "killed");
    // Three kills at unforeseen moments, checkpoints included: one is written every seventh step.
    for steps in [10, 60, 150] {
        wait_for_steps(&sandbox, &mut child, "killed", steps);
        signal(&child, "-KILL");
        child.wait().unwrap();
        child = sandbox
            .process()
            .args(["train", "--resume", "killed"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(steps(&sandbox, "whole"), steps(&sandbox, "killed"));
    assert_eq!(adapter_bytes(&sandbox.path("whole")), adapter_bytes(&sandbox.path("killed")));
    let hidden: Vec<String> = sandbox.contents().into_iter().filter(|name| name.contains("/.")).collect();
    assert!(hidden.is_empty(), "left behind: {hidden:?}");
}

#[test]
fn interrupted_runs_save_and_say_how_to_continue() {
    let sandbox = Sandbox::with_base();
    whole(&sandbox);
    let mut child = start(&sandbox, "stopped");
    wait_for_steps(&sandbox, &mut child, "stopped", 12);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    let made = steps_made(&sandbox, "stopped");
    let expected = format!(
        "interrupted after step {made}; everything is saved\nhint: continue with\n  irtune train --resume stopped\n"
    );
    assert!(said.ends_with(&expected), "{said}");
    assert!(
        said.contains("interrupted: finishing this step and saving (once more to stop at once)"),
        "{said}"
    );
    let said = sandbox.run("train --resume stopped").success();
    assert!(said.error.contains(&format!("Continuing after step {made}")), "{}", said.error);
    assert_eq!(adapter_bytes(&sandbox.path("whole")), adapter_bytes(&sandbox.path("stopped")));
}

#[test]
fn resuming_checks_that_the_data_is_the_same() {
    let sandbox = Sandbox::with_base();
    let mut child = start(&sandbox, "stopped");
    wait_for_steps(&sandbox, &mut child, "stopped", 3);
    signal(&child, "-INT");
    child.wait().unwrap();
    let text = fs::read_to_string(sandbox.path("train.jsonl")).unwrap();
    sandbox.write("train.jsonl", &text.replacen("river", "stream", 1));
    let said = sandbox.run("train --resume stopped");
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(said.failure());
}
