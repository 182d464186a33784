//! Every format and layout, every error with its place.

use std::io::Cursor;
use std::path::PathBuf;

use irtune_data::{Columns, Corpus, DataError, Labels, Pair, Pairs, Preset, Votes};
use proptest::prelude::*;
use tempfile::TempDir;

/// A file in a folder of its own.
fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn read_with(
    columns: &Columns,
    labels: Labels,
    name: &str,
    content: impl AsRef<[u8]>,
) -> Result<Corpus, DataError> {
    let (_folder, path) = file(name, content);
    Corpus::read(&path.into(), columns, labels)
}

fn read(name: &str, content: impl AsRef<[u8]>) -> Result<Corpus, DataError> {
    read_with(&Columns::default(), Labels::Required, name, content)
}

fn stream(content: impl AsRef<[u8]>) -> Result<Vec<Pair>, DataError> {
    let reader = Cursor::new(content.as_ref().to_vec());
    Pairs::from_reader("stdin", reader, &Columns::default(), Labels::Required)?.collect()
}

fn preset(preset: Preset) -> Columns {
    Columns { preset, ..Columns::default() }
}

/// The message behind the file's name, so that the temporary folder doesn't matter.
fn message(error: &DataError, name: &str) -> String {
    let message = error.to_string();
    let start = message.find(name).unwrap_or_else(|| panic!("{message:?} doesn't name {name}"));
    message[start..].to_owned()
}

fn texts(pairs: &[Pair]) -> Vec<(&str, &str, Option<&str>, usize)> {
    let texts = pairs.iter().map(|pair| {
        (pair.original.as_str(), pair.revised.as_str(), pair.label.as_deref(), pair.place.number())
    });
    texts.collect()
}

#[test]
fn json_lines_with_mark_blank_lines_and_windows_line_ends() {
    let content = "\u{FEFF}\r\n{\"before\": \"A dog.\", \"after\": \"A big dog.\", \"label\": \"detail\", \"group\": 7, \"id\": \"x\"}\r\n\r\n\
                   {\"before\": null, \"after\": \" New.\", \"label\": \" detail \"}\r\n";
    let corpus = read("a.jsonl", content).unwrap();
    assert_eq!(
        texts(&corpus.pairs),
        [("A dog.", "A big dog.", Some("detail"), 2), ("", " New.", Some("detail"), 4)]
    );
    assert_eq!(corpus.pairs[0].group.as_deref(), Some("7"));
    assert_eq!(corpus.pairs[0].id.as_deref(), Some("x"));
    assert_eq!(corpus.pairs[1].group, None);
    assert!(corpus.pairs[0].place.to_string().ends_with("a.jsonl:2"));
}

#[test]
fn a_json_array_may_break_its_lines_anywhere() {
    let content = "\n [\n {\"original\": \"a ]} \\\" [\",\n  \"revised\": \"é\", \"label\": \"x\"} ,{\"original\": \"c\", \"revised\":\"\",\
                   \"label\":\"y\", \"more\": {\"deep\": [1, {}]}}\n]\n\n";
    let corpus = read("a.json", content).unwrap();
    assert_eq!(texts(&corpus.pairs), [("a ]} \" [", "é", Some("x"), 3), ("c", "", Some("y"), 4)]);
}

#[test]
fn a_json_file_may_also_hold_lines() {
    let corpus = read("a.json", "{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}").unwrap();
    assert_eq!(texts(&corpus.pairs), [("a", "b", Some("x"), 1)]);
}

#[test]
fn csv_fields_may_hold_separators_quotes_and_line_ends() {
    let content = "original,revised,label\r\n\"a, b\",\"say \"\"hi\"\"\",x\r\n\"two\r\nlines\",5\" long,y\r\n\r\n,added,z";
    let corpus = read("a.csv", content).unwrap();
    assert_eq!(
        texts(&corpus.pairs),
        [
            ("a, b", "say \"hi\"", Some("x"), 2),
            ("two\r\nlines", "5\" long", Some("y"), 3),
            ("", "added", Some("z"), 6)
        ]
    );
}

#[test]
fn tables_with_an_unnamed_index_column() {
    let corpus = read("a.tsv", "\toriginal\trevised\tlabel\n0\ta, b\tc\tx\n").unwrap();
    assert_eq!(texts(&corpus.pairs), [("a, b", "c", Some("x"), 2)]);
}

#[test]
fn the_content_tells_the_format_where_no_extension_does() {
    let expected = [("a", "b", Some("x"), 2)];
    assert_eq!(texts(&stream("original,revised,label\na,b,x").unwrap()), expected);
    assert_eq!(texts(&stream("original\trevised\tlabel\na\tb\tx").unwrap()), expected);
    assert_eq!(texts(&stream("\n{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}").unwrap()), expected);
    assert_eq!(
        texts(&stream("[\n{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}]").unwrap()),
        expected
    );
    // An extension that contradicts the header's only separator gives way.
    assert_eq!(texts(&read("a.csv", "original\trevised\tlabel\na\tb\tx").unwrap().pairs), expected);
    assert_eq!(texts(&read("a.TSV", "original,revised,label\na,b,x").unwrap().pairs), expected);
}

#[test]
fn iterater_rows_may_lack_a_side_and_others_are_dropped() {
    let content = "{\"before_sent\": \"a\", \"after_sent\": \"b\", \"labels\": \"style\", \"doc_id\": \"d1\", \"revision_depth\": 1}\n\
                   {\"before_sent\": \"a\", \"after_sent\": \"c\", \"labels\": \"others\", \"doc_id\": \"d1\"}\n\
                   {\"after_sent\": \"new\", \"labels\": \"clarity\", \"doc_id\": \"d2\"}\n\
                   {\"before_sent\": \"old\", \"after_sent\": null, \"labels\": \"clarity\", \"doc_id\": \"d2\"}\n";
    for columns in [Columns::default(), preset(Preset::Iterater)] {
        let corpus = read_with(&columns, Labels::Required, "a.json", content).unwrap();
        assert_eq!(
            texts(&corpus.pairs),
            [("a", "b", Some("style"), 1), ("", "new", Some("clarity"), 3), ("old", "", Some("clarity"), 4)]
        );
        assert_eq!(corpus.left_out.dropped, 1);
        assert_eq!(corpus.pairs[1].group.as_deref(), Some("d2"));
    }
    let all = read_with(&Columns::default(), Labels::Optional, "a.json", content).unwrap();
    assert_eq!((all.pairs.len(), all.left_out.dropped), (4, 0));
}

#[test]
fn re3_names_the_new_text_source() {
    let content = "edit_index,id,doc_name,text_src,text_tgt,label\n1,e1,p9,the new,the old,Claim\n";
    for columns in [Columns::default(), preset(Preset::Re3)] {
        let corpus = read_with(&columns, Labels::Required, "a.csv", content).unwrap();
        assert_eq!(texts(&corpus.pairs), [("the old", "the new", Some("Claim"), 2)]);
        assert_eq!(corpus.pairs[0].group.as_deref(), Some("p9"));
        assert_eq!(corpus.pairs[0].id.as_deref(), Some("e1"));
    }
    // Without Re3's own columns nobody knows the direction.
    let error = read("a.csv", "text_src,text_tgt,label\na,b,x\n").unwrap_err();
    assert!(matches!(error, DataError::UndecidedColumns { role: "original", .. }));
}

#[test]
fn given_columns_take_the_presets_place() {
    let columns = Columns {
        original: Some("old".into()),
        group: Some("essay".into()),
        drop_labels: vec!["skip".into()],
        ..Columns::default()
    };
    let content = "old,before,after,label,essay\na,no,b,x,e1\nc,no,d,skip,e1\n";
    let corpus = read_with(&columns, Labels::Required, "a.csv", content).unwrap();
    assert_eq!(texts(&corpus.pairs), [("a", "b", Some("x"), 2)]);
    assert_eq!((corpus.pairs[0].group.as_deref(), corpus.left_out.dropped), (Some("e1"), 1));
}

#[test]
fn labels_are_optional_for_prediction() {
    let read = |content: &str| read_with(&Columns::default(), Labels::Optional, "a.jsonl", content);
    let corpus = read("{\"original\":\"a\",\"revised\":\"b\"}\n{\"original\":\"a\",\"revised\":\"c\",\"label\":\"\"}\n{\"original\":\"a\",\"revised\":\"d\",\"label\":\"x\"}").unwrap();
    assert_eq!(texts(&corpus.pairs), [("a", "b", None, 1), ("a", "c", None, 2), ("a", "d", Some("x"), 3)]);
}

#[test]
fn columns_are_stored_as_settings() {
    let columns: Columns = serde_json::from_str(r#"{"preset": "re3", "label": "intent"}"#).unwrap();
    assert_eq!(columns, Columns { label: Some("intent".into()), ..preset(Preset::Re3) });
    let stored = serde_json::to_string(&columns).unwrap();
    assert_eq!(serde_json::from_str::<Columns>(&stored).unwrap(), columns);
    assert!(serde_json::from_str::<Columns>(r#"{"orignal": "x"}"#).is_err());
    assert_eq!("iterater".parse::<Preset>().unwrap(), Preset::Iterater);
    assert_eq!(Preset::Re3.to_string(), "re3");
}

#[test]
fn an_unknown_preset_is_an_error() {
    let error = "iterator".parse::<Preset>().unwrap_err();
    assert!(matches!(error, DataError::UnknownPreset { .. }));
    assert_eq!(error.to_string(), "unknown column preset \"iterator\"; known are auto, iterater and re3");
}

#[test]
fn a_stream_ends_after_its_first_error() {
    let content = "original,revised,label\na,b,x\nc,d\ne,f,x\n";
    let mut pairs =
        Pairs::from_reader("stdin", content.as_bytes(), &Columns::default(), Labels::Required).unwrap();
    assert!(pairs.next().unwrap().is_ok());
    assert!(matches!(pairs.next(), Some(Err(DataError::RaggedRow { line: 3, .. }))));
    assert!(pairs.next().is_none());
}

/// A beginning, then the same row for ever.
struct Endless {
    beginning: &'static [u8],
    row: &'static [u8],
    at: usize,
}

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for byte in &mut *buffer {
            let row = self.at.checked_sub(self.beginning.len());
            *byte = row.map_or_else(|| self.beginning[self.at], |at| self.row[at % self.row.len()]);
            self.at += 1;
        }
        Ok(buffer.len())
    }
}

#[test]
fn a_stream_without_end_gives_its_pairs() {
    for (beginning, row) in [
        ("", "{\"original\":\"a\",\"revised\":\"b\"}\n"),
        ("[{\"original\":\"a\",\"revised\":\"b\"}\n", ",{\"original\":\"a\",\"revised\":\"b\"}"),
        ("original,revised\n", "a,b\n"),
    ] {
        let endless = Endless { beginning: beginning.as_bytes(), row: row.as_bytes(), at: 0 };
        let reader = std::io::BufReader::new(endless);
        let pairs = Pairs::from_reader("stdin", reader, &Columns::default(), Labels::Optional).unwrap();
        assert_eq!(
            pairs.take(10_000).filter(|pair| pair.as_ref().is_ok_and(|pair| pair.revised == "b")).count(),
            10_000
        );
    }
}

#[test]
fn a_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.csv");
    let error = Corpus::read(&path.into(), &Columns::default(), Labels::Required).unwrap_err();
    assert!(matches!(error, DataError::Open { .. }));
    assert!(message(&error, "none.csv").starts_with("none.csv: cannot be opened: "));
}

#[test]
fn a_folder_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let result = Corpus::read(&folder.path().to_owned().into(), &Columns::default(), Labels::Required);
    // Some systems refuse to open a folder, some to read it.
    assert!(matches!(result, Err(DataError::Read { line: 1, .. } | DataError::Open { .. })));
}

struct Broken;

impl std::io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the cable is out"))
    }
}

#[test]
fn reading_that_fails_names_the_line() {
    let reader =
        std::io::BufReader::new(std::io::Read::chain(&b"original,revised,label\na,b,x\n"[..], Broken));
    let mut pairs = Pairs::from_reader("stdin", reader, &Columns::default(), Labels::Required).unwrap();
    assert!(pairs.next().unwrap().is_ok());
    let error = pairs.next().unwrap().unwrap_err();
    assert!(matches!(error, DataError::Read { .. }));
    assert_eq!(error.to_string(), "stdin:3: cannot be read: the cable is out");
}

/// Content of a file named `a.EXTENSION`, and the message behind `a.EXTENSION:`.
fn fails(extension: &str, content: impl AsRef<[u8]>, expected: &str) -> DataError {
    let name = format!("a.{extension}");
    let error = read(&name, content).unwrap_err();
    assert_eq!(message(&error, &name), format!("{name}:{expected}"));
    error
}

#[test]
fn invalid_utf8_is_placed() {
    let advice = "not UTF-8; save the file as UTF-8 text, and unpack it first if it is compressed";
    let error = fails("csv", b"original,revised,label\na,\xC3\xA9b\xFF,x\n", &format!("2:5: {advice}"));
    assert!(matches!(error, DataError::InvalidUtf8 { .. }));
    fails("jsonl", b"\xFE{\0", &format!("1:1: {advice}"));
    fails("json", b"[{\"revised\": \"b\",\n \"label\": \"\xE9\"}]", &format!("2:12: {advice}"));
    fails("json", b" [{\"a\": \"\xE9\"}]", &format!("1:10: {advice}"));
}

#[test]
fn an_empty_file_is_an_error() {
    for content in ["", "\u{FEFF}", " \n\r\n\t"] {
        let error = fails("jsonl", content, " the file is empty; it needs one row per revision pair");
        assert!(matches!(error, DataError::EmptyFile { .. }));
    }
}

#[test]
fn a_format_that_cannot_be_told() {
    let error = read("notes.txt", "Just some prose.\n").unwrap_err();
    assert!(matches!(error, DataError::UnknownFormat { .. }));
    assert!(message(&error, "notes.txt").contains("name it .jsonl, .json, .csv or .tsv"));
}

#[test]
fn broken_json_is_placed_in_characters() {
    let error = fails(
        "jsonl",
        "{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}\n{\"original\":\"é\",\"revised\" \"b\"}\n",
        "2:27: not valid JSON: expected `:`; every row is one complete object, in a .jsonl file on one line",
    );
    assert!(matches!(error, DataError::Json { .. }));
    let error = read("a.jsonl", "{\"original\": \"a\",\n").unwrap_err();
    assert!(matches!(error, DataError::Json { line: 1 | 2, .. }), "{error}");
    let error = read("a.json", "[\n  {\"original\": \"a\",\n   \"revised\": tru}]").unwrap_err();
    assert!(matches!(error, DataError::Json { line: 3, .. }), "{error}");
}

#[test]
fn rows_that_are_no_objects() {
    let advice = "where a row was expected; write every row as an object, {\"original\": …, \"revised\": …}";
    let error = fails(
        "jsonl",
        "{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}\n  \"text\"",
        &format!("2:3: found a text {advice}"),
    );
    assert!(matches!(error, DataError::NotAnObject { .. }));
    for (row, found) in
        [("3", "a number"), ("null", "null"), ("[]", "a list"), ("\"\"", "a text"), ("true", "true or false")]
    {
        fails("json", format!("[{row}]"), &format!("1:2: found {found} {advice}"));
    }
}

#[test]
fn an_array_with_something_between_its_rows() {
    let row = "{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}";
    let error = fails(
        "json",
        format!("[{row}\n {row}]"),
        "2:2: found '{' where \",\" or \"]\" was expected in the array of rows",
    );
    assert!(matches!(error, DataError::ArraySyntax { .. }));
    fails(
        "json",
        format!("[{row}]\n{row}"),
        "2:1: found '{' where the end of the file was expected in the array of rows",
    );
    fails("json", format!("[{row},]"), "1:45: found ']' where a row was expected in the array of rows");
}

#[test]
fn an_array_that_is_cut_off() {
    let row = "{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}";
    for content in
        ["[".to_owned(), format!("[{row}"), format!("[{row},"), format!("[{row}, {{\"original\": \"]")]
    {
        let error = fails(
            "json",
            content,
            "1: the file ends inside its array of rows; it seems cut off, the closing \"]\" is missing",
        );
        assert!(matches!(error, DataError::UnclosedArray { .. }));
    }
}

#[test]
fn a_quote_that_is_never_closed() {
    let error = fails(
        "csv",
        "original,revised,label\na,\"b,x\nc,d,x\n",
        "2:3: this quoted field is never closed; close it with \", and write a quote inside it as \"\"",
    );
    assert!(matches!(error, DataError::UnclosedQuote { .. }));
}

#[test]
fn text_behind_a_closing_quote() {
    let error = fails(
        "tsv",
        "original\trevised\tlabel\n\"Hi\" she said\tb\tx\n",
        "2:5: text after a closing quote; inside a quoted field write a quote as \"\"",
    );
    assert!(matches!(error, DataError::TextAfterQuote { .. }));
}

#[test]
fn a_ragged_row() {
    let error = fails(
        "csv",
        "original,revised,label\n\"a\n\",b,x\nc,d, e,x\n",
        "4: the row has 4 fields, the header has 3; put fields that hold the separator between quotes",
    );
    assert!(matches!(error, DataError::RaggedRow { .. }));
}

#[test]
fn a_header_with_the_same_name_twice() {
    let error = fails(
        "csv",
        "original,revised, label,revised\n",
        "1: there is more than one column \"revised\"; rename one of them",
    );
    assert!(matches!(error, DataError::DuplicateColumn { .. }));
}

#[test]
fn columns_that_do_not_decide() {
    let error = fails(
        "csv",
        "old,new,label\na,b,x\n",
        " which column holds the original can't be told (candidates: none; columns found: \"old\", \"new\", \"label\"); \
         name the column yourself, or choose the preset iterater or re3",
    );
    assert!(matches!(error, DataError::UndecidedColumns { .. }));
    fails(
        "jsonl",
        "{\"before\": \"a\", \"original\": \"a\", \"after\": \"b\", \"label\": \"x\"}",
        " which column holds the original can't be told (candidates: \"original\", \"before\"; \
         columns found: \"before\", \"original\", \"after\", \"label\"); \
         name the column yourself, or choose the preset iterater or re3",
    );
    let error = read("a.csv", "original,revised\na,b\n").unwrap_err();
    assert!(matches!(error, DataError::UndecidedColumns { role: "label", .. }));
}

#[test]
fn a_column_that_is_not_there() {
    let error = fails(
        "jsonl",
        "{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}\n{\"original\":\"a\",\"label\":\"x\"}",
        "2: no column \"revised\" for the revised (columns found: \"original\", \"label\"); an empty side is written as \"\"",
    );
    assert!(matches!(error, DataError::MissingColumn { .. }));
    let columns = Columns { group: Some("document".into()), ..Columns::default() };
    for (name, content) in [
        ("a.csv", "original,revised,label\na,b,x\n"),
        ("a.jsonl", "{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}"),
    ] {
        let error = read_with(&columns, Labels::Required, name, content).unwrap_err();
        assert!(
            matches!(error, DataError::MissingColumn { role: "group", ref place, .. } if place.number() == 1),
            "{error}"
        );
    }
    for content in ["before_sent,labels\na,style\n", "text,labels\na,style\n"] {
        let error = read_with(&preset(Preset::Iterater), Labels::Required, "a.csv", content).unwrap_err();
        assert!(
            matches!(error, DataError::MissingColumn { ref place, .. } if place.number() == 1),
            "{error}"
        );
    }
    let error =
        read_with(&preset(Preset::Iterater), Labels::Optional, "a.json", "{\"text\": \"a\"}").unwrap_err();
    assert!(matches!(error, DataError::MissingColumn { role: "original", .. }), "{error}");
    let error = read(
        "a.jsonl",
        "{\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\"}\n{\"original\":\"a\",\"revised\":\"b\"}",
    )
    .unwrap_err();
    assert!(
        matches!(error, DataError::MissingColumn { role: "label", ref place, .. } if place.number() == 2),
        "{error}"
    );
}

#[test]
fn a_value_of_the_wrong_type() {
    let error = fails(
        "jsonl",
        "{\"original\":[\"a\"],\"revised\":\"b\",\"label\":\"x\"}",
        "1: column \"original\" holds a list where a text or null was expected",
    );
    assert!(matches!(error, DataError::WrongType { .. }));
    fails(
        "jsonl",
        "{\"original\":1,\"revised\":\"b\",\"label\":\"x\"}",
        "1: column \"original\" holds a number where a text or null was expected",
    );
    fails(
        "jsonl",
        "{\"original\":false,\"revised\":\"b\",\"label\":\"x\"}",
        "1: column \"original\" holds true or false where a text or null was expected",
    );
}

#[test]
fn both_sides_empty() {
    let error = fails(
        "csv",
        "original,revised,label\n, ,x\n",
        "2: original and revised text are both empty; a revision has at least one of them, so remove the row",
    );
    assert!(matches!(error, DataError::BothSidesEmpty { .. }));
}

#[test]
fn a_label_that_is_needed() {
    let error = fails(
        "csv",
        "original,revised,label\na,b,\n",
        "2: the label in column \"label\" is empty; training and evaluation need one in every row, predicting doesn't; \
         drop_unlabelled leaves such rows out",
    );
    assert!(matches!(error, DataError::MissingLabel { .. }));
}

#[test]
fn no_rows_left() {
    let error = fails(
        "jsonl",
        "{\"before_sent\":\"a\",\"after_sent\":\"b\",\"labels\":\"others\"}",
        " no rows to use (1 were dropped for their label); add labelled rows",
    );
    assert!(matches!(error, DataError::NoRows { .. }));
    fails("csv", "original,revised,label\n", " there are no rows in it; it needs one for each pair");
    fails("json", "[]", " there are no rows in it; it needs one for each pair");
}

#[test]
fn a_corpus_splits_into_two() {
    let rows: String =
        (0..40).map(|row| format!("a,b{row},{}\n", if row % 2 == 0 { "x" } else { "y" })).collect();
    let corpus = read("a.csv", format!("original,revised,label\n{rows}")).unwrap();
    let (train, validation) = corpus.clone().hold_out(0.25, 9).unwrap();
    assert_eq!((train.pairs.len(), validation.pairs.len()), (30, 10));
    let mut all = [train.pairs, validation.pairs].concat();
    all.sort_by_key(|pair| pair.place.number());
    assert_eq!(all, corpus.pairs);
}

/// Text with everything that must be quoted.
fn field() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!["a", "é", "東", " ", ",", "\t", "\"", "\n", "\r\n", "\\", "{"]),
        0..8,
    )
    .prop_map(|parts| parts.concat())
}

fn rows() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((field(), field()), 1..8).prop_map(|rows| {
        rows.into_iter().map(|(original, revised)| (original, format!("r{revised}"))).collect()
    })
}

fn line_of(content: &str, row: usize, starts: &[usize]) -> usize {
    1 + content[..starts[row]].matches('\n').count()
}

proptest! {
    /// Written by the `csv` crate, read here; every row on the line it starts on.
    #[test]
    fn separated_rows_come_back(rows in rows(), tabs: bool, windows: bool) {
        let terminator = if windows { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(if tabs { b'\t' } else { b',' })
            .terminator(terminator)
            .from_writer(Vec::new());
        writer.write_record(["original", "revised", "label"]).unwrap();
        let mut starts = Vec::new();
        for (original, revised) in &rows {
            writer.flush().unwrap();
            starts.push(writer.get_ref().len());
            writer.write_record([original, revised, "x"]).unwrap();
        }
        let content = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let corpus = read(if tabs { "a.tsv" } else { "a.csv" }, &content).unwrap();
        let expected: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(row, (original, revised))| {
                (original.as_str(), revised.as_str(), Some("x"), line_of(&content, row, &starts))
            })
            .collect();
        prop_assert_eq!(texts(&corpus.pairs), expected);
    }

    #[test]
    fn json_rows_come_back(rows in rows(), array: bool, pretty: bool) {
        let mut content = if array { "[\n".to_owned() } else { String::new() };
        let mut starts = Vec::new();
        for (row, (original, revised)) in rows.iter().enumerate() {
            starts.push(content.len());
            let value = serde_json::json!({ "original": original, "revised": revised, "label": "x" });
            let text = if array && pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            content += &text.unwrap();
            content += match (array, row + 1 == rows.len()) { (true, true) => "]", (true, false) => ",", _ => "\n" };
        }
        let corpus = read("a.json", &content).unwrap();
        let expected: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(row, (original, revised))| {
                (original.as_str(), revised.as_str(), Some("x"), line_of(&content, row, &starts))
            })
            .collect();
        prop_assert_eq!(texts(&corpus.pairs), expected);
    }

    /// Whatever the bytes, reading ends with pairs or an error that names the file.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(prop::sample::select(b"[]{}\",:\n\r\t ao\xEF\xBB\xBF\\".to_vec()), 0..60)) {
        for name in ["a.json", "a.csv", "a.txt"] {
            if let Err(error) = read_with(&Columns::default(), Labels::Optional, name, &bytes) {
                prop_assert!(error.to_string().contains(name));
            }
        }
    }
}

#[test]
fn lists_of_annotators_labels_are_votes_and_their_majority_is_the_label() {
    let columns = Columns {
        label: Some("raw".to_owned()),
        drop_labels: vec!["others".to_owned()],
        ..Columns::default()
    };
    let content = r#"{"original": "a", "revised": "b", "raw": ["tone", "claim", "claim"], "label": "tone"}
{"original": "a", "revised": "c", "raw": ["tone", "claim", "others"], "label": "claim"}
{"original": "a", "revised": "d", "raw": ["others", "others", "claim"]}
{"original": "a", "revised": "e", "raw": {"tone": 2, "claim": 1}}
{"original": "a", "revised": "f", "raw": " tone "}
"#;
    let corpus = read_with(&columns, Labels::Required, "a.jsonl", content).unwrap();
    let labels: Vec<&str> = corpus.pairs.iter().filter_map(|pair| pair.label.as_deref()).collect();
    assert_eq!((labels, corpus.left_out.dropped), (vec!["claim", "claim", "tone", "tone"], 1));
    let list = |labels: &[Option<&str>]| {
        Some(Votes::Annotators(labels.iter().map(|label| label.map(str::to_owned)).collect()))
    };
    assert_eq!(corpus.pairs[0].votes, list(&[Some("tone"), Some("claim"), Some("claim")]));
    assert_eq!(corpus.pairs[1].votes, list(&[Some("tone"), Some("claim"), None]));
    let weights = corpus.pairs[2].votes.as_ref().unwrap();
    assert_eq!(weights.shares(), [("claim", 1.0 / 3.0), ("tone", 2.0 / 3.0)]);
    assert_eq!(corpus.pairs[3].votes, None);

    let table =
        "original,revised,raw\na,b,\"[\"\"tone\"\", null, \"\"claim\"\", \"\"claim\"\"]\"\na,c,tone\n";
    let corpus = read_with(&columns, Labels::Required, "a.csv", table).unwrap();
    assert_eq!(corpus.pairs[0].label.as_deref(), Some("claim"));
    assert_eq!(corpus.pairs[0].votes, list(&[Some("tone"), None, Some("claim"), Some("claim")]));
    assert_eq!(corpus.pairs[1].votes, None);
}

#[test]
fn what_are_no_votes_is_named_with_its_place() {
    let said = |raw: &str, labels: Labels| {
        let content = format!("{{\"original\": \"a\", \"revised\": \"b\", \"label\": {raw}}}\n");
        read_with(&Columns::default(), labels, "a.jsonl", content).map_err(|error| message(&error, "a.jsonl"))
    };
    assert_eq!(
        said("[\"tone\", [1]]", Labels::Required).unwrap_err(),
        "a.jsonl:1: column \"label\" holds a list with a list in it; every annotator's entry is a label or null"
    );
    assert_eq!(
        said("{\"tone\": \"x\"}", Labels::Required).unwrap_err(),
        "a.jsonl:1: column \"label\" holds \"x\" as the weight of \"tone\"; a weight is a number from 0 to 1e9"
    );
    for nothing in ["[]", "[null]", "{\"tone\": 0}", "{\"tone\": null}"] {
        let error = said(nothing, Labels::Required).unwrap_err();
        assert!(error.contains("the label in column \"label\" is empty"), "{error}");
        assert_eq!(said(nothing, Labels::Optional).unwrap().pairs[0].label, None);
    }
}

#[test]
fn a_pair_can_have_several_labels_or_none_where_that_is_asked_for() {
    let columns = Columns { drop_labels: vec!["others".to_owned()], ..Columns::default() };
    let content = r#"{"original": "a", "revised": "b", "label": ["tone", "claim", " tone ", null]}
{"original": "a", "revised": "c", "label": []}
{"original": "a", "revised": "d", "label": ["others", "claim"]}
{"original": "a", "revised": "e", "label": ["others"]}
{"original": "a", "revised": "f", "label": "tone"}
{"original": "a", "revised": "g", "label": "others"}
"#;
    let corpus = read_with(&columns, Labels::Several, "a.jsonl", content).unwrap();
    let labels: Vec<Option<Vec<&str>>> = corpus
        .pairs
        .iter()
        .map(|pair| pair.labels.as_ref().map(|labels| labels.iter().map(String::as_str).collect()))
        .collect();
    let expected = [vec!["claim", "tone"], vec![], vec!["claim"], vec!["tone"]].map(Some);
    assert_eq!((labels.as_slice(), corpus.left_out.dropped), (&expected[..], 2));
    assert!(corpus.pairs.iter().all(|pair| pair.label.is_none() && pair.votes.is_none()));

    let table = "original,revised,label\na,b,\"[\"\"tone\"\", \"\"claim\"\"]\"\na,c,[]\na,d,tone\n";
    let corpus = read_with(&columns, Labels::Several, "a.csv", table).unwrap();
    let counts: Vec<usize> =
        corpus.pairs.iter().filter_map(|pair| Some(pair.labels.as_ref()?.len())).collect();
    assert_eq!(counts, [2, 0, 1]);

    let said = |label: &str| {
        let content = format!("{{\"original\": \"a\", \"revised\": \"b\"{label}}}\n");
        let error = read_with(&columns, Labels::Several, "a.jsonl", content).unwrap_err();
        message(&error, "a.jsonl")
    };
    assert_eq!(
        said(", \"label\": null"),
        "a.jsonl:1: the labels in column \"label\" are empty; write a list, [\"a\", \"b\"], and [] for a pair that has none; \
         drop_unlabelled leaves such rows out"
    );
    assert!(said(", \"label\": {\"tone\": 2}").contains("the row has weights of labels"));
    assert!(said("").contains("which column holds the label can't be told"));
}
