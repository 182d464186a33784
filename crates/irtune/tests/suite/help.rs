//! The help of every command, as a user sees it.

use irtune_testing::sandbox::Sandbox;

fn help(arguments: &str) -> String {
    let said = Sandbox::new().run(arguments).success();
    assert_eq!(said.error, "");
    said.out
}

#[test]
fn help_of_the_program() {
    insta::assert_snapshot!(help("--help"));
}

#[test]
fn help_of_quickstart() {
    insta::assert_snapshot!(help("quickstart --help"));
}

#[test]
fn help_of_train() {
    insta::assert_snapshot!(help("train --help"));
}

#[test]
fn help_of_models() {
    insta::assert_snapshot!(help("models --help"));
}

#[test]
fn help_of_plan() {
    insta::assert_snapshot!(help("plan --help"));
}

#[test]
fn help_of_baseline() {
    insta::assert_snapshot!(help("baseline --help"));
}

#[test]
fn help_of_compare() {
    insta::assert_snapshot!(help("compare --help"));
}

#[test]
fn help_of_data() {
    insta::assert_snapshot!(help("data --help"));
}

#[test]
fn help_of_eval() {
    insta::assert_snapshot!(help("eval --help"));
}

#[test]
fn help_of_predict() {
    insta::assert_snapshot!(help("predict --help"));
}

#[test]
fn help_of_prompt() {
    insta::assert_snapshot!(help("prompt --help"));
}

#[test]
fn help_of_push() {
    insta::assert_snapshot!(help("push --help"));
}

#[test]
fn help_of_merge() {
    insta::assert_snapshot!(help("merge --help"));
}

#[test]
fn help_of_inspect() {
    insta::assert_snapshot!(help("inspect --help"));
}

#[test]
fn help_of_replay() {
    insta::assert_snapshot!(help("replay --help"));
}

#[test]
fn every_command_shows_an_example_and_every_method_is_named() {
    for command in [
        "quickstart",
        "train",
        "models",
        "plan",
        "compare",
        "data",
        "eval",
        "predict",
        "prompt",
        "merge",
        "quantize",
        "inspect",
        "replay",
        "completions",
    ] {
        let text = help(&format!("{command} --help"));
        assert!(
            text.contains(&format!("  irtune {command}")) || text.contains(&format!("| irtune {command}")),
            "{text}"
        );
    }
    let train = help("train --help");
    for method in irtune_select::METHODS {
        assert!(train.contains(&format!("\n  {}: ", method.name)), "{} is missing", method.name);
    }
    let replay = help("replay --help");
    for option in irtune_select::option_names() {
        let flag = format!("--{} <VALUE>", option.replace('_', "-"));
        assert!(train.contains(&flag) && replay.contains(&flag), "{flag} is missing");
    }
}

#[test]
fn help_of_completions() {
    insta::assert_snapshot!(help("completions --help"));
}

#[test]
fn every_shell_completes_settings_and_their_choices() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = help(&format!("completions {shell}"));
        assert!(script.contains("learning-rate") && script.contains("quickstart"), "{shell}");
        // PowerShell and elvish complete no values.
        if matches!(shell, "bash" | "zsh" | "fish") {
            assert!(script.contains("bottleneck") && script.contains("cosine"), "{shell}");
        }
    }
    let other = Sandbox::new().run("completions tcsh");
    assert_eq!(other.code, Some(2));
    assert!(other.error.contains("bash"), "{}", other.error);
}
