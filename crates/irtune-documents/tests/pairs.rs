//! Pairs of drafts with their right alignment, and Word documents that are hard to read, from
//! `golden/documents/make_pairs.py`.

use irtune_documents::{Document, Format, RevisionKind, align, read, read_tracked};
use irtune_testing::golden::golden_folder;
use serde_json::Value;

fn case() -> Value {
    let path = golden_folder().join("documents/pairs.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn docx(name: &str) -> irtune_documents::Tracked {
    let bytes = std::fs::read(golden_folder().join("documents").join(format!("{name}.docx"))).unwrap();
    read_tracked(name, &bytes).unwrap()
}

/// What became of the sentences that did not stay, in any order.
fn revisions(old: &Document, new: &Document) -> Vec<[String; 3]> {
    let changed = align(old, new).into_iter().filter(|own| own.kind != RevisionKind::Unchanged);
    let mut all: Vec<[String; 3]> = changed
        .map(|own| {
            let text =
                |passage: Option<irtune_documents::Passage>| passage.map_or(String::new(), |own| own.text);
            [own.kind.to_string(), text(own.original), text(own.revised)]
        })
        .collect();
    all.sort();
    all
}

#[test]
fn every_pair_is_aligned_as_it_was_made() {
    let case = case();
    let pairs = case["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 27);
    for pair in pairs {
        let (name, text) =
            (pair["name"].as_str().unwrap(), |draft: &str| pair[draft].as_str().unwrap().as_bytes());
        let kind = pair["kind"].as_str().unwrap();
        let (old, new) = match kind.parse::<Format>() {
            Ok(format) => {
                (read(name, text("old"), format).unwrap(), read(name, text("new"), format).unwrap())
            }
            Err(_) => {
                let tracked = docx(name);
                (tracked.rejected, tracked.accepted)
            }
        };
        let mut expected: Vec<[String; 3]> = serde_json::from_value(pair["revisions"].clone()).unwrap();
        expected.sort();
        assert_eq!(revisions(&old, &new), expected, "{name}, {kind}");
    }
}

#[test]
fn hard_documents_read_as_pandoc_reads_them() {
    let case = case();
    let documents = case["documents"].as_object().unwrap();
    assert_eq!(documents.len(), 9 + 12);
    for (name, expected) in documents {
        let tracked = docx(name);
        for (version, document) in [("rejected", &tracked.rejected), ("accepted", &tracked.accepted)] {
            let texts: Vec<&str> = document.blocks.iter().map(|block| block.text.as_str()).collect();
            let expected: Vec<&str> =
                expected[version].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
            assert_eq!(texts, expected, "{name}, {version}");
        }
    }
}
