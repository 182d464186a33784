//! Runs that classify by the words of the labels.

use crate::runs::{Place, finish};
use irtune_testing::corpus::{WORD_LABELS, Words};
use irtune_train::{Every, Objective};

/// Each label's words begin the next one's.
#[test]
fn labels_whose_words_begin_others_are_told_apart() {
    let rows = |count, first| {
        let rows = Words { count, first, documents: None, labels: &[0, 1, 2] }.rows();
        ["w10", "w10-w20", "w10-w20-w30"]
            .iter()
            .zip(WORD_LABELS)
            .fold(rows, |rows, (new, old)| rows.replace(old, new))
    };
    let place = Place::new(&rows(48, 0), &rows(24, 500));
    let request = place.request("run", |settings| {
        settings.objective = Objective::Words;
        settings.prompt = "changes".into();
        (settings.max_length, settings.epochs) = (160, 12);
        (settings.eval_every, settings.save_every) = (Every::Never, Every::Never);
    });
    let (summary, _) = finish(&request);
    let test = summary.test.unwrap();
    assert!(test.metrics.accuracy > 0.9, "{test:?}");
}
