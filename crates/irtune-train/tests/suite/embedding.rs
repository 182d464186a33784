//! The program that `docs/embedding.md` shows: the same text, and it runs.

use irtune_data::Row;
use irtune_testing::corpus::{WORD_LABELS, word_pair};
use irtune_testing::golden::tiny_llama;
use irtune_train::TrainSettings;

#[path = "../../examples/embed.rs"]
mod embed;

#[test]
fn the_page_shows_the_example() {
    let page = include_str!("../../../../docs/embedding.md");
    let code = format!("```rust\n{}```\n", include_str!("../../examples/embed.rs"));
    assert!(page.ends_with(&code), "docs/embedding.md shows other code than examples/embed.rs");
}

#[test]
fn the_example_learns_and_serves() {
    let row = |number: usize| {
        let (original, revised) = word_pair(number, number % 3);
        Row { id: Some(number.to_string().into()), ..Row::new(original, revised) }
    };
    let labelled = |number: usize| Row { label: Some(WORD_LABELS[number % 3].into()), ..row(number) };
    let settings = TrainSettings {
        max_steps: Some(2),
        prompt: "pair".into(),
        max_length: 60,
        threads: Some(1),
        ..TrainSettings::default()
    };
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    embed::learn(&tiny_llama("six_layers"), (0..20).map(labelled).collect(), settings, &out).unwrap();
    let predictions = embed::serve(&out, vec![vec![row(30), row(31)], vec![row(32)]]).unwrap();
    let ids: Vec<_> = predictions.iter().map(|prediction| prediction.id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["30", "31", "32"]);
    assert!(predictions.iter().all(|prediction| WORD_LABELS.contains(&prediction.label().unwrap())));
}
