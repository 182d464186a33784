use super::*;
use serde_json::Value;

/// Two short drafts of which a model says the same of every revision.
fn annotation(abstains: bool) -> Annotation {
    let old = "# Water & stone\n\nHe go home. It is late. Nobody knows the reason for it.\n\nThe end.";
    let new = "Nobody knows the reason for it.\n\n# Water & stone\n\nHe goes home. It was \\<late>. The end.";
    let drafts = Drafts::read(("old.md", old.as_bytes()), Some(("new.md", new.as_bytes())), None).unwrap();
    let said = match abstains {
        true => r#"{"label":null,"abstained":true,"probabilities":{"claim":0.5,"tone":0.5}}"#,
        false => r#"{"label":"tone","probabilities":{"claim":0.25,"tone":0.75}}"#,
    };
    let mut annotation = Annotation::of(drafts, vec!["claim".to_owned(), "tone".to_owned()]);
    let predictions = annotation.questions().into_iter().map(|_| serde_json::from_str(said).unwrap());
    annotation.answer(predictions);
    annotation
}

fn written(output: Output, annotation: &Annotation) -> String {
    String::from_utf8(output.write(annotation)).unwrap()
}

#[test]
fn lines_hold_what_training_reads_and_where_texts_stand() {
    let annotation = annotation(false);
    let lines = written(Output::Jsonl, &annotation);
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = records.iter().map(|record| record["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["moved", "modified", "modified"]);
    assert!(records[0].get("label").is_none());
    assert_eq!(
        (&records[1]["original"], &records[1]["revised"]),
        (&"He go home.".into(), &"He goes home.".into())
    );
    assert_eq!((&records[1]["label"], &records[1]["probabilities"]["tone"]), (&"tone".into(), &0.75.into()));
    assert_eq!((&records[1]["section"], &records[1]["id"]), (&"Water & stone".into(), &"2".into()));
    for record in &records {
        for (text, span, document) in
            [("original", "original_span", &annotation.old), ("revised", "revised_span", &annotation.new)]
        {
            let at = |end: usize| record[span][end].as_u64().unwrap() as usize;
            let found: String = document.text().chars().skip(at(0)).take(at(1) - at(0)).collect();
            assert_eq!(record[text], found);
        }
    }
    let table = written(Output::Csv, &annotation);
    assert_eq!(table.lines().count(), 4);
    assert_eq!(
        table.lines().nth(2).unwrap(),
        "2,modified,Water & stone,He go home.,He goes home.,tone,0.25,0.75"
    );
}

/// IteraTeR's edits are made to the text before: done one after another they make the text after, but for blanks between
/// sentences and blocks.
#[test]
fn edits_turn_one_draft_into_the_other() {
    let document: Value = serde_json::from_str(&written(Output::Json, &annotation(false))).unwrap();
    let mut text: Vec<char> = document["before_revision"].as_str().unwrap().chars().collect();
    for edit in document["edit_actions"].as_array().unwrap().iter().rev() {
        let place = |name: &str| edit[name].as_u64().unwrap() as usize;
        let range = place("start_char_pos")..place("end_char_pos");
        let before: String = text[range.clone()].iter().collect();
        assert_eq!(edit["before"].as_str().unwrap_or_default(), before);
        text.splice(range, edit["after"].as_str().unwrap_or_default().chars());
    }
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let made: String = text.into_iter().collect();
    assert_eq!(dense(&made), dense(document["after_revision"].as_str().unwrap()));
    assert_eq!(document["edit_actions"][1]["major_intent"], "tone");
    let starts: Vec<_> =
        document["sents_char_pos"].as_array().unwrap().iter().map(|at| at.as_u64().unwrap()).collect();
    assert_eq!(starts, [0, 15, 27, 39, 72]);
}

#[test]
fn the_page_shows_both_drafts_and_escapes_their_text() {
    let page = written(Output::Html, &annotation(false));
    for part in [
        "<del>go</del>",
        "<ins>goes</ins>",
        "Water &amp; stone",
        "&lt;",
        "tone 0.75",
        "href=\"#r2\"",
        "id=\"r2\"",
        "id=\"l2\"",
        "id=\"show-1\"",
        "2 sentences stayed as they were",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // All in one file, and nothing that runs.
    assert!(!page.contains("<script") && !page.contains("http"));
    let page = written(Output::Html, &annotation(true));
    assert!(page.contains("revision label-none"), "{page}");
}

#[test]
fn the_terminal_shows_each_revision_and_counts_by_section() {
    let shown = text(&annotation(false));
    assert!(shown.contains("   2  tone  (modified)\n      He [-go-]{+goes+} home."), "{shown}");
    assert!(shown.contains("3 revisions; 2 sentences stayed as they were."), "{shown}");
    let annotation = annotation(false);
    let found = counts(&annotation);
    let expected = |section, tone, none| SectionCounts { section, labels: vec![0, tone], none };
    assert_eq!(found, [expected(None, 0, 1), expected(Some("Water & stone"), 2, 0)]);
}

#[test]
fn drafts_that_are_no_two_drafts_are_told() {
    let refused = |old: (&str, &str), new: Option<(&str, &str)>| {
        let new = new.map(|(name, text)| (name, text.as_bytes()));
        Drafts::read((old.0, old.1.as_bytes()), new, None).unwrap_err().to_string()
    };
    assert!(refused(("a.md", "One."), None).contains("name the new draft too"));
    assert!(
        refused(("a.pdf", "%PDF"), Some(("b.pdf", "%PDF")))
            .contains("a.pdf: drafts can't be read as \"pdf\"")
    );
    assert_eq!(refused(("a.md", " "), Some(("b.md", "\n"))), "a.md has no text");
    assert!(refused(("a.docx", "no zip"), None).contains("not a Word document"));
    assert!(
        "xml"
            .parse::<Output>()
            .unwrap_err()
            .to_string()
            .contains(".html, .docx, .jsonl, .csv, .json and .m2")
    );
}

/// What Word would show with every change rejected, and accepted, are the drafts.
#[test]
fn a_word_document_holds_both_drafts() {
    let drafts: [(&str, &str); 6] = [
        (
            "# Water & stone\n\nHe go home. It is late.\n\nThe end.",
            "# Water\n\nHe goes home. It was late.\n\nThe end.",
        ),
        // A paragraph is divided, and two become one.
        (
            "One day came. Two days went by.\n\nThree. Four.",
            "One day came.\n\nTwo days went by.\n\nThree. Four.",
        ),
        ("One day came.\n\nTwo days went by.", "One day came. Two days went by."),
        // Paragraphs come and go, at both ends too.
        (
            "Gone for good it is.\n\nIt stays.\n\n- A last item.",
            "It stays.\n\nEntirely new words.\n\nMore of them.",
        ),
        (
            "Nobody knows the reason for it.\n\nIt is late. The end.",
            "It is late. The end.\n\nNobody knows the reason for it.",
        ),
        ("", "Everything here is new. All of it."),
    ];
    for (old, new) in drafts {
        let texts =
            |document: &Document| document.blocks.iter().map(|block| block.text.clone()).collect::<Vec<_>>();
        let drafts =
            Drafts::read(("old.md", old.as_bytes()), Some(("new.md", new.as_bytes())), None).unwrap();
        let annotation = Annotation::of(drafts, Vec::new());
        let bytes = Output::Docx.write(&annotation);
        let tracked = irtune_documents::read_tracked("made.docx", &bytes).unwrap();
        assert_eq!(texts(&tracked.rejected), texts(&annotation.old), "{old}");
        assert_eq!(texts(&tracked.accepted), texts(&annotation.new), "{new}");
    }
}
