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
    sandbox.write("bad.jsonl", &lines(&[row(0, json!(["clarity", ["fluency"]]))]));
    insta::assert_snapshot!(sandbox.run("data bad.jsonl --label-column raw_intents").error);
}

#[test]
fn lists_of_one_label_and_of_several_are_no_annotators() {
    let sandbox = Sandbox::new();
    let row =
        |original: &str, labels: Value| json!({"original": original, "revised": "new", "label": labels});
    let rows = [row("a", json!(["clarity"])), row("b", json!([])), row("c", json!(["clarity", "fluency"]))];
    sandbox.write("several.jsonl", &lines(&rows));
    let said = sandbox.run("data several.jsonl").success().out;
    assert!(
        said.contains(
            "several.jsonl:3 has several labels, and other rows lists of one: look with --multi-label"
        ),
        "{said}"
    );
    assert!(!said.contains("annotator"), "{said}");
    let found: Value = serde_json::from_str(&sandbox.run("data several.jsonl --json").success().out).unwrap();
    assert_eq!(found["files"][0]["several_labels"], "several.jsonl:3");
    sandbox.run("data several.jsonl --multi-label").success();
}

#[test]
fn everything_wrong_is_said_at_once() {
    let sandbox = sandbox();
    insta::assert_snapshot!(sandbox.run("data nowhere.jsonl --test gone.jsonl --preset odd").error);
    let nothing = sandbox.run("data");
    assert_eq!(nothing.code, Some(2));
}

#[test]
fn suspects_are_pairs_that_the_runs_of_a_cross_validation_contradict() {
    let sandbox = Sandbox::with_base();
    insta::assert_snapshot!("suspects_of_no_cross_validation", sandbox.run("data --suspects base").error);
    let train = "train --base base --train train.jsonl --rank 4 --max-length 400 --epochs 2 --min-steps 0 --head pooled --stack false --learning-rate 1e-3";
    sandbox.run(&format!("{train} --precision f32 --folds 2 --out folds")).success();

    let said = sandbox.run("data --suspects folds --out suspects.jsonl --json").success();
    let found: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(found["pairs"], 24);
    let suspects = found["suspects"].as_array().unwrap();
    let written = std::fs::read_to_string(sandbox.path("suspects.jsonl")).unwrap();
    let objects: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sure = |objects: &[Value]| objects.iter().map(|object| object["margin"].clone()).collect::<Vec<_>>();
    assert_eq!((sure(&objects), objects.is_empty()), (sure(suspects), false));
    assert!(objects.iter().zip(suspects).all(|(object, suspect)| object["id"] == suspect["id"]));
    let joint = found["joint"].as_array().unwrap();
    let counted =
        |row: &Value| row.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum::<u64>();
    assert!((1..=24).contains(&joint.iter().map(counted).sum::<u64>()), "{found}");
    let train_file = std::fs::read_to_string(sandbox.path("train.jsonl")).unwrap();
    for suspect in suspects {
        let (place, label) = (suspect["place"].as_str().unwrap(), suspect["label"].as_str().unwrap());
        let line: usize = place.rsplit(':').next().unwrap().parse().unwrap();
        let row: Value = serde_json::from_str(train_file.lines().nth(line - 1).unwrap()).unwrap();
        assert_eq!((row["id"].as_str(), row["label"].as_str()), (suspect["id"].as_str(), Some(label)));
        assert!(suspect["suggested"] != suspect["label"] && suspect["margin"].as_f64().unwrap() < 0.5);
    }
    let text = sandbox.run("data --suspects folds").success().out;
    assert!(text.starts_with(&format!("{} of 24 pairs ", suspects.len())), "{text}");

    // The labels of two rows of different labels change places, so every count stays as it was.
    let mut rows: Vec<Value> = train_file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let other = rows.iter().position(|row| row["label"] != rows[0]["label"]).unwrap();
    let (first, second) = (rows[0]["label"].clone(), rows[other]["label"].clone());
    (rows[0]["label"], rows[other]["label"]) = (second, first);
    sandbox.write("train.jsonl", &lines(&rows));
    let error = sandbox.run("data --suspects folds").error;
    assert!(error.contains("train.jsonl doesn't hold the pairs that "), "{error}");
    sandbox.write("train.jsonl", &train_file);
    std::fs::remove_dir_all(sandbox.path("folds/fold-2")).unwrap();
    let error = sandbox.run("data --suspects folds").error;
    assert!(
        error.contains("has no finished run for part 2; finish it with irtune train --resume folds"),
        "{error}"
    );
}
