//! What `irtune data` says of files.

use irtune_testing::sandbox::Sandbox;
use serde_json::{Value, json};

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// A training and a test file with one of everything that can be wrong.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let long = "a sentence of more than ten words that nobody would write twice by chance";
    let row = |original: &str, revised: &str, label: &str, group: &str| json!({"original": original, "revised": revised, "label": label, "group": group});
    sandbox.write(
        "train.jsonl",
        &lines(&[
            row("He go.", "He goes.", "fluency", "a"),
            row("He go.", "He goes.", "fluency", "b"),
            row("He go.", "He goes.", "clarity", "b"),
            row("", long, "meaning", "c"),
            row("It is.", "It was.", "meaning", "d"),
            row("Gone.", "", "clarity", "d"),
            row("a  b", "a b", "style", "d"),
        ]),
    );
    sandbox.write(
        "test.jsonl",
        &lines(&[
            row("He go.", "He goes.", "clarity", "e"),
            row("It was.", "It is.", "meaning", "f"),
            row("", &format!("{long}!!"), "other", "g"),
            row("Same.", "Same.", "clarity", "a"),
        ]),
    );
    sandbox
}

#[test]
fn contents_and_leaks_of_splits() {
    insta::assert_snapshot!(sandbox().run("data --test test.jsonl --train train.jsonl").success().out);
}

#[test]
fn json_names_every_row() {
    let out = sandbox().run("data train.jsonl test.jsonl --json").success().out;
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["files"][0]["rows"], 7);
    assert_eq!(found["files"][0]["duplicates"][0]["place"], "train.jsonl:2");
    assert_eq!(found["files"][0]["conflicts"][0]["rows"][1], json!(["train.jsonl:3", "clarity"]));
    assert_eq!(found["files"][0]["agreement"], Value::Null);
    let leaks = &found["leaks"][0];
    assert_eq!((&leaks["name"], &leaks["other"]), (&json!("test.jsonl"), &json!("train.jsonl")));
    assert_eq!(leaks["same"][0]["other_label"], "fluency");
    assert_eq!(leaks["reversed"][0]["place"], "test.jsonl:2");
    assert_eq!(leaks["near"][0]["similarity"], 1.0);
    assert_eq!((&leaks["documents"], &leaks["document_rows"]), (&json!(["a"]), &json!(1)));
    assert_eq!(leaks["new_labels"], json!(["other"]));
}

#[test]
fn agreement_of_annotators() {
    let sandbox = Sandbox::new();
    let row = |number: usize, labels: Value| json!({"original": format!("text {number}"), "revised": "new", "raw_intents": labels, "labels": "style"});
    let rows = [
        row(0, json!(["clarity", "clarity", "style"])),
        row(1, json!(["fluency", "fluency", "fluency"])),
        row(2, json!(["clarity", "fluency", "style"])),
        row(3, json!(["style", "style", "style"])),
    ];
    sandbox.write("annotated.jsonl", &lines(&rows));
    insta::assert_snapshot!(sandbox.run("data annotated.jsonl --label-column raw_intents").success().out);
    sandbox.write("bad.jsonl", &lines(&[row(0, json!(["clarity", true]))]));
    insta::assert_snapshot!(sandbox.run("data bad.jsonl --label-column raw_intents").error);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let sandbox = sandbox();
    insta::assert_snapshot!(sandbox.run("data nowhere.jsonl --test gone.jsonl --preset odd").error);
    let nothing = sandbox.run("data");
    assert_eq!(nothing.code, Some(2));
}
