//! Pairs from one kind of file into another.

use irtune_testing::sandbox::Sandbox;
use serde_json::Value;
use std::fs;

const PAIRS: &str = "{\"id\": 7, \"original\": \"He go.\", \"revised\": \"He goes.\", \"label\": \"fluency\"}\n\
    {\"id\": \"b\", \"original\": \"\", \"revised\": \"It is late.\"}\n";

#[test]
fn pairs_go_through_every_format_and_come_back() {
    let sandbox = Sandbox::new();
    sandbox.write("pairs.jsonl", PAIRS);
    let mut from = "pairs.jsonl".to_owned();
    for (out, to) in [
        ("tasks.json", "--to label-studio"),
        ("pairs.csv", ""),
        ("records.json", "--to argilla"),
        ("pairs.parquet", ""),
        ("doccano.jsonl", "--to doccano"),
        ("iterater.jsonl", "--to iterater"),
        ("re3.json", "--to re3"),
        ("back.jsonl", ""),
    ] {
        let done = sandbox.run(&format!("convert {from} --out {out} {to}")).success();
        assert_eq!(done.error.trim(), format!("2 pairs written to {out}"));
        from = out.to_owned();
    }
    let back = fs::read_to_string(sandbox.path("back.jsonl")).unwrap();
    let rows: Vec<Value> = back.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Argilla's ids are texts.
    assert_eq!((&rows[0]["id"], &rows[0]["label"]), (&"7".into(), &"fluency".into()));
    assert_eq!((&rows[1]["original"], &rows[1]["revised"]), (&"".into(), &"It is late.".into()));
    assert!(rows[1].get("label").is_none());
}

#[test]
fn what_cannot_be_converted_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("pairs.jsonl", PAIRS);
    sandbox.write("said.jsonl", "{\"id\":7,\"label\":\"fluency\",\"probabilities\":{\"fluency\":1.0}}\n");
    let refused = |arguments: &str, part: &str| {
        let error = sandbox.run(&format!("convert pairs.jsonl {arguments}")).failure();
        assert!(error.contains(part), "{error}");
    };
    refused("--out tasks.json", "name one with --to");
    refused("--out tasks.json --to word", "--to: \"word\" is no format of pairs");
    refused("--out pairs.csv --predictions said.jsonl", "csv has no place for predictions");
    refused("--out tasks.json --to argilla --predictions none.jsonl", "none.jsonl");
    refused("--out tasks.json --to argilla --predictions said.jsonl", "said.jsonl has 1 predictions");
    assert!(!sandbox.path("tasks.json").exists());
}
