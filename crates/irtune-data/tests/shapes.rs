//! The shapes in which files of pairs are found: other separators, wrapped JSON, documents, labels of every kind.
#![allow(missing_docs)]

use irtune_data::{Columns, Corpus, CorpusSource, DataError, LabelSet, Labels, Pair};

fn read_with(columns: &Columns, labels: Labels, name: &str, content: &str) -> Result<Corpus, DataError> {
    let source = CorpusSource::Content { name: name.into(), bytes: content.as_bytes().into() };
    Corpus::read(&source, columns, labels)
}

fn read(name: &str, content: &str) -> Result<Corpus, DataError> {
    read_with(&Columns::default(), Labels::Required, name, content)
}

fn said(name: &str, content: &str) -> String {
    read(name, content).unwrap_err().to_string()
}

fn texts(corpus: &Corpus) -> Vec<(&str, &str, &str)> {
    let label = |pair: &'_ Pair| pair.label.clone().unwrap_or_default();
    let texts = corpus.pairs.iter().map(|pair| {
        (pair.original.as_str(), pair.revised.as_str(), &*Box::leak(label(pair).into_boxed_str()))
    });
    texts.collect()
}

const TWO: [(&str, &str, &str); 2] = [("a", "b, c", "x"), ("d", "e", "y")];

#[test]
fn tables_may_be_separated_otherwise() {
    for content in [
        "original;revised;label\na;b, c;x\nd;e;y\n",
        "original|revised|label\na|b, c|x\nd|e|y\n",
        "sep=;\r\noriginal;revised;label\r\na;b, c;x\r\nd;e;y\r\n",
        "\"sep=^\"\noriginal^revised^label\na^b, c^x\nd^e^y\n",
        "\u{FEFF}\"original\";\"revised\";\"label, agreed; or not\";label\na;b, c;;x\nd;e;;y\n",
        "original,revised,label\ra,\"b, c\",x\rd,e,y\r",
        "original\trevised\tlabel\ra\tb, c\tx\rd\te\ty",
    ] {
        for name in ["a.csv", "a.tsv", "pairs"] {
            let corpus = read(name, content).unwrap_or_else(|error| panic!("{content:?}: {error}"));
            assert_eq!(texts(&corpus), TWO, "{content:?}");
        }
    }
    // A carriage return inside of quotes ends no line, and a line keeps its number.
    let corpus = read("a.csv", "original,revised,label\r\"a\rb\",c,x\rd,e,y").unwrap();
    assert_eq!(corpus.pairs[0].original, "a\rb");
    assert_eq!(corpus.pairs[1].place.to_string(), "a.csv:4");
    assert!(said("a.csv", "old;new\na;b\n").contains("columns found: \"old\", \"new\""));
    assert!(matches!(read("a", "Prose; and more | of it.\n"), Err(DataError::UnknownFormat { .. })));
}

#[test]
fn a_header_may_be_long_and_hold_names_twice() {
    let many: Vec<String> = (0..100_000).map(|column| format!("column {column}")).collect();
    let error = said("a.csv", &format!("{}\n", many.join(",")));
    assert!(error.contains("\"column 29\" and 99970 more"), "{error}");
    let row = ["z"].repeat(100_000).join(",");
    let corpus = read("a.csv", &format!("original,revised,label,{}\na,b,x,{row}\n", many.join(","))).unwrap();
    assert_eq!(texts(&corpus), [("a", "b", "x")]);
    let corpus = read("a.csv", "note,original,revised,note,label\n1,a,b,2,x\n").unwrap();
    assert_eq!(texts(&corpus), [("a", "b", "x")]);
    let corpus = read("a.jsonl", r#"{"note":1,"note":2,"original":"a","revised":"b","label":"x"}"#).unwrap();
    assert_eq!(texts(&corpus), [("a", "b", "x")]);
    let twice = r#"{"original":"a","original":"c","revised":"b","label":"x"}"#;
    assert_eq!(
        said("a.jsonl", twice),
        "a.jsonl:1: there is more than one column \"original\"; rename one of them"
    );
}

#[test]
fn rows_may_be_inside_an_object() {
    let rows =
        r#"[{"original":"a","revised":"b, c","label":"x"},{"original":"d","revised":"e","label":"y"}]"#;
    let pretty = "{\n  \"version\": 1,\n  \"set\": {\n    \"rows\": [\n      {\"original\": \"a\", \"revised\": \"b, c\",\n       \
                  \"label\": \"x\"},\n      {\"original\": \"d\", \"revised\": \"e\", \"label\": \"y\"}\n    ]\n  }\n}\n";
    for content in [
        format!("{{\"data\": {rows}}}"),
        format!("{{\"features\": [{{\"name\": \"original\"}}], \"data\": {rows}}}\n\n"),
        pretty.to_owned(),
        r#"{"original": ["a", "d"], "revised": ["b, c", "e"], "label": ["x", "y"]}"#.to_owned(),
        r#"{"original": {"0": "a", "7": "d"}, "revised": {"0": "b, c", "7": "e"}, "label": {"0": "x", "7": "y"}}"#
            .to_owned(),
    ] {
        for name in ["a.json", "a.jsonl", "pairs"] {
            let corpus = read(name, &content).unwrap_or_else(|error| panic!("{content}: {error}"));
            assert_eq!(texts(&corpus), TWO, "{content}");
            assert_eq!(corpus.pairs[1].place.to_string(), format!("{name}, row 2"));
        }
    }
    let error = said("a.json", &format!("{{\"train\": {rows}, \"test\": {rows}}}"));
    assert!(error.contains("which of the lists \"train\", \"test\" holds the rows can't be told"), "{error}");
    // Rows that follow each other are rows, whatever else they hold.
    let nested = r#"{"row": {"original": "a"}, "list": [{"original": "b"}]}"#;
    let error = said("a.jsonl", &format!("{nested}\n{nested}\n"));
    assert!(error.contains("columns found: \"row.original\", \"list\""), "{error}");
}

#[test]
fn objects_may_follow_each_other_on_any_lines() {
    let content = "{\n  \"original\": \"a\",\n  \"revised\": \"b, c\",\n  \"label\": \"x\"\n}\n{\"original\": \"d\", \"revised\": \
                   \"e\",\n \"label\": \"y\"} ";
    let corpus = read("a.json", content).unwrap();
    assert_eq!(texts(&corpus), TWO);
    assert_eq!(corpus.pairs[1].place.to_string(), "a.json:6");
    let one = r#"{"original":"a","revised":"b, c","label":"x"}"#;
    let other = r#"{"original":"d","revised":"e","label":"y"}"#;
    for between in ["", " ", "\r"] {
        assert_eq!(texts(&read("a.jsonl", &format!("{one}{between}{other}")).unwrap()), TWO);
    }
    assert!(said("a.json", "{\n\"original\": \"a\"\n").starts_with("a.json:2:"));
}

#[test]
fn an_error_names_the_line_it_is_on() {
    let row = r#"{"original":"a","revised":"b","label":"x"}"#;
    for broken in [r#"{"original":"a","revised":"b""#, r#"{"original":"a","revised":"b"#, r#"{"original":"#] {
        for end in ["\n", "\r\n", " \t\n"] {
            let error = said("a.jsonl", &format!("{row}\n{broken}{end}{row}\n"));
            assert!(error.starts_with("a.jsonl:2:"), "{error}");
        }
    }
}

#[test]
fn what_python_writes_for_no_number_is_nothing() {
    let content = r#"{"original": NaN, "revised": "new NaN", "label": "x", "score": -Infinity}
{"original": "old", "revised": NaN, "label": "y", "score": [NaN, {"a": Infinity}]}
"#;
    assert_eq!(texts(&read("a.jsonl", content).unwrap()), [("", "new NaN", "x"), ("old", "", "y")]);
    let error = said("a.jsonl", r#"{"original": "a", "revised": "b", "label": NaN}"#);
    assert!(error.contains("the label in column \"label\" is empty"), "{error}");
    assert!(said("a.jsonl", r#"{"score": NaN, "original" "a"}"#).starts_with("a.jsonl:1:"));
}

#[test]
fn columns_may_lie_inside_of_others() {
    let columns = Columns {
        original: Some("data.before.text".into()),
        revised: Some("data.after".into()),
        label: Some("annotations.0.result.0.choices".into()),
        id: Some("meta.id".into()),
        ..Columns::default()
    };
    let content = r#"{"data": {"before.text": "a", "after": "b"}, "annotations": [{"result": [{"choices": ["x"]}]}], "meta": {"id": 7}}
{"data": {"before": {"text": "c"}, "after": "d"}, "annotations": [{"result": [{"choices": ["y"]}]}], "meta": {"id": "e"}}
"#;
    let corpus = read_with(&columns, Labels::Required, "a.jsonl", content).unwrap();
    assert_eq!(texts(&corpus), [("a", "b", "x"), ("c", "d", "y")]);
    let ids: Vec<String> = corpus.pairs.iter().map(|pair| serde_json::to_string(&pair.id).unwrap()).collect();
    assert_eq!(ids, ["7", "\"e\""]);
}

#[test]
fn labels_are_of_every_kind() {
    let labels = |rows: &[&str]| {
        let row = |label: &&str| format!("{{\"original\":\"a\",\"revised\":\"b\",\"label\":{label}}}\n");
        let corpus = read("a.jsonl", &rows.iter().map(row).collect::<String>()).unwrap();
        corpus.pairs.iter().map(|pair| pair.label.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(labels(&["true", "false", "[true]"]), ["true", "false", "true"]);
    assert_eq!(labels(&["1", "1.0", "10e-1", "[1.0]", "\"1\"", "-0.50"]), ["1", "1", "1", "1", "1", "-0.5"]);
    assert_eq!(labels(&["[\"x\"]", "{\"choices\": [\"y\"]}", "\"z\""]), ["x", "y", "z"]);
    let table = "original,revised,label,group\na,b,1.0,3\na,c,1,3.0\n";
    let corpus = read("a.csv", table).unwrap();
    assert!(corpus.pairs.iter().all(|pair| pair.label.as_deref() == Some("1")));
    assert_eq!(corpus.pairs[0].group, corpus.pairs[1].group);
}

#[test]
fn a_list_of_several_labels_among_lists_of_one_is_an_error() {
    let row = |label: &str| format!("{{\"original\":\"a\",\"revised\":\"b\",\"label\":{label}}}\n");
    let mixed = [row("[\"x\"]"), row("[\"y\"]"), row("[\"y\", \"x\"]")].concat();
    assert_eq!(
        said("a.jsonl", &mixed),
        "a.jsonl:3: the row has several labels in column \"label\" (\"x\", \"y\"), and a pair has one; set multi_label, or \
         give the row one label"
    );
    let mixed = [row("[\"y\", \"x\"]"), row("[\"x\"]")].concat();
    assert!(said("a.jsonl", &mixed).starts_with("a.jsonl:1: the row has several labels"));
    let choices = row("{\"choices\": [\"y\", \"x\"]}");
    assert!(said("a.jsonl", &choices).starts_with("a.jsonl:1: the row has several labels"));
    let table = "original,revised,label\na,b,\"{\"\"choices\"\": [\"\"y\"\", \"\"x\"\"]}\"\n";
    for (name, content) in [("a.jsonl", choices.as_str()), ("a.csv", table)] {
        let corpus = read_with(&Columns::default(), Labels::Several, name, content).unwrap();
        assert_eq!(corpus.pairs[0].labels, Some(vec!["x".to_owned(), "y".to_owned()]));
    }
    // What several annotators said has an entry for each, in every row.
    assert!(read("a.jsonl", &[row("[\"x\", \"y\", null]"), row("[\"x\", null, null]")].concat()).is_ok());
}

#[test]
fn a_label_that_nobody_asks_for_is_not_looked_at() {
    let content = r#"{"original": "a", "revised": "b", "label": [], "labels": 3, "group": {"a": 1}, "doc_id": 1, "id": 12345678901234567890123}
{"original": "c", "revised": "d", "label": {"x": "y"}, "labels": true, "id": [1, "a"]}
"#;
    let corpus = read_with(&Columns::default(), Labels::Ignored, "a.jsonl", content).unwrap();
    assert_eq!(texts(&corpus), [("a", "b", ""), ("c", "d", "")]);
    let ids: Vec<String> = corpus.pairs.iter().map(|pair| serde_json::to_string(&pair.id).unwrap()).collect();
    assert_eq!(ids, ["12345678901234567890123", "[1, \"a\"]"]);
    let columns = Columns { label: Some("gone".into()), group: Some("gone".into()), ..Columns::default() };
    assert!(read_with(&columns, Labels::Ignored, "a.jsonl", content).is_ok());
}

#[test]
fn what_lies_deep_stops_nothing_unless_it_is_needed() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let row =
        format!("{{\"tree\":{deep},\"original\":\"a\",\"revised\":\"b\",\"label\":\"x\",\"group\":{deep}}}");
    assert_eq!(texts(&read("a.jsonl", &row).unwrap()), [("a", "b", "x")]);
    let row = format!("{{\"original\":\"a\",\"revised\":\"b\",\"label\":{deep}}}");
    assert!(
        said("a.jsonl", &row).starts_with("a.jsonl:1: a value that is needed can't be read: recursion limit")
    );
}

#[test]
fn rows_without_label_are_left_out_where_that_is_asked_for() {
    let content = "original,revised,label\na,b,\nc,d,x\ne,f,\n";
    let columns = Columns { drop_unlabelled: true, ..Columns::default() };
    let corpus = read_with(&columns, Labels::Required, "a.csv", content).unwrap();
    assert_eq!((texts(&corpus), corpus.left_out.unlabelled), (vec![("c", "d", "x")], 2));
    let content = "{\"original\":\"a\",\"revised\":\"b\",\"label\":[\"x\"]}\n{\"original\":\"a\",\"revised\":\"b\",\"label\":null}\n\
                   {\"original\":\"a\",\"revised\":\"b\"}\n{\"original\":\"a\",\"revised\":\"b\",\"label\":[]}\n";
    let corpus = read_with(&columns, Labels::Several, "a.jsonl", content).unwrap();
    assert_eq!((corpus.pairs.len(), corpus.left_out.unlabelled), (2, 2));
    let error = read_with(&columns, Labels::Required, "a.csv", "original,revised,label\na,b,\n").unwrap_err();
    assert!(
        error.to_string().contains("(0 were dropped for their label, 1 because they have none)"),
        "{error}"
    );
}

#[test]
fn labels_to_drop_are_met_or_not() {
    let drop = |labels: &[&str]| Columns {
        drop_labels: labels.iter().map(|&label| label.to_owned()).collect(),
        ..Columns::default()
    };
    let content = "{\"original\":\"a\",\"revised\":\"b\",\"label\":1.0}\n{\"original\":\"a\",\"revised\":\"c\",\"label\":\"x, y\"}\n\
                   {\"original\":\"a\",\"revised\":\"d\",\"label\":\"z\"}\n";
    let columns = drop(&["1", "x, y", "others"]);
    let corpus = read_with(&columns, Labels::Required, "a.jsonl", content).unwrap();
    assert_eq!((corpus.pairs.len(), corpus.left_out.dropped), (1, 2));
    assert_eq!(corpus.left_out.met.iter().collect::<Vec<_>>(), ["1", "x, y"]);
}

#[test]
fn numbered_labels_are_in_the_order_of_their_values() {
    let rows: String = [10, 2, -1, 9].iter().map(|label| format!("a,b,{label}\n")).collect();
    let corpus = read("a.csv", &format!("original,revised,label\n{rows}a,b,2.5\n")).unwrap();
    let labels = LabelSet::discover(&corpus.pairs).unwrap();
    assert_eq!(labels.names(), ["-1", "2", "2.5", "9", "10"]);
    assert_eq!((labels.index("2.0"), labels.index("10"), labels.index("3")), (Some(1), Some(4), None));
    let old = LabelSet::new(["1.0", "10.0", "2.0"]).unwrap();
    assert_eq!(old.index("2"), Some(2));
}

#[test]
fn a_document_gives_a_pair_for_each_edit() {
    let content = r#"{"doc_id": 7, "before_revision": "Über it go. It were late there. End", "after_revision": "", "edit_actions": [
 {"type": "R", "before": "go", "after": "goes", "start_char_pos": 8, "end_char_pos": 10, "major_intent": "fluency", "raw_intents": ["fluency", "clarity", "fluency"]},
 {"type": "D", "before": "there", "after": null, "start_char_pos": 25, "end_char_pos": 30, "major_intent": "clarity"},
 {"type": "A", "before": null, "after": " now", "start_char_pos": 35, "end_char_pos": 35, "major_intent": "others"}], "sents_char_pos": [0, 12, 32]}"#;
    let corpus = read("a.json", content).unwrap();
    assert_eq!(
        texts(&corpus),
        [("Über it go.", "Über it goes.", "fluency"), ("It were late there.", "It were late .", "clarity"),]
    );
    assert_eq!((corpus.left_out.dropped, corpus.pairs[0].group.as_deref()), (1, Some("7")));
    let columns = Columns { label: Some("raw_intents".into()), drop_unlabelled: true, ..Columns::default() };
    let corpus = read_with(&columns, Labels::Required, "a.json", content).unwrap();
    assert!(corpus.pairs[0].votes.is_some());
    let misplaced = content.replace("\"start_char_pos\": 25", "\"start_char_pos\": 22");
    let error = said("a.json", &misplaced);
    assert!(error.starts_with("a.json:1: edit 2 of the document doesn't fit before_revision"), "{error}");
}

#[test]
fn columns_of_named_rows_are_joined_by_these_names() {
    let corpus = read(
        "a.json",
        r#"{"original": {"0": "a", "1": "d"}, "revised": {"1": "e", "0": "b, c"}, "label": ["x", "y"]}"#,
    );
    assert_eq!(texts(&corpus.unwrap()), TWO);
    let error = said("a.json", r#"{"original": {"0": "a", "1": "d"}, "revised": {"0": "b", "2": "e"}}"#);
    assert_eq!(
        error,
        "a.json: column \"revised\" has no value for row \"1\", which column \"original\" has; give each column the same \
         rows"
    );
}

#[test]
fn a_source_without_rows_says_just_that() {
    for (name, content) in
        [("a.json", "[]"), ("a.json", r#"{"data": []}"#), ("a.csv", "original,revised,label\n")]
    {
        assert_eq!(
            said(name, content),
            format!("{name}: there are no rows in it; it needs one for each pair"),
            "{content}"
        );
    }
    let rows = r#"[{"original": "a", "revised": "b"}]"#;
    let error = said("a.json", &format!(r#"{{"train": {rows}, "test": {rows}}}"#));
    assert!(error.contains("such as with `jq '.train[]'`"), "{error}");
    let columns = Columns { label: Some("agreed".into()), ..Columns::default() };
    let error = read_with(&columns, Labels::Required, "a.csv", "original,revised\na,b\n").unwrap_err();
    assert!(error.to_string().ends_with("(columns found: \"original\", \"revised\")"), "{error}");
}

#[test]
fn rows_without_label_can_be_left_out_where_labels_are_optional() {
    let columns = Columns { drop_unlabelled: true, ..Columns::default() };
    let content = "original,revised,label\na,\"b, c\",x\ng,h,\nd,e,y\n";
    let corpus = read_with(&columns, Labels::Optional, "a.csv", content).unwrap();
    assert_eq!((texts(&corpus).as_slice(), corpus.left_out.unlabelled), (TWO.as_slice(), 1));
    let corpus = read_with(&Columns::default(), Labels::Optional, "a.csv", content).unwrap();
    assert_eq!(corpus.pairs.len(), 3);
}

#[test]
fn a_whole_document_is_no_text_of_a_pair() {
    let row = |bytes: usize| {
        let text = "a ".repeat(bytes / 2);
        format!("{{\"original\": \"{text}\", \"revised\": \"b\", \"label\": \"x\"}}\n")
    };
    assert_eq!(read("a.jsonl", &row(1 << 20)).unwrap().pairs.len(), 1);
    let error = said("a.jsonl", &(row(2) + &row((1 << 20) + 2)));
    assert!(error.starts_with("a.jsonl:2: a text has 1048578 bytes, and at most 1048576"), "{error}");
}

/// Tasks of Label Studio: what annotators said who are not the same in every task, one of whom left a task out.
const TASKS: &str = r#"[
    {"id": 1, "data": {"original": "a", "revised": "b, c", "label": "old"}, "annotations": []},
    {"id": 2, "data": {"original": "d", "revised": "e", "group": "doc"}, "annotations": [
        {"completed_by": {"id": 5, "email": "a@example.org"}, "was_cancelled": false, "result": [
            {"from_name": "why", "to_name": "t", "type": "choices", "value": {"choices": ["x"]}}]},
        {"completed_by": 9, "was_cancelled": true, "result": [
            {"from_name": "why", "type": "choices", "value": {"choices": ["never"]}}]}]},
    {"id": 3, "data": {"original": "f", "revised": "g"}, "annotations": [
        {"completed_by": 9, "result": [{"from_name": "why", "type": "choices", "value": {"choices": ["y"]}}]},
        {"completed_by": 5, "result": [{"from_name": "why", "type": "taxonomy", "value": {"taxonomy": [["x", "z"]]}}]}]}
]"#;

#[test]
fn tasks_of_label_studio_are_rows_with_what_each_annotator_said() {
    use irtune_data::Votes;
    let columns = Columns { drop_unlabelled: true, ..Columns::default() };
    let corpus = read_with(&columns, Labels::Required, "tasks.json", TASKS).unwrap();
    assert_eq!(texts(&corpus), [("d", "e", "x"), ("f", "g", "x/z")]);
    let votes = |entries: &[Option<&str>]| {
        Some(Votes::Annotators(entries.iter().map(|own| own.map(str::to_owned)).collect()))
    };
    assert_eq!(corpus.pairs[0].votes, votes(&[Some("x"), None]));
    assert_eq!(corpus.pairs[1].votes, votes(&[Some("x/z"), Some("y")]));
    assert_eq!((corpus.pairs[0].id.as_deref(), corpus.pairs[0].group.as_deref()), (Some("2"), Some("doc")));
    let unlabelled = read_with(&Columns::default(), Labels::Optional, "tasks.json", TASKS).unwrap();
    assert_eq!((unlabelled.pairs.len(), unlabelled.pairs[0].label.as_deref()), (3, None));
    assert!(said("tasks.json", TASKS).contains("label"));
    // One task alone is no table, and one annotator's answer is a label.
    let one = r#"{"id": 1, "data": {"before": "a", "after": "b"}, "annotations": [{"completed_by": 5, "result": [
        {"from_name": "why", "type": "choices", "value": {"choices": ["x"]}},
        {"from_name": "sure", "type": "choices", "value": {"choices": ["no"]}}]}]}"#;
    let columns = Columns { label: Some("why".into()), ..Columns::default() };
    let corpus = read_with(&columns, Labels::Required, "task.json", one).unwrap();
    assert_eq!((texts(&corpus).as_slice(), &corpus.pairs[0].votes), ([("a", "b", "x")].as_slice(), &None));
    assert!(said("task.json", one).contains("\"why\", \"sure\""), "{}", said("task.json", one));
}

#[test]
fn several_choices_of_a_task_are_those_that_most_annotators_made() {
    let task = |answers: &[&str]| {
        let annotation = |(by, choices): (usize, &&str)| {
            format!(
                r#"{{"completed_by": {by}, "result": [{{"from_name": "why", "type": "choices", "value": {{"choices": {choices}}}}}]}}"#
            )
        };
        let all: Vec<String> = answers.iter().enumerate().map(annotation).collect();
        format!(r#"{{"data": {{"original": "a", "revised": "b"}}, "annotations": [{}]}}"#, all.join(","))
    };
    let of = |answers: &[&str]| {
        let corpus = read_with(&Columns::default(), Labels::Several, "t.jsonl", &task(answers)).unwrap();
        corpus.pairs[0].labels.clone().unwrap()
    };
    assert_eq!(of(&[r#"["y", "x"]"#]), ["x", "y"]);
    assert_eq!(of(&[r#"["y", "x"]"#, r#"["x"]"#, r#"["z"]"#]), ["x"]);
    assert_eq!(of(&[r#"["x"]"#, r#"["y"]"#]), Vec::<String>::new());
    assert!(matches!(read("t.jsonl", &task(&[r#"["y", "x"]"#])), Err(DataError::SeveralLabels { .. })));
}

#[test]
fn records_of_argilla_are_rows_too() {
    let content = r#"[{"id": "r1", "status": "completed", "_server_id": "u", "vectors": {},
        "fields": {"original": "a", "revised": "b, c"}, "metadata": {"doc_name": "doc"},
        "suggestions": {"why": {"value": "never", "score": 0.9, "agent": "model"}},
        "responses": {"why": [{"value": "x", "user_id": "u1"}]}},
      {"id": "r2", "fields": {"original": "d", "revised": "e"}, "metadata": {}, "suggestions": {},
        "responses": [{"user_id": "u2", "status": "submitted", "values": {"why": {"value": "y"}}},
                      {"user_id": "u1", "status": "discarded", "values": {"why": {"value": "x"}}}]}]"#;
    let corpus = read("records.json", content).unwrap();
    assert_eq!(texts(&corpus), TWO);
    assert_eq!((corpus.pairs[0].id.as_deref(), corpus.pairs[0].group.as_deref()), (Some("r1"), Some("doc")));
    let lists = r#"{"fields": {"original": "a", "revised": "b"}, "responses": {"why": [{"value": ["x", "y"], "user_id": "u"}]}}"#;
    let corpus = read_with(&Columns::default(), Labels::Several, "r.jsonl", lists).unwrap();
    assert_eq!(corpus.pairs[0].labels.as_deref(), Some(["x".to_owned(), "y".to_owned()].as_slice()));
}

#[test]
fn answers_to_several_questions_are_no_labels_of_one() {
    let task = |question: &str, label: &str| {
        format!(
            "{{\"data\": {{\"original\": \"a {label}\", \"revised\": \"b\"}}, \"annotations\": [{{\"result\": [{{\"from_name\": \
             \"{question}\", \"type\": \"choices\", \"value\": {{\"choices\": [\"{label}\"]}}}}]}}]}}\n"
        )
    };
    let tasks = [task("why", "x"), task("sure", "no"), task("why", "y")].concat();
    let told = "t.jsonl:2: the answers are to several questions, \"why\", \"sure\"; name the one that counts";
    assert!(said("t.jsonl", &tasks).starts_with(told), "{}", said("t.jsonl", &tasks));
    let columns = Columns { label: Some("why".into()), drop_unlabelled: true, ..Columns::default() };
    let corpus = read_with(&columns, Labels::Required, "t.jsonl", &tasks).unwrap();
    assert_eq!(texts(&corpus), [("a x", "b", "x"), ("a y", "b", "y")]);
    assert_eq!(read_with(&Columns::default(), Labels::Ignored, "t.jsonl", &tasks).unwrap().pairs.len(), 3);
}
