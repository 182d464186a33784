//! Runs that are interrupted or killed: what is said, and that they continue as if nothing had been.

use std::fs;

use irtune_testing::sandbox::{Sandbox, adapter_bytes};

const TRAIN: &str = "train --base base --train train.jsonl --validation validation.jsonl --rank 4 --max-length 400 \
    --batch-size 2 --epochs 30 --min-steps 0 --warmup-steps 5 --save-every 7 --eval-every 20 --out";

fn steps_made(sandbox: &Sandbox, out: &str) -> usize {
    fs::read_to_string(sandbox.path(out).join("metrics.jsonl")).expect("a log").lines().count()
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
    let mut running = sandbox.start(&format!("{TRAIN} killed"));
    // Three kills at unforeseen moments, checkpoints included: one is written every seventh step.
    for evaluation in ["after step 20:", "after step 120:", "after step 240:"] {
        running.wait_for(evaluation);
        running.kill();
        assert!(steps_made(&sandbox, "killed") < 360, "killed before its end");
        running = sandbox.start("train --resume killed");
    }
    let (code, said) = running.finish();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(steps(&sandbox, "whole"), steps(&sandbox, "killed"));
    assert_eq!(adapter_bytes(&sandbox.path("whole")), adapter_bytes(&sandbox.path("killed")));
    let hidden: Vec<String> = sandbox.contents().into_iter().filter(|name| name.contains("/.")).collect();
    assert!(hidden.is_empty(), "left behind: {hidden:?}");
}

#[test]
fn interrupted_runs_save_and_say_how_to_continue() {
    let sandbox = Sandbox::with_base();
    whole(&sandbox);
    let mut running = sandbox.start(&format!("{TRAIN} stopped"));
    running.wait_for("after step 20:");
    running.interrupt();
    let (code, said) = running.finish();
    assert_eq!(code, Some(130), "{said}");
    let made = steps_made(&sandbox, "stopped");
    let expected = format!(
        "interrupted after step {made}; everything is saved\nhint: continue with\n  irtune train --resume stopped\n"
    );
    assert!(said.ends_with(&expected), "{said}");
    assert!(
        said.contains("interrupted: finishing this step and saving (once more to stop at once)"),
        "{said}"
    );
    if sandbox.path("stopped/adapter").is_dir() {
        let said = sandbox.run("predict --run stopped --data test.jsonl").success();
        assert!(
            said.error.contains("note: the run is not finished, and this is its best model so far"),
            "{}",
            said.error
        );
    }
    let mut command = sandbox.irtune();
    let said =
        sandbox.run_with(command.args(["train", "--resume", "stopped"]).env("IRTUNE_RANK", "3")).success();
    let unread = "note: a run is continued with its own settings; IRTUNE_RANK is not read";
    assert!(said.error.contains(unread), "{}", said.error);
    assert!(said.error.contains(&format!("Continuing after step {made}")), "{}", said.error);
    assert_eq!(adapter_bytes(&sandbox.path("whole")), adapter_bytes(&sandbox.path("stopped")));
}

/// Whether the tests themselves were started to outlive their terminal, which what they start then does too.
fn outlives_terminals() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored =
        status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|signals| signals & 1 == 1)
}

#[test]
fn a_closed_terminal_ends_a_run_tidily() {
    if outlives_terminals() {
        return;
    }
    let sandbox = Sandbox::with_base();
    whole(&sandbox);
    let mut running = sandbox.start(&format!("{TRAIN} closed"));
    running.wait_for("after step 20:");
    // What it says from here on reaches nobody, and the terminal says more than once that it is gone.
    running.stop_listening();
    running.hang_up();
    running.hang_up();
    let (code, _) = running.finish();
    assert_eq!(code, Some(130));
    let made = steps_made(&sandbox, "closed");
    assert!((20..360).contains(&made), "{made} steps");
    let checkpoint = sandbox.path("closed").join(format!("checkpoints/step-{made:08}"));
    assert!(checkpoint.is_dir(), "the last step is saved: {:?}", sandbox.contents());
    let said = sandbox.run("train --resume closed").success();
    assert!(said.error.contains(&format!("Continuing after step {made}")), "{}", said.error);
    assert_eq!(adapter_bytes(&sandbox.path("whole")), adapter_bytes(&sandbox.path("closed")));
}

#[test]
fn a_run_goes_on_when_nobody_listens_any_more() {
    let sandbox = Sandbox::with_base();
    whole(&sandbox);
    let mut running = sandbox.start(&format!("{TRAIN} alone -v"));
    running.wait_for("after step 20:");
    running.stop_listening();
    let (code, _) = running.finish();
    assert_eq!(code, Some(0));
    assert_eq!(steps(&sandbox, "whole"), steps(&sandbox, "alone"));
}

#[test]
fn a_run_that_is_to_outlive_its_terminal_does() {
    let sandbox = Sandbox::with_base();
    let program = sandbox.process();
    let mut command = std::process::Command::new("sh");
    // As `nohup` does.
    command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(program.get_program());
    command.args(format!("{TRAIN} outlives").split_whitespace()).current_dir(sandbox.path(""));
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    let mut running = sandbox.start_command(&mut command);
    running.wait_for("after step 20:");
    running.hang_up();
    let (code, said) = running.finish();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(steps_made(&sandbox, "outlives"), 360);
}

#[test]
fn resuming_checks_that_the_data_is_the_same() {
    let sandbox = Sandbox::with_base();
    let mut running = sandbox.start(&format!("{TRAIN} stopped"));
    running.wait_for("step 1/");
    running.interrupt();
    running.finish();
    let text = fs::read_to_string(sandbox.path("train.jsonl")).unwrap();
    sandbox.write("train.jsonl", &text.replacen("river", "stream", 1));
    let said = sandbox.run("train --resume stopped");
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(said.failure());
}
