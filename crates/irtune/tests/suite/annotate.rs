//! Two drafts in, and why each revision was made out.

use irtune_testing::sandbox::Sandbox;
use serde_json::Value;
use std::fs;
use std::process::Command;

const TRAIN: &str = "train --base base --train train.jsonl --rank 4 --max-length 200 --batch-size 4 --precision f32 \
    --max-steps 2 --min-steps 0 --out run";
const OLD: &str = "# Report\n\nHe go home. It is late.\n\nThe river was closed to ships.\n";
const NEW: &str = "# Report\n\nHe goes home. It is late. Nobody complained.\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_base();
    sandbox.run(TRAIN).success();
    sandbox.write("old.md", OLD);
    sandbox.write("new.md", NEW);
    sandbox
}

#[test]
fn revisions_of_two_drafts_are_told_and_written() {
    let sandbox = sandbox();
    let annotate = "annotate old.md new.md --run run --precision f32";
    let told = sandbox.run(&format!("{annotate} --json")).success().out;
    let records: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = records.iter().map(|record| record["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["modified", "deleted", "added"]);
    // What is told is what `predict` says of the same texts.
    sandbox.write("pairs.jsonl", &told);
    let predicted = sandbox.run("predict --run run --data pairs.jsonl --precision f32").success().out;
    for (record, line) in records.iter().zip(predicted.lines()) {
        let prediction: Value = serde_json::from_str(line).unwrap();
        for key in ["id", "label", "probabilities"] {
            assert_eq!(record[key], prediction[key]);
        }
    }
    let shown = sandbox.run(annotate).success().out;
    assert!(shown.contains("He [-go-]{+goes+} home."), "{shown}");

    let outs = "--out a.html --out a.jsonl --out a.csv --out a.json";
    assert_eq!(sandbox.run(&format!("{annotate} {outs}")).success().out, "");
    assert_eq!(fs::read_to_string(sandbox.path("a.jsonl")).unwrap(), told);
    assert!(fs::read_to_string(sandbox.path("a.html")).unwrap().contains("<ins>goes</ins>"));
    assert_eq!(fs::read_to_string(sandbox.path("a.csv")).unwrap().lines().count(), 4);
    let document: Value = serde_json::from_str(&fs::read_to_string(sandbox.path("a.json")).unwrap()).unwrap();
    assert_eq!(document["edit_actions"].as_array().unwrap().len(), 3);
}

#[test]
fn drafts_come_from_git_and_from_tracked_changes() {
    let sandbox = sandbox();
    let git = |arguments: &[&str]| {
        let done = Command::new("git").arg("-C").arg(sandbox.path("")).args(arguments).output();
        done.is_ok_and(|done| done.status.success())
    };
    if git(&["init", "-q"]) {
        let commit = |text: &str| {
            sandbox.write("paper.md", text);
            assert!(git(&["add", "paper.md"]));
            let who = ["-c", "user.name=Writer", "-c", "user.email=writer@example.org"];
            assert!(git(&[&who[..], &["commit", "-q", "-m", "Draft"]].concat()));
        };
        commit(OLD);
        commit(NEW);
        let of_git =
            sandbox.run("annotate paper.md --git HEAD~1..HEAD --run run --precision f32 --json").success();
        let of_files = sandbox.run("annotate old.md new.md --run run --precision f32 --json").success();
        assert_eq!(of_git.out, of_files.out);
        let error = sandbox.run("annotate paper.md --git HEAD~9..HEAD --run run").failure();
        assert!(error.contains("git has no file paper.md at HEAD~9"), "{error}");
        fs::create_dir(sandbox.path("chapters")).unwrap();
        sandbox.write("chapters/one.md", OLD);
        assert!(git(&["add", "chapters"]));
        let commit = ["commit", "-q", "-m", "Chapters"];
        assert!(git(
            &[&["-c", "user.name=Writer", "-c", "user.email=writer@example.org"][..], &commit].concat()
        ));
        fs::remove_dir_all(sandbox.path("chapters")).unwrap();
        // A folder in git is no draft, nor are two branches two revisions.
        let error = sandbox.run("annotate chapters --git HEAD..HEAD --run run").failure();
        assert!(error.contains("git has no file chapters at HEAD"), "{error}");
        let error = sandbox.run("annotate paper.md --git HEAD~1...HEAD --run run").failure();
        assert!(error.contains("git merge-base HEAD~1 HEAD"), "{error}");
    }
    let tracked = irtune_testing::golden::golden_folder().join("documents/python-docx.docx");
    fs::copy(tracked, sandbox.path("tracked.docx")).unwrap();
    let told = sandbox.run("annotate tracked.docx --run run --precision f32 --json").success().out;
    let first: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(first["revised"], "The river was high.");
    assert_eq!(first["section"], "Water & stone");
}

#[test]
fn what_is_wrong_is_told_before_the_model_is_loaded() {
    let sandbox = Sandbox::with_base();
    sandbox.write("old.md", OLD);
    let error = sandbox.run("annotate old.md gone.md --run none --format word --out a.xml").failure();
    for part in [
        "--format: drafts can't be read as \"word\"",
        "--out: `a.xml`: the file's name ends in \"xml\"",
        "--run: `none`: there is no such run folder",
        "`gone.md`: there is no such file",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let error = sandbox.run("annotate old.md --git main --run none").failure();
    assert!(error.contains("--git: `main` is not two revisions"), "{error}");
}

#[test]
fn what_each_change_adds_is_what_is_missing_without_it() {
    let sandbox = sandbox();
    let pair = r#"{"id":"7","original":"He go home now.","revised":"He goes home, now."}"#;
    sandbox.write("pairs.jsonl", &format!("{pair}\n{{\"original\":\"One.\",\"revised\":\"Two.\"}}\n"));
    let told = sandbox.run("explain --run run --data pairs.jsonl --precision f32 --json").success().out;
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let changes = told[0]["changes"].as_array().unwrap();
    assert_eq!(
        (changes.len(), &changes[0]["removed"], &changes[0]["added"]),
        (2, &"go".into(), &"goes".into())
    );
    let label = told[0]["label"].as_str().unwrap();
    let probability = |revised: &str| {
        sandbox.write(
            "one.jsonl",
            &serde_json::json!({"original": "He go home now.", "revised": revised}).to_string(),
        );
        let said = sandbox.run("predict --run run --data one.jsonl --precision f32").success().out;
        serde_json::from_str::<Value>(&said).unwrap()["probabilities"][label].as_f64().unwrap()
    };
    let whole = probability("He goes home, now.");
    for (change, without) in changes.iter().zip(["He go home, now.", "He goes home now."]) {
        let effect = change["effect"].as_f64().unwrap();
        assert!((effect - (whole - probability(without))).abs() < 1e-5, "{change}");
    }
    assert_eq!(told[1]["changes"][0]["effect"], Value::Null);
    let shown = sandbox.run("explain --run run --data pairs.jsonl --precision f32").success().out;
    assert!(shown.starts_with("7: ") && shown.contains("[-go-]{+goes+}"), "{shown}");
}

#[test]
fn folders_are_annotated_document_by_document() {
    let sandbox = sandbox();
    for (path, text) in
        [("a/one.md", OLD), ("b/one.md", NEW), ("a/part/two.md", "He go.\n"), ("b/part/two.md", "He goes.\n")]
    {
        fs::create_dir_all(sandbox.path(path).parent().unwrap()).unwrap();
        sandbox.write(path, text);
    }
    sandbox.write("a/gone.md", "It is.\n");
    let annotate = "annotate a b --run run --precision f32";
    let done = sandbox.run(&format!("{annotate} --out all.jsonl --out pages --to html,m2")).success();
    assert!(done.error.contains("gone.md has no partner of the same name"), "{}", done.error);
    let lines = fs::read_to_string(sandbox.path("all.jsonl")).unwrap();
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = records.iter().map(|record| record["doc_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["one.md", "one.md", "one.md", "part/two.md"]);
    assert_eq!(records[3]["id"], "part/two.md:1");
    // A document says the same alone.
    let alone = sandbox.run("annotate old.md new.md --run run --precision f32 --json").success().out;
    for (line, record) in alone.lines().zip(&records) {
        let mut own: Value = serde_json::from_str(line).unwrap();
        own["id"] = format!("one.md:{}", own["id"].as_str().unwrap()).into();
        own["doc_name"] = "one.md".into();
        assert_eq!(own, *record);
    }
    assert!(fs::read_to_string(sandbox.path("pages/one.md.html")).unwrap().contains("<ins>goes</ins>"));
    let label = records[3]["label"].as_str().unwrap();
    let edits = format!("S He go .\nA 1 2|||{label}|||goes|||REQUIRED|||-NONE-|||0\n\n");
    assert_eq!(fs::read_to_string(sandbox.path("pages/part/two.md.m2")).unwrap(), edits);
    assert_eq!(sandbox.run(&format!("{annotate} --json")).success().out, lines);

    let refused = |arguments: &str, part: &str| {
        let error = sandbox.run(&format!("annotate {arguments} --run run")).failure();
        assert!(error.contains(part), "{error}");
    };
    refused("a b --out all.html", "of folders one .jsonl file is written, or a folder");
    refused("a b --to html", "needs a folder to write to");
    refused("a b --out pages --to pdf", "`pdf` is none of html");
    refused("a --git v1..v2", "--git: takes a file");
    refused("old.md new.md --to html", "the ending of --out does");
    sandbox.write("b/one.md", " ");
    sandbox.write("a/one.md", " ");
    let error = sandbox.run(&format!("{annotate} --out fresh.jsonl")).failure();
    assert!(error.contains("one.md has no text") && !sandbox.path("fresh.jsonl").exists(), "{error}");
}
