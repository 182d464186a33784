//! Rows in memory: the same pairs as a file of them, and errors that name the row.
#![allow(missing_docs)]

use irtune_data::{Columns, Corpus, CorpusSource, DataError, Labels, Place, Row, Votes};

fn row(original: &str, revised: &str, label: &str) -> Row {
    Row { label: Some(label.into()), ..Row::new(original, revised) }
}

fn read(rows: Vec<Row>, labels: Labels) -> Result<Corpus, DataError> {
    Corpus::read(&CorpusSource::rows("training rows", rows), &Columns::default(), labels)
}

#[test]
fn rows_are_the_pairs_that_a_file_of_them_gives() {
    let rows = vec![
        Row { group: Some(" essay ".into()), id: Some("7".into()), ..row("a\n", " b", " tone ") },
        Row { group: Some(" ".into()), ..row("", "added", "claim") },
        row("left out", "", "others"),
    ];
    let columns = Columns { drop_labels: vec!["others".into()], ..Columns::default() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let lines: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect();
    std::fs::write(&path, lines.concat()).unwrap();

    let given = Corpus::read(&CorpusSource::rows("rows", rows), &columns, Labels::Required).unwrap();
    let file = Corpus::read(&CorpusSource::File(path), &columns, Labels::Required).unwrap();
    assert_eq!((given.left_out.dropped, given.pairs.len()), (1, 2));
    assert_eq!(given.left_out.dropped, file.left_out.dropped);
    for (mut given, file) in given.pairs.into_iter().zip(file.pairs) {
        assert_eq!(given.place, Place::Row { rows: "rows".into(), row: file.place.number() });
        given.place = file.place.clone();
        assert_eq!(given, file);
    }
}

#[test]
fn what_is_wrong_with_a_row_names_it() {
    let message = |rows, labels| read(rows, labels).unwrap_err().to_string();
    assert_eq!(
        message(vec![row("a", "b", "tone"), row(" ", "", "tone")], Labels::Required),
        "training rows, row 2: original and revised text are both empty; a revision has at least one of them, so \
         remove the row"
    );
    assert_eq!(
        message(vec![Row::new("a", "b")], Labels::Required),
        "training rows, row 1: the label is empty; training and evaluation need one in every row, predicting doesn't; \
         drop_unlabelled leaves such rows out"
    );
    assert_eq!(
        message(vec![], Labels::Optional),
        "training rows: there are no rows in it; it needs one for each pair"
    );
    assert_eq!(read(vec![Row::new("a", "b")], Labels::Optional).unwrap().pairs[0].label, None);
}

#[test]
fn votes_give_a_row_its_label_unless_it_has_one() {
    let votes =
        Votes::Annotators(["tone", "claim", "claim", "others"].map(|label| Some(label.into())).into());
    let voted = Row { votes: Some(votes), ..Row::new("a", "b") };
    let rows = vec![voted.clone(), Row { label: Some("tone".into()), ..voted }];
    let columns = Columns { drop_labels: vec!["others".into()], ..Columns::default() };
    let corpus = Corpus::read(&CorpusSource::rows("rows", rows), &columns, Labels::Required).unwrap();
    let labels: Vec<Option<&str>> = corpus.pairs.iter().map(|pair| pair.label.as_deref()).collect();
    assert_eq!(labels, [Some("claim"), Some("tone")]);
    let shares = corpus.pairs[0].votes.as_ref().unwrap().shares();
    assert_eq!(shares, [("tone", 1.0 / 3.0), ("claim", 2.0 / 3.0)]);
}

#[test]
fn the_votes_of_a_row_are_its_labels_where_it_can_have_several() {
    let several = |labels: &[&str]| {
        let votes = labels.iter().map(|&label| Some(label.into())).collect();
        Row { votes: Some(Votes::Annotators(votes)), ..Row::new("a", "b") }
    };
    let rows = vec![several(&["tone", "claim"]), several(&[]), row("a", "b", "tone")];
    let pairs = read(rows, Labels::Several).unwrap().pairs;
    let counts: Vec<usize> = pairs.iter().filter_map(|pair| Some(pair.labels.as_ref()?.len())).collect();
    assert_eq!(counts, [2, 0, 1]);
    let error = read(vec![Row::new("a", "b")], Labels::Several).unwrap_err().to_string();
    assert!(error.starts_with("training rows, row 1: the labels are empty; write a list"), "{error}");
}
