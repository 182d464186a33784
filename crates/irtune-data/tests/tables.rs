//! Workbooks and Parquet files that openpyxl and pyarrow wrote, and other files that are no text.
#![allow(missing_docs)]

use std::path::PathBuf;

use irtune_data::{Columns, Corpus, DataError, Labels, Votes};
use irtune_testing::golden::golden_folder;

fn golden(name: &str) -> PathBuf {
    golden_folder().join("tables").join(name)
}

fn read(name: &str, columns: &Columns, labels: Labels) -> Result<Corpus, DataError> {
    Corpus::read(&golden(name).into(), columns, labels)
}

type Texts<'a> = (Option<&'a str>, &'a str, &'a str, Option<&'a str>, Option<&'a str>);

fn texts(corpus: &Corpus) -> Vec<Texts<'_>> {
    let texts = corpus.pairs.iter().map(|pair| {
        let (original, revised) = (pair.original.as_str(), pair.revised.as_str());
        (pair.id.as_deref(), original, revised, pair.label.as_deref(), pair.group.as_deref())
    });
    texts.collect()
}

#[test]
fn the_sheet_of_a_workbook_that_has_the_columns_is_read() {
    let corpus = read("sheet.xlsx", &Columns::default(), Labels::Required).unwrap();
    assert_eq!(
        texts(&corpus),
        [
            (Some("7"), "He go home.", "He goes home.", Some("1"), Some("a")),
            (Some("8"), "", "A new sentence.", Some("2"), Some("a")),
            (Some("9"), "In 2020", "2021", Some("1.5"), Some("3")),
            (Some("10"), "two\nlines; “quoted”", "one line", Some("10"), Some("true")),
        ]
    );
    let lines: Vec<usize> = corpus.pairs.iter().map(|pair| pair.place.number()).collect();
    assert_eq!(lines, [2, 3, 5, 6]);
    let columns = Columns { original: Some("old".into()), revised: Some("new".into()), ..Columns::default() };
    let error = read("sheets.xlsx", &columns, Labels::Required).unwrap_err().to_string();
    assert!(
        error.contains("which of its sheets holds the rows can't be told (\"Draft 1\", \"Draft 2\")"),
        "{error}"
    );
    let error = read("sheets.xlsx", &Columns::default(), Labels::Required).unwrap_err();
    assert!(matches!(error, DataError::SeveralSheets { .. }), "{error}");
}

#[test]
fn two_sheets_of_aligned_sentences_are_revisions() {
    let corpus = read("essay.xlsx", &Columns::default(), Labels::Several).unwrap();
    let found: Vec<(&str, &str, Vec<&str>)> = corpus
        .pairs
        .iter()
        .map(|pair| {
            let labels = pair.labels.as_ref().unwrap().iter().map(String::as_str).collect();
            (pair.original.as_str(), pair.revised.as_str(), labels)
        })
        .collect();
    let expected = [
        ("He go home, and she stays.", "He goes home. She stays.", vec!["Conventions/Grammar/Spelling"]),
        ("It is gone.", "", vec!["Claims/Ideas"]),
        ("It is late.", "It was late.", vec!["Precision", "Word Usage/Clarity"]),
        ("", "It is new.", vec!["Evidence"]),
    ];
    assert_eq!(found, expected);
    let error = read("essay.xlsx", &Columns::default(), Labels::Required).unwrap_err();
    assert!(matches!(error, DataError::SeveralLabels { .. }), "{error}");
}

#[test]
fn parquet_files_are_read_row_by_row() {
    for name in ["plain.parquet", "gzip.parquet"] {
        let corpus = read(name, &Columns::default(), Labels::Required).unwrap();
        assert_eq!(
            texts(&corpus),
            [
                (Some("7"), "He go home.", "He goes home.", Some("1"), None),
                (Some("8"), "", "A new sentence.", Some("2"), None),
                (Some("9"), "In 2020", "", Some("10"), None),
            ]
        );
        assert!(corpus.pairs[2].place.to_string().ends_with(&format!("{name}, row 3")));
    }
    let columns = Columns {
        original: Some("data.original".into()),
        revised: Some("data.revised".into()),
        label: Some("votes".into()),
        ..Columns::default()
    };
    let corpus = read("nested.parquet", &columns, Labels::Required).unwrap();
    assert_eq!(texts(&corpus)[0], (None, "He go home.", "He goes home.", Some("fluency"), None));
    let votes = ["meaning", "", "meaning"].map(|vote| Some(vote.to_owned()).filter(|vote| !vote.is_empty()));
    assert_eq!(corpus.pairs[1].votes, Some(Votes::Annotators(votes.into())));
    let error = read("nested.parquet", &Columns::default(), Labels::Required).unwrap_err().to_string();
    assert!(error.contains("\"data.original\", \"data.revised\""), "{error}");
    let error = read("zstd.parquet", &Columns::default(), Labels::Required).unwrap_err().to_string();
    assert!(error.contains("zstd.parquet: this Parquet file can't be read: "), "{error}");
    assert!(error.contains("write it anew with snappy or gzip"), "{error}");
}

#[test]
fn files_that_hold_no_rows_are_named_for_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let said = |content: &[u8]| {
        let path = folder.path().join("pairs.jsonl");
        std::fs::write(&path, content).unwrap();
        let error =
            Corpus::read(&path.into(), &Columns::default(), Labels::Required).unwrap_err().to_string();
        error[error.find("pairs.jsonl").unwrap()..].to_owned()
    };
    assert_eq!(
        said(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
        "pairs.jsonl: this is a pointer of Git LFS, not the file itself; fetch the file with `git lfs pull`"
    );
    for (content, what) in [
        (&b"\x1f\x8b\x08\0"[..], "compressed with gzip; unpack it first"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook (.xls); save it as .xlsx"),
        (b"\xff\xfe{\0\"\0", "text in UTF-16; save it as UTF-8"),
        (b"ARROW1\0\0", "an Arrow file; write it as Parquet"),
    ] {
        assert!(said(content).contains(&format!("pairs.jsonl: this is {what}")), "{}", said(content));
    }
    assert!(said(b"PK\x03\x04\x14\0").contains("pairs.jsonl: this Excel workbook can't be read: "));
    assert!(said(b"PAR1\x15\x04\x15\xc0\n").contains("pairs.jsonl: this Parquet file can't be read: "));
    // Text that begins as one of them goes on as text.
    assert!(said(b"version,original\n1,a\n").starts_with("pairs.jsonl:1:1: not valid JSON"));
}

/// Damaged files end with an error, whatever byte is wrong.
#[test]
fn damaged_tables_are_refused_or_read() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["sheet.xlsx", "plain.parquet"] {
        let whole = std::fs::read(golden(name)).unwrap();
        let path = folder.path().join(name);
        for at in (0..whole.len()).step_by(whole.len() / 150 + 1) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xFF;
            std::fs::write(&path, &damaged).unwrap();
            let _ = Corpus::read(&path.clone().into(), &Columns::default(), Labels::Required);
            std::fs::write(&path, &whole[..at]).unwrap();
            let _ = Corpus::read(&path.clone().into(), &Columns::default(), Labels::Required);
        }
    }
}

#[test]
fn cells_without_a_value_are_told_where_they_are_needed() {
    let corpus = read("cells.xlsx", &Columns::default(), Labels::Required).unwrap();
    let labels: Vec<_> = corpus.pairs.iter().map(|pair| pair.label.as_deref().unwrap()).collect();
    assert_eq!(labels, ["2026-11-30", "2026-11-30T03:04:00", "03:04:00"]);
    for (column, expected) in [
        ("broken", ":2: column \"broken\" holds the error #N/A; correct or empty the cell"),
        (
            "formula",
            ":2: column \"formula\" holds a formula whose value isn't in the file; open the workbook",
        ),
    ] {
        let columns = Columns { revised: Some(column.into()), ..Columns::default() };
        let error = read("cells.xlsx", &columns, Labels::Required).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn numbers_of_every_width_are_the_same_label() {
    let label = |column: &str| {
        let columns = Columns { label: Some(column.into()), ..Columns::default() };
        read("scalars.parquet", &columns, Labels::Required).unwrap().pairs[0].label.clone().unwrap()
    };
    assert_eq!(["decimal", "half", "single", "text"].map(label), ["1", "1", "0.1", "d"]);
    let columns = Columns { revised: Some("bytes".into()), ..Columns::default() };
    let error = read("scalars.parquet", &columns, Labels::Ignored).unwrap_err().to_string();
    assert!(error.contains("column \"bytes\" holds an object where a text or null was expected"), "{error}");
}
