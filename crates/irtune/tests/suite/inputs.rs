//! Data and helper files as they come: through pipes, with marks in front, with pairs that are on both sides.

use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::thread::JoinHandle;

use irtune_testing::{corpus, sandbox::Sandbox};
use serde_json::Value;

const SETTINGS: &str =
    "--base base --max-length 300 --batch-size 8 --max-steps 2 --precision f32 --threads 1";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A pipe in the folder, which gives a text once.
fn pipe(sandbox: &Sandbox, name: &str, text: &str) -> JoinHandle<()> {
    let path = sandbox.path(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let text = text.to_owned();
    // Opening waits for the reader.
    std::thread::spawn(move || {
        let mut pipe = fs::OpenOptions::new().write(true).open(path).unwrap();
        let _ = pipe.write_all(text.as_bytes());
    })
}

#[test]
fn a_run_from_pipes_keeps_what_came_through_them_and_resumes() {
    let sandbox = Sandbox::with_base();
    let files = ["train", "validation", "test"].map(|part| {
        pipe(
            &sandbox,
            &format!("{part}.pipe"),
            &fs::read_to_string(sandbox.path(&format!("{part}.jsonl"))).unwrap(),
        )
    });
    let template = pipe(&sandbox, "prompt.txt", "\u{FEFF}Intentions: {labels}\n{original}\n{revised}");
    let weights =
        pipe(&sandbox, "w.json", "\u{FEFF}{\"clarity\": 1, \"fluency\": 2, \"meaning-changed\": 1.5}");
    let data = "--train train.pipe --validation validation.pipe --test test.pipe";
    let more = "--prompt prompt.txt --class-weights w.json --out piped --json";
    let said = sandbox.run(&format!("train {SETTINGS} {data} {more}")).success();
    files.into_iter().chain([template, weights]).for_each(|writer| writer.join().unwrap());
    let figures = |said: &str| json(said)["test"]["metrics"].clone();
    let summary = figures(&said.out);
    // As if it had been killed before its first checkpoint.
    fs::remove_file(sandbox.path("piped/summary.json")).unwrap();
    let said = sandbox.run("train --resume piped --json").success();
    assert_eq!(figures(&said.out), summary);
    assert_eq!(
        fs::read(sandbox.path("piped/data/train")).unwrap(),
        fs::read(sandbox.path("train.jsonl")).unwrap()
    );
    let writer = pipe(&sandbox, "data.pipe", &fs::read_to_string(sandbox.path("test.jsonl")).unwrap());
    let said = sandbox.run("eval --run piped --data data.pipe --json --threads 1 --precision f32").success();
    writer.join().unwrap();
    assert_eq!(json(&said.out)["metrics"]["confusion"], summary["confusion"]);
}

#[test]
fn many_runs_read_what_came_through_one_pipe() {
    let sandbox = Sandbox::with_base();
    let train = fs::read_to_string(sandbox.path("train.jsonl")).unwrap();
    let writers = [
        pipe(&sandbox, "train.pipe", &train),
        pipe(&sandbox, "template.txt", "{labels}\n{original}\n{revised}"),
    ];
    let settings = format!("{SETTINGS} --prompt template.txt --stack false");
    let said = sandbox
        .run(&format!("compare {settings} --train train.pipe --folds 2 --methods full --out compared"))
        .success();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert!(said.out.contains("full"), "{}", said.out);

    let writers = [
        pipe(&sandbox, "folds.pipe", &train),
        pipe(&sandbox, "other.txt", "{labels}\n{original}\n{revised}"),
    ];
    let settings = format!("{SETTINGS} --prompt other.txt --stack false");
    sandbox.run(&format!("train {settings} --train folds.pipe --folds 2 --out folds")).success();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert!(sandbox.path("folds/folds.json").is_file());
}

#[test]
fn pairs_on_both_sides_are_told() {
    let sandbox = Sandbox::with_base();
    let train = corpus::sentences("train", 24);
    let own: String = train.lines().take(5).map(|line| format!("{line}\n")).collect();
    sandbox.write("mixed.jsonl", &(corpus::sentences("test", 3) + &own));
    let data = "--train train.jsonl --validation validation.jsonl --test mixed.jsonl";
    let told = "note: 5 of 8 test pairs are training pairs too (mixed.jsonl:4 = train.jsonl:1, mixed.jsonl:5 = train.jsonl:2, \
                mixed.jsonl:6 = train.jsonl:3, …), so figures on them are too good";
    let without_folder = |text: &str| text.replace("[FOLDER]/", "");
    let said = sandbox.run(&format!("train {SETTINGS} {data} --out run")).success();
    assert!(without_folder(&said.error).contains(told), "{}", said.error);
    let said = sandbox.run(&format!("baseline {data} --out linear")).success();
    assert!(without_folder(&said.error).contains(told), "{}", said.error);
    for run in ["run", "linear"] {
        let said = sandbox.run(&format!("eval --run {run} --data mixed.jsonl --json")).success();
        let told = "note: 5 of the pairs are training pairs of this run (mixed.jsonl:4 = ";
        assert!(said.error.contains(told), "{}", said.error);
        let said = sandbox.run(&format!("eval --run {run} --data test.jsonl --json")).success();
        assert!(!said.error.contains("training pairs"), "{}", said.error);
    }
    // What the model is chosen by is told too.
    let same = "--train train.jsonl --validation validation.jsonl --test validation.jsonl";
    let said = sandbox.run(&format!("baseline {same} --out chosen")).success();
    assert!(said.error.contains("test pairs are validation pairs too"), "{}", said.error);
    let said = sandbox.run("eval --run linear --data validation.jsonl --json").success();
    assert!(said.error.contains("of the pairs are validation pairs of this run"), "{}", said.error);
    // Where the files are gone, that is said.
    std::fs::rename(sandbox.path("train.jsonl"), sandbox.path("elsewhere.jsonl")).unwrap();
    let said = sandbox.run("eval --run linear --data test.jsonl --json").success();
    assert!(said.error.contains("nobody has looked whether these pairs are among it"), "{}", said.error);
    std::fs::rename(sandbox.path("elsewhere.jsonl"), sandbox.path("train.jsonl")).unwrap();
    // Asked about, a pair shows its answer in no prompt.
    let prompt = "prompt --base base --max-length 300 --train train.jsonl --threads 1 --precision f32";
    sandbox.run(&format!("{prompt} --test mixed.jsonl --shots 1")).success();
    let said = sandbox.run(&format!("{prompt} --test train.jsonl --shots 1"));
    assert_eq!(said.code, Some(1));
    assert!(
        said.error.contains("only 0 have the label \"clarity\" and are not asked about (8 are)"),
        "{}",
        said.error
    );
}

#[test]
fn what_is_left_out_is_told_and_what_leaves_nothing_out_is_an_error() {
    let sandbox = Sandbox::with_base();
    let row = |label: &str| {
        format!("{{\"original\": \"a\", \"revised\": \"{}\", \"label\": {label}}}\n", label.len())
    };
    let rows = [row("null"), row("\"not sure, skip\""), row("\"other\""), row("\"\"")].concat();
    sandbox.write("train.jsonl", &(corpus::sentences("train", 12) + &rows));
    let train = format!("train {SETTINGS} --train train.jsonl --validation validation.jsonl");
    let run = |more: &[&str]| {
        let mut command = sandbox.irtune();
        sandbox.run_with(command.args(train.split_whitespace()).args(more))
    };
    let said = run(&["--out", "a"]);
    assert!(said.error.contains("train.jsonl:13: the label in column \"label\" is empty"), "{}", said.error);
    assert!(said.error.contains("drop_unlabelled leaves such rows out"), "{}", said.error);
    let said = run(&["--out", "a", "--drop-unlabelled", "--drop-labels", "others"]);
    assert!(
        said.error.contains("no row has the label \"others\" (did you mean \"other\"?)"),
        "{}",
        said.error
    );
    let said = run(&["--out", "a", "--drop-unlabelled", "--drop-labels", "not sure, skip"]);
    let told = "no row has the label \"not sure\" (did you mean \"not sure, skip\"; in a list write a label with a comma between \
                double quotes?)";
    assert!(said.error.contains(told), "{}", said.error);
    assert!(!sandbox.path("a").exists());
    let said =
        run(&["--out", "a", "--drop-unlabelled", "--drop-labels", "\"not sure, skip\",other"]).success();
    assert!(said.error.contains("2 training rows have no label and were left out"), "{}", said.error);
    assert!(said.error.contains("2 training rows have a label that is left out"), "{}", said.error);
    let labels = fs::read_to_string(sandbox.path("a/labels.json")).unwrap();
    assert_eq!(json(&labels), json(r#"["clarity", "fluency", "meaning-changed"]"#));
    let said = sandbox.run("eval --run a --data train.jsonl --drop-unlabelled --json");
    assert!(said.error.contains("unknown label \"not sure, skip\""), "{}", said.error);
}

#[test]
fn predictions_need_no_label_and_give_ids_back_as_they_stood() {
    let sandbox = Sandbox::with_base();
    sandbox.run("baseline --train train.jsonl --out run").success();
    sandbox.write(
        "new.jsonl",
        "{\"original\": \"a\", \"revised\": \"b\", \"label\": [], \"id\": 7}\n{\"original\": \"a\", \"revised\": \"c\", \"label\": \
         true, \"labels\": [[1]], \"id\": 12345678901234567890123}\n{\"original\": \"a\", \"revised\": \"d\", \"id\": \"7\"}\n",
    );
    let said = sandbox.run("predict --run run --data new.jsonl").success();
    let ids: Vec<&str> = said.out.lines().map(|line| line.split(",\"label\"").next().unwrap()).collect();
    assert_eq!(ids, ["{\"id\":7", "{\"id\":12345678901234567890123", "{\"id\":\"7\""]);
}

#[test]
fn nothing_in_a_file_steers_the_terminal() {
    let sandbox = Sandbox::with_base();
    let row = |text: &str, label: &str| {
        serde_json::json!({"original": text, "revised": format!("{text} b"), "label": label}).to_string()
            + "\n"
    };
    let label = "\u{1b}[31mred\u{9b}1m";
    let rows: String = (0..12).map(|n| row(&format!("a{n}"), if n % 2 == 0 { label } else { "x" })).collect();
    sandbox.write("train.jsonl", &rows);
    let plain = |text: &str| !text.contains(['\u{1b}', '\u{9b}', '\u{7}']);
    let said = sandbox.run("data train.jsonl").success();
    assert!(plain(&said.out) && said.out.contains("u001b[31mred"), "{}", said.out);
    sandbox.run("baseline --train train.jsonl --out run").success();
    for command in
        ["eval --run run --data train.jsonl", "inspect run", "predict --run run --data train.jsonl"]
    {
        let said = sandbox.run(command).success();
        assert!(plain(&said.out) && plain(&said.error), "{}{}", said.out, said.error);
    }
    sandbox.write("test.jsonl", &row("a", "\u{1b}]0;title\u{7}"));
    let said = sandbox.run("eval --run run --data test.jsonl");
    assert!(plain(&said.error) && said.error.contains("title"), "{}", said.error);
    sandbox.write("broken\u{1b}[2J.jsonl", "{\"original\n");
    let mut command = sandbox.irtune();
    let said = sandbox.run_with(command.args(["data", "broken\u{1b}[2J.jsonl"]));
    assert!(plain(&said.error) && said.error.contains("broken"), "{}", said.error);
}

#[test]
fn an_empty_path_is_named() {
    let sandbox = Sandbox::with_base();
    let said = |arguments: &[&str]| {
        let mut command = sandbox.irtune();
        let said = sandbox.run_with(command.args(arguments));
        assert_eq!(said.code, Some(2), "{}", said.error);
        said.error
    };
    assert!(
        said(&["train", "--base", "base", "--train", ""]).contains("--train: an empty path is no file's")
    );
    let error = said(&["train", "--base", "base", "--train", "train.jsonl", "--out", ""]);
    assert!(error.contains("--out: an empty path is no folder's"), "{error}");
    assert!(said(&["eval", "--run", "base", "--data", ""]).contains("--data"));
}

#[test]
fn labels_of_numbers_are_in_the_order_of_their_values() {
    let sandbox = Sandbox::with_base();
    let row =
        |n: usize| format!("{{\"original\": \"a{n}\", \"revised\": \"b{n}\", \"label\": {}}}\n", n % 12);
    sandbox.write("train.jsonl", &(0..48).map(row).collect::<String>());
    sandbox.run("baseline --train train.jsonl --out run").success();
    let labels = fs::read_to_string(sandbox.path("run/labels.json")).unwrap();
    let expected: Vec<Value> = (0..12).map(|label: u32| label.to_string().into()).collect();
    assert_eq!(json(&labels), Value::from(expected));
    let floats =
        |n: usize| format!("{{\"original\": \"a{n}\", \"revised\": \"b{n}\", \"label\": {}.0}}\n", n % 12);
    sandbox.write("test.jsonl", &(0..12).map(floats).collect::<String>());
    sandbox.run("eval --run run --data test.jsonl").success();
}

#[test]
fn helper_files_may_begin_with_a_mark() {
    let sandbox = Sandbox::with_base();
    sandbox.write(
        "run.toml",
        "\u{FEFF}base = \"base\"\nmax_steps = 2\nmax_length = 300\nthreads = 1\nbatch_size = 8\n",
    );
    sandbox.write("words.json", "\u{FEFF}{\"clarity\": \"clear\"}");
    sandbox.write("scores.jsonl", "\u{FEFF}[1, 2]\n[2, 1]\n");
    let config = fs::read_to_string(sandbox.path("base/config.json")).unwrap();
    sandbox.write("base/config.json", &format!("\u{FEFF}{config}"));
    sandbox.run("train --config run.toml --train train.jsonl --objective words --label-words words.json --out run").success();
    let settings = fs::read_to_string(sandbox.path("run/settings.toml")).unwrap();
    sandbox.write("run/settings.toml", &format!("\u{FEFF}{settings}"));
    sandbox.run("eval --run run --data test.jsonl --threads 1").success();
    sandbox.run("replay --scores scores.jsonl --method ir").success();
}
