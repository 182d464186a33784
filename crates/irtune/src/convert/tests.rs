use super::*;

use irtune_data::{Columns, Corpus, CorpusSource, Labels, Pair, Place, Row, Votes};
use serde_json::Value;

fn pairs(rows: Vec<Row>, labels: Labels) -> Vec<Pair> {
    let rows = CorpusSource::rows("row", rows);
    rows.pairs(&Columns::default(), labels).unwrap().collect::<Result<_, _>>().unwrap()
}

fn row(number: usize, label: Option<&str>, votes: Option<Votes>) -> Row {
    Row {
        id: Some(format!("row {number}").as_str().into()),
        group: number.is_multiple_of(2).then(|| "a document".to_owned()),
        label: label.map(str::to_owned),
        votes,
        ..Row::new(format!("It is, \"{number}\".\n"), if number == 3 { "" } else { "It | was 東京." })
    }
}

fn annotators(entries: &[&str]) -> Option<Votes> {
    let entry = |label: &&str| (!label.is_empty()).then(|| (*label).to_owned());
    Some(Votes::Annotators(entries.iter().map(entry).collect()))
}

fn labelled() -> Vec<Pair> {
    pairs(
        vec![
            row(1, Some("tone"), None),
            row(2, None, None),
            row(3, Some("claim/fact"), None),
            row(4, Some("tone"), None),
        ],
        Labels::Optional,
    )
}

fn voted() -> Vec<Pair> {
    pairs(
        vec![
            row(1, None, annotators(&["tone", "claim", "claim"])),
            row(2, Some("claim"), annotators(&["tone", "claim"])),
            row(3, None, annotators(&["", "tone", "tone"])),
        ],
        Labels::Optional,
    )
}

fn written(format: PairFormat, pairs: &[Pair]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut all = pairs.iter().map(|pair| Ok(Converted { pair: pair.clone(), prediction: None }));
    assert_eq!(convert(format, &mut all, &mut out).unwrap(), pairs.len());
    out
}

/// Read again, without the places, which are others.
fn read(format: PairFormat, bytes: Vec<u8>, columns: &Columns, labels: Labels) -> Vec<Pair> {
    let name = if format == PairFormat::Csv { "pairs.csv" } else { "pairs" };
    let source = CorpusSource::Content { name: name.into(), bytes: bytes.into() };
    let corpus = Corpus::read(&source, columns, labels).unwrap_or_else(|error| panic!("{format}: {error}"));
    corpus.pairs.into_iter().map(|pair| Pair { place: Place::default(), ..pair }).collect()
}

fn placeless(pairs: &[Pair]) -> Vec<Pair> {
    pairs.iter().map(|pair| Pair { place: Place::default(), ..pair.clone() }).collect()
}

const ALL: [PairFormat; 8] = [
    PairFormat::Jsonl,
    PairFormat::Csv,
    PairFormat::Parquet,
    PairFormat::LabelStudio,
    PairFormat::Doccano,
    PairFormat::Argilla,
    PairFormat::Iterater,
    PairFormat::Re3,
];

#[test]
fn every_format_is_read_again_as_it_was() {
    for format in ALL {
        let expected = placeless(&labelled());
        let found = read(format, written(format, &labelled()), &Columns::default(), Labels::Optional);
        let plain = |pairs: &[Pair]| -> Vec<Pair> {
            // A list of one label is that label.
            pairs.iter().map(|pair| Pair { votes: None, ..pair.clone() }).collect()
        };
        assert_eq!(plain(&found), expected, "{format}");
    }
}

#[test]
fn what_each_annotator_said_is_kept_where_there_is_a_place_for_it() {
    for format in [PairFormat::Jsonl, PairFormat::Csv, PairFormat::Parquet, PairFormat::LabelStudio] {
        let found = read(format, written(format, &voted()), &Columns::default(), Labels::Optional);
        assert_eq!(found, placeless(&voted()), "{format}");
    }
    // A response that is not there has no annotator.
    let found = read(
        PairFormat::Argilla,
        written(PairFormat::Argilla, &voted()),
        &Columns::default(),
        Labels::Optional,
    );
    let labels = |pairs: &[Pair]| pairs.iter().map(|pair| pair.label.clone()).collect::<Vec<_>>();
    assert_eq!(labels(&found), labels(&voted()));
    assert_eq!(found[1].votes, voted()[1].votes);
    for format in [PairFormat::Iterater, PairFormat::Re3, PairFormat::Doccano] {
        let found = read(format, written(format, &voted()), &Columns::default(), Labels::Optional);
        assert_eq!(labels(&found), labels(&voted()), "{format}");
    }
    let columns = Columns { label: Some("raw_intents".into()), ..Columns::default() };
    let found =
        read(PairFormat::Iterater, written(PairFormat::Iterater, &voted()), &columns, Labels::Optional);
    assert_eq!(found[0].votes, voted()[0].votes);
}

#[test]
fn several_labels_are_kept() {
    let rows = [&["tone", "claim"][..], &["claim"], &["tone"]].map(|labels| row(2, None, annotators(labels)));
    let several = pairs(rows.to_vec(), Labels::Several);
    for format in ALL {
        let found = read(format, written(format, &several), &Columns::default(), Labels::Several);
        assert_eq!(found, placeless(&several), "{format}");
    }
}

fn predicted(said: &str) -> Converted {
    Converted { pair: labelled().remove(0), prediction: Some(serde_json::from_str(said).unwrap()) }
}

fn first(format: PairFormat, own: Converted) -> Value {
    let mut out = Vec::new();
    convert(format, &mut std::iter::once(Ok(own)), &mut out).unwrap();
    serde_json::from_slice::<Vec<Value>>(&out).unwrap().remove(0)
}

#[test]
fn predictions_stand_where_tools_look_for_them() {
    let own = predicted(r#"{"label":"claim","probabilities":{"claim":0.75,"tone":0.25}}"#);
    let task = first(PairFormat::LabelStudio, own.clone());
    let result = serde_json::json!({"from_name": "intention", "to_name": "revised", "type": "choices",
        "value": {"choices": ["claim"]}, "score": 0.75});
    let expected = serde_json::json!([{"model_version": "irtune", "score": 0.75, "result": [result]}]);
    assert_eq!(task["predictions"], expected);
    assert_eq!(task["annotations"][0]["result"][0]["value"]["choices"][0], "tone");
    let record = first(PairFormat::Argilla, own);
    assert_eq!(
        record["suggestions"]["intention"],
        serde_json::json!({"value": "claim", "score": 0.75, "agent": "irtune"})
    );
    let several = predicted(r#"{"labels":["claim"],"probabilities":{"claim":0.75,"tone":0.5}}"#);
    let record = first(PairFormat::Argilla, several);
    assert_eq!(
        record["suggestions"]["intention"],
        serde_json::json!({"value": ["claim"], "score": 0.5, "agent": "irtune"})
    );
    let unsure = predicted(r#"{"label":null,"abstained":true,"probabilities":{"claim":0.5,"tone":0.5}}"#);
    assert_eq!(first(PairFormat::LabelStudio, unsure)["predictions"], serde_json::json!([]));
}

#[test]
fn what_has_no_place_is_told() {
    let weights = Votes::Weights([("tone".to_owned(), 2.0)].into());
    let weighted = pairs(vec![row(1, None, Some(weights))], Labels::Optional);
    for format in [PairFormat::LabelStudio, PairFormat::Argilla] {
        let mut all = weighted.iter().map(|pair| Ok(Converted { pair: pair.clone(), prediction: None }));
        let error = convert(format, &mut all, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("weights of labels are no annotators' answers"), "{error}");
    }
    let error = "xlsx".parse::<PairFormat>().unwrap_err().to_string();
    assert!(error.contains("jsonl, csv, parquet, label-studio, doccano, argilla, iterater, re3"), "{error}");
    assert!(PairFormat::of_path("a.json".as_ref()).is_err());
}

#[test]
fn predictions_are_held_against_the_pairs() {
    let of = |lines: &str| {
        let all = labelled().into_iter().take(2).map(Ok);
        let file = Some((lines.as_bytes().to_vec(), "p.jsonl".to_owned()));
        let file = file.map(|(bytes, name)| (std::io::Cursor::new(bytes), name));
        WithPredictions::new(all, file).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())
    };
    let line = |id: &str| format!(r#"{{"id":"{id}","label":"tone","probabilities":{{"tone":1.0}}}}"#);
    let both = of(&format!("{}\n{}\n", line("row 1"), line("row 2"))).unwrap();
    assert!(both.iter().all(|own| own.prediction.is_some()));
    let told = |lines: String| of(&lines).unwrap_err();
    assert!(told(line("row 1")).contains("p.jsonl has 1 predictions"));
    assert!(told([line("row 1"), line("row 2"), line("row 3")].join("\n")).contains("more than 2"));
    let other = told(format!("{}\n{}", line("row 2"), line("row 1")));
    assert_eq!(other, "p.jsonl:1: the prediction is about row 2, and the pair in its place is row 1");
    assert!(told("{}".to_owned()).starts_with("p.jsonl:1: "));
}

#[test]
fn ids_are_written_as_they_stood() {
    for id in ["12345678901234567890123", "1e400", "1.50", r#"{"a":0.1000000000000000055}"#] {
        for format in [
            PairFormat::Jsonl,
            PairFormat::Doccano,
            PairFormat::Iterater,
            PairFormat::Re3,
            PairFormat::LabelStudio,
        ] {
            let mut pair = labelled().remove(0);
            pair.id = Some(irtune_data::Id::Json(id.to_owned()));
            let mut out = Vec::new();
            convert(format, &mut std::iter::once(Ok(Converted { pair, prediction: None })), &mut out)
                .unwrap();
            let out = String::from_utf8(out).unwrap();
            assert!(out.contains(&format!("\"id\":{id}")), "{format}: {out}");
        }
    }
}
