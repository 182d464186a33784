//! Wrong settings: the message, the exit code, and that nothing was loaded or left behind.

use irtune_testing::sandbox::Sandbox;

/// Runs, and checks that the folder is as before.
fn refused(sandbox: &Sandbox, arguments: &str) -> String {
    let before = sandbox.contents();
    let said = sandbox.run(arguments);
    assert_eq!(sandbox.contents(), before);
    assert_eq!(said.code, Some(2), "{}", said.error);
    said.failure()
}

#[test]
fn nothing_given() {
    insta::assert_snapshot!(refused(&Sandbox::new(), "train"));
}

#[test]
fn several_problems_at_once() {
    let sandbox = Sandbox::with_base();
    sandbox.write("run.toml", "lerning_rate = 1e-4\nrank = \"eight\"\nmethod = \"irr\"\n");
    insta::assert_snapshot!(refused(
        &sandbox,
        "train --base hf:nowhere --train missing.jsonl --config run.toml --set max_step=5 --set dropout=2 \
         --batch-size many --set epochs --validation base"
    ));
}

#[test]
fn unknown_key_in_set() {
    let sandbox = Sandbox::with_base();
    insta::assert_snapshot!(refused(&sandbox, "train --base base --train train.jsonl --set learnig_rate=1"));
}

#[test]
fn unknown_key_with_no_likeness() {
    let sandbox = Sandbox::with_base();
    insta::assert_snapshot!(refused(&sandbox, "train --base base --train train.jsonl --set colour=blue"));
}

#[test]
fn unknown_variable() {
    let sandbox = Sandbox::with_base();
    let mut command = sandbox.irtune();
    command.args(["train", "--base", "base", "--train", "train.jsonl"]).env("IRTUNE_LERNING_RATE", "1");
    insta::assert_snapshot!(sandbox.run_with(&mut command).failure());
}

#[test]
fn setting_given_twice() {
    let sandbox = Sandbox::with_base();
    insta::assert_snapshot!(refused(&sandbox, "train --base base --train train.jsonl --rank 4 --set rank=8"));
}

#[test]
fn unknown_flag() {
    insta::assert_snapshot!(refused(&Sandbox::new(), "train --learning-rat 1"));
}

#[test]
fn settings_file_that_is_no_toml() {
    let sandbox = Sandbox::with_base();
    sandbox.write("run.toml", "rank = 8\nalpha = = 3\n");
    insta::assert_snapshot!(refused(&sandbox, "train --base base --train train.jsonl --config run.toml"));
}

#[test]
fn settings_file_that_is_missing() {
    let sandbox = Sandbox::with_base();
    insta::assert_snapshot!(refused(&sandbox, "train --base base --train train.jsonl --config no.toml"));
}

#[test]
fn existing_run_folder() {
    let sandbox = Sandbox::with_base();
    std::fs::create_dir(sandbox.path("first")).unwrap();
    sandbox.write("first/notes.txt", "mine");
    insta::assert_snapshot!(refused(&sandbox, "train --base base --train train.jsonl --out first"));
}

#[test]
fn base_that_is_not_there() {
    let sandbox = Sandbox::with_base();
    let refused = |base: &str| refused(&sandbox, &format!("train --base {base} --train train.jsonl"));
    insta::assert_snapshot!("misspelt_alias", refused("smolm2"));
    insta::assert_snapshot!("hub_name_without_prefix", refused("someone/something"));
    insta::assert_snapshot!("path_of_a_base", refused("models/x/y.gguf"));
}

#[test]
fn prediction_and_evaluation_check_everything_first() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(
        "refused_prediction",
        refused(
            &sandbox,
            "predict --run no --data no.jsonl --precision f64 --threads 0 --batch-size x --preset y --base hf:z"
        )
    );
    insta::assert_snapshot!("refused_evaluation", refused(&sandbox, "eval --run no --data -"));
}

#[test]
fn flags_win_over_environment_over_file() {
    let sandbox = Sandbox::with_base();
    sandbox.write(
        "run.toml",
        "base = \"base\"\ntrain = \"train.jsonl\"\nvalidation = \"validation.jsonl\"\n\
        max_steps = 1\nmax_length = 400\nrank = 2\nalpha = 2\ndropout = 0\n",
    );
    let mut command = sandbox.irtune();
    command.args("train --config run.toml --out first --rank 6".split(' '));
    command.env("IRTUNE_RANK", "5").env("IRTUNE_ALPHA", "12").env("IRTUNE_TARGET_MODULES", "q_proj,v_proj");
    sandbox.run_with(&mut command).success();
    let settings: toml::Table =
        std::fs::read_to_string(sandbox.path("first/settings.toml")).unwrap().parse().unwrap();
    assert_eq!(settings["rank"].as_integer(), Some(6));
    assert_eq!(settings["alpha"].as_float(), Some(12.0));
    assert_eq!(settings["dropout"].as_float(), Some(0.0));
    assert_eq!(settings["target_modules"].as_array().unwrap().len(), 2);
}

#[test]
fn options_of_a_method_come_from_everywhere_and_are_written_out() {
    let sandbox = Sandbox::with_base();
    sandbox.write(
        "run.toml",
        "base = \"base\"\ntrain = \"train.jsonl\"\nvalidation = \"validation.jsonl\"\n\
        max_steps = 1\nmax_length = 400\nmethod = \"lisa\"\nlayers = 3\ninterval = 4\n",
    );
    let mut command = sandbox.irtune();
    command.args("train --config run.toml --out first --interval 6".split(' '));
    command.env("IRTUNE_LAYERS", "1").env("IRTUNE_INTERVAL", "5");
    sandbox.run_with(&mut command).success();
    let settings: toml::Table =
        std::fs::read_to_string(sandbox.path("first/settings.toml")).unwrap().parse().unwrap();
    assert_eq!(settings["layers"].as_integer(), Some(1));
    assert_eq!(settings["interval"].as_integer(), Some(6));
    assert_eq!(settings["optimizer_state"].as_str(), Some("keep"));
}

#[test]
fn options_that_the_method_does_not_have() {
    let sandbox = Sandbox::with_base();
    sandbox.write("run.toml", "budget = [0.5]\nsettle = 10\n");
    insta::assert_snapshot!(refused(
        &sandbox,
        "train --base base --train train.jsonl --config run.toml --method spectrum --share 1.5 --set split_num=2"
    ));
}

#[test]
fn layers_that_the_base_does_not_have() {
    let sandbox = Sandbox::with_base();
    let before = sandbox.contents();
    let said = sandbox.run(
        "train --base base --train train.jsonl --max-length 400 --method fixed --layers 1,99 --out first",
    );
    assert_eq!(sandbox.contents(), before, "nothing is left behind");
    insta::assert_snapshot!(said.failure());
}
