//! The method that `docs/extending.md` walks through: the same text, and it runs.

use std::collections::BTreeMap;

use crate::{alternate, support::Model};
use irtune_select::SelectError;

const CODE: &str = include_str!("../../examples/alternate.rs");

#[test]
fn the_document_shows_this_very_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/extending.md");
    let text = std::fs::read_to_string(path).unwrap();
    let start = text.find("```rust\n").expect("a block of Rust") + "```rust\n".len();
    let end = start + text[start..].find("```").expect("where the block ends");
    let rendered = format!("{}{CODE}{}", &text[..start], &text[end..]);
    if std::env::var_os("IRTUNE_WRITE_DOCS").is_some() {
        std::fs::write(path, &rendered).unwrap();
    } else {
        assert_eq!(text, rendered, "docs/extending.md shows other code: run with IRTUNE_WRITE_DOCS=1");
    }
    assert!(CODE.lines().count() < 60, "{} lines", CODE.lines().count());
}

#[test]
fn the_method_runs() {
    let options = BTreeMap::from([("interval".to_string(), "2".to_string())]);
    let mut policy = alternate::METHOD.build(5, &options).unwrap();
    let model = Model { layers: 5, seed: 1, numbers: vec![1.0] };
    let chosen: Vec<Vec<usize>> =
        (0..5).map(|step| model.step(policy.as_mut(), step).0.iter().collect()).collect();
    assert_eq!(chosen, [vec![0, 2, 4], vec![0, 2, 4], vec![1, 3], vec![1, 3], vec![0, 2, 4]]);
    let state = policy.state();
    policy.restore(&state).unwrap();
    let mut single = alternate::METHOD.build(1, &BTreeMap::new()).unwrap();
    assert_eq!(Model { layers: 1, ..model }.step(single.as_mut(), 5).0.count(), 1);

    let options = BTreeMap::from([("interval".to_string(), "0".to_string())]);
    let Err(error) = alternate::METHOD.build(5, &options) else { panic!("an interval of 0") };
    assert!(
        matches!(error, SelectError::OptionValue { method: "alternate", option: "interval", .. }),
        "{error}"
    );
}
