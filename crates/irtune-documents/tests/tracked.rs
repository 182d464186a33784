//! Both drafts of Word documents with tracked changes against pandoc's, from `golden/documents/make.py`.

use irtune_documents::{Document, read_tracked};
use irtune_testing::golden::{case_json, golden_folder};
use serde_json::Value;

fn texts(document: &Document) -> Vec<&str> {
    document.blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn both_drafts_are_those_of_pandoc() {
    let case: Value = case_json("documents");
    let documents = case["documents"].as_object().unwrap();
    assert!(documents.len() > 10);
    for (name, expected) in documents {
        let bytes = std::fs::read(golden_folder().join("documents").join(format!("{name}.docx"))).unwrap();
        let tracked = read_tracked(name, &bytes).unwrap();
        for (version, document) in [("rejected", &tracked.rejected), ("accepted", &tracked.accepted)] {
            let expected: Vec<&str> =
                expected[version].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
            assert_eq!(texts(document), expected, "{name}, {version}");
        }
    }
}
