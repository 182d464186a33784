//! Ids by whole models' vocabularies, which are not in the repository.
//!
//! `golden/tokenizer/real.py FOLDER` fetches them and writes what is expected of each. Then:
//!
//! ```text
//! IRTUNE_VOCABULARIES=FOLDER cargo test -p irtune-model --lib real_vocabularies -- --ignored
//! ```
//!
//! Counts go to `results/tokenizers.json`, from which docs/tokenizers.md is rendered.
#![allow(clippy::disallowed_macros, reason = "tests print what they measure")]

use std::{env, fs, path::PathBuf, time::Instant};

use serde::{Deserialize, Serialize};

use crate::base::{tokenizer::Tokenizer, weights::gguf::Header};

/// A vocabulary and what is expected of it.
#[derive(Deserialize)]
struct Case {
    vocabulary: String,
    /// Where vocabulary and ids come from.
    source: String,
    /// What made the ids.
    reference: String,
    gguf: PathBuf,
    texts: Vec<String>,
    ids: Vec<Vec<u32>>,
    known: Option<Known>,
}

/// Texts whose ids differ for a known reason.
#[derive(Deserialize, Serialize)]
struct Known {
    reason: String,
    texts: Vec<usize>,
}

/// What came out.
#[derive(Serialize)]
struct Count {
    vocabulary: String,
    source: String,
    reference: String,
    model: String,
    pre: String,
    tokens: usize,
    texts: usize,
    equal: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<Known>,
    /// Ids that were expected in all.
    ids: usize,
}

#[test]
#[ignore = "needs IRTUNE_VOCABULARIES, a folder that golden/tokenizer/real.py made"]
fn real_vocabularies() {
    let folder = PathBuf::from(env::var_os("IRTUNE_VOCABULARIES").expect("IRTUNE_VOCABULARIES"));
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {}", folder.display());
    let counts: Vec<Count> = paths
        .iter()
        .map(|path| {
            let case: Case = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            count(case, &folder)
        })
        .collect();
    let results = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../results/tokenizers.json");
    fs::write(results, serde_json::to_string_pretty(&counts).unwrap() + "\n").unwrap();
    for count in &counts {
        let known = count.known.as_ref().map_or(0, |known| known.texts.len());
        assert_eq!(count.equal + known, count.texts, "{}", count.vocabulary);
    }
}

fn count(case: Case, folder: &std::path::Path) -> Count {
    let path = folder.join(&case.gguf);
    let bytes = fs::read(&path).unwrap();
    let header = Header::parse(&bytes, &path).unwrap();
    let started = Instant::now();
    let tokenizer = Tokenizer::from_gguf(&header).unwrap();
    println!("{}: built in {:.0?}", case.vocabulary, started.elapsed());
    assert_eq!(case.texts.len(), case.ids.len());
    let mut equal = 0;
    for (index, (text, expected)) in case.texts.iter().zip(&case.ids).enumerate() {
        let found = tokenizer.encode(text).unwrap();
        let known = case.known.as_ref().is_some_and(|known| known.texts.contains(&index));
        match found == *expected {
            true => equal += 1,
            // What is known to differ does.
            false if known => {}
            false => println!("{}: {text:?}\n  found    {found:?}\n  expected {expected:?}", case.vocabulary),
        }
    }
    let text = |key| header.metadata.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    Count {
        model: text("tokenizer.ggml.model"),
        pre: text("tokenizer.ggml.pre"),
        tokens: tokenizer.vocabulary_size(),
        texts: case.texts.len(),
        equal,
        known: case.known,
        ids: case.ids.iter().map(Vec::len).sum(),
        vocabulary: case.vocabulary,
        source: case.source,
        reference: case.reference,
    }
}
