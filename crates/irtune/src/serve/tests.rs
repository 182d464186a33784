use super::*;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use irtune_testing::golden::tiny_llama;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use irtune_data::{Columns, CorpusSource, Row};
use irtune_train::{PredictorOptions, Silent, TrainRequest, TrainSettings, train};

/// A server without a socket, over a run that was trained for a step.
struct Served {
    router: Router,
    _worker: Worker,
    _folder: tempfile::TempDir,
}

impl Served {
    fn new(address: &str, token: Option<&str>, pairs: usize) -> Self {
        let address = Address::new(address.parse().unwrap(), token.map(str::to_owned)).unwrap();
        Served::with(|options| (options.address, options.pairs) = (address, pairs))
    }

    /// With other options than the usual ones.
    fn with(change: impl FnOnce(&mut ServeOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let row = |number: usize| Row {
            label: Some(["clarity", "style"][number % 2].into()),
            ..Row::new(format!("w1 w{number}"), format!("w2 w{number}"))
        };
        let request = TrainRequest {
            base: tiny_llama("six_layers"),
            base_name: "tiny".into(),
            train: CorpusSource::rows("training rows", (0..8).map(row)),
            validation: None,
            test: None,
            columns: Columns::default(),
            out: run.clone(),
            settings: TrainSettings {
                max_steps: Some(1),
                prompt: "pair".into(),
                max_length: 60,
                stack: false,
                ..Default::default()
            },
        };
        train(&request, &mut Silent, &Default::default()).unwrap();
        let predictor = Predictor::open(&run, &PredictorOptions::default()).unwrap();
        let mut options = ServeOptions {
            address: Address::new("127.0.0.1:0".parse().unwrap(), None).unwrap(),
            body_bytes: 20_000,
            pairs: 6,
            queue: 8,
            timeout: Duration::from_secs(60),
            data_keys: None,
        };
        change(&mut options);
        let labels = predictor.labels().names().to_vec();
        let worker = Worker::start(predictor, WorkerOptions::default());
        let state = State::new(worker.caller(), labels, "run".to_owned(), options);
        Served { router: router(Server::new(state, "run", false), None), _worker: worker, _folder: folder }
    }

    fn here() -> Self {
        Served::with(|_| {})
    }

    fn ask(&self, request: Request<Body>) -> (StatusCode, String) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            // Else browsers would send the page's own form without its origin, and it would be refused.
            assert_eq!(response.headers()["referrer-policy"], "same-origin");
            let status = response.status();
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        })
    }

    fn get(&self, path: &str) -> (StatusCode, String) {
        self.ask(Request::get(path).header("host", "localhost:8420").body(Body::empty()).unwrap())
    }

    fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request =
            Request::post(path).header("host", "localhost").header("content-type", "application/json");
        let (status, body) = self.ask(request.body(Body::from(body.to_string())).unwrap());
        (status, serde_json::from_str(&body).unwrap())
    }

    fn form(&self, fields: &[(&str, Option<&str>, &str)]) -> (StatusCode, String) {
        let mut body = String::new();
        for (name, file, content) in fields {
            let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
            body += &format!(
                "--part\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n"
            );
        }
        let request = Request::post("/v1/annotate").header("host", "localhost");
        let request = request.header("content-type", "multipart/form-data; boundary=part");
        self.ask(request.body(Body::from(body + "--part--\r\n")).unwrap())
    }
}

#[test]
fn what_is_not_there_is_said_as_every_error_is() {
    let served = Served::here();
    let error = |request: axum::http::request::Builder| {
        let (status, said) = served.ask(request.header("host", "localhost").body(Body::empty()).unwrap());
        let said: Value = serde_json::from_str(&said).unwrap();
        assert!(said["error"].is_string() && said["error_type"] == "Validation", "{said}");
        status
    };
    assert_eq!(error(Request::get("/nowhere")), StatusCode::NOT_FOUND);
    assert_eq!(error(Request::get("/label-studio/nowhere")), StatusCode::NOT_FOUND);
    assert_eq!(error(Request::get("/v1/classify")), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(error(Request::delete("/label-studio/predict")), StatusCode::METHOD_NOT_ALLOWED);
    let json = Request::post("/v1/annotate").header("content-type", "application/json");
    assert_eq!(error(json), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[test]
fn a_form_holds_two_drafts_of_which_one_may_be_empty() {
    let served = Served::here();
    let old = ("old", None, "w1 w2.");
    let (status, said) = served.form(&[old, ("new", None, "")]);
    assert_eq!((status, said.lines().count()), (StatusCode::OK, 1), "{said}");
    let (status, said) = served.form(&[("old", None, ""), ("new", None, "w1 w2.")]);
    assert_eq!((status, said.lines().count()), (StatusCode::OK, 1), "{said}");
    for (fields, wrong) in [
        // The page sends a file and a text of each name.
        (vec![old, ("new", Some(""), ""), ("new", None, "")], "name the new draft too"),
        (vec![old], "name the new draft too"),
        (vec![("new", None, "w1 w2.")], "the form lacks a draft"),
        (vec![old, ("new", None, ""), ("output", None, "csv"), ("output", None, "json")], "stands twice"),
        (vec![old, ("old", Some("a.txt"), "w3"), ("new", None, "w4")], "there are two drafts \\\"old\\\""),
    ] {
        let (status, said) = served.form(&fields);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(said.contains(wrong), "{said}");
    }
}

#[test]
fn pairs_are_answered_in_their_order_and_in_both_shapes() {
    let served = Served::here();
    let pairs = json!([{"id": "a", "original": "w1", "revised": "w2"}, {"revised": "w3 w4"}]);
    let (status, said) = served.post("/v1/classify", &json!({ "pairs": pairs }));
    assert_eq!(status, StatusCode::OK, "{said}");
    let predictions = said["predictions"].as_array().unwrap();
    assert_eq!((predictions.len(), &predictions[0]["id"]), (2, &json!("a")));
    let of = |prediction: &Value, label: &str| prediction["probabilities"][label].as_f64().unwrap();

    let (status, said) =
        served.post("/predict", &json!({"inputs": [["w1", "w2"], ["", "w3 w4"]], "truncate": true}));
    assert_eq!(status, StatusCode::OK, "{said}");
    for (scores, prediction) in said.as_array().unwrap().iter().zip(predictions) {
        let scores = scores.as_array().unwrap();
        assert!(scores[0]["score"].as_f64() >= scores[1]["score"].as_f64());
        for score in scores {
            assert_eq!(score["score"].as_f64().unwrap(), of(prediction, score["label"].as_str().unwrap()));
        }
    }
    let (_, one) = served.post("/predict", &json!({"inputs": ["w1", "w2"]}));
    assert_eq!(one, said[0]);
    assert_eq!(served.post("/v1/classify", &json!({"pairs": []})).1, json!({"predictions": []}));
    let (_, info) = served.get("/info");
    assert_eq!(
        serde_json::from_str::<Value>(&info).unwrap()["model_type"]["classifier"]["id2label"]["1"],
        "style"
    );
}

#[test]
fn names_of_pairs_come_back_as_they_stood() {
    let served = Served::here();
    let pair = r#"{"id": 12345678901234567890123, "original": "w1", "revised": null}"#;
    let request = Request::post("/v1/classify").header("host", "localhost");
    let request = request.header("content-type", "application/json");
    let (status, said) = served.ask(request.body(Body::from(format!("{{\"pairs\": [{pair}]}}"))).unwrap());
    assert_eq!(status, StatusCode::OK, "{said}");
    assert!(said.contains("\"id\":12345678901234567890123,"), "{said}");
    let (status, said) = served.post("/predict", &json!({"inputs": [["w1", "w2"]], "raw_scores": true}));
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
}

#[test]
fn what_cannot_be_used_is_told_with_its_code() {
    let served = Served::here();
    let refused = |path: &str, body: Value, code: u16, part: &str| {
        let (status, said) = served.post(path, &body);
        assert_eq!(status.as_u16(), code, "{said}");
        assert!(said["error"].as_str().unwrap().contains(part), "{said}");
        assert!(said["error_type"].is_string());
    };
    let pair = json!({"original": "w1", "revised": "w2"});
    refused("/v1/classify", json!({"pairs": vec![pair; 7]}), 413, "7 pairs in one request; at most 6");
    refused("/v1/classify", json!({"pairs": [{"original": "", "revised": ""}]}), 422, "request");
    refused("/v1/classify", json!({"pairs": [{"revized": "w1"}]}), 422, "revized");
    refused("/v1/classify", json!({"texts": []}), 422, "texts");
    refused("/v1/classify", json!({"pairs": [{"revised": "w1 ".repeat(10_000)}]}), 413, "length limit");
    for inputs in
        [json!("w1"), json!(["w1"]), json!(["w1", "w2", "w3"]), json!([["w1"]]), json!(["w1", ["w1", "w2"]])]
    {
        refused("/predict", json!({ "inputs": inputs }), 422, "a revision is two texts");
    }
    let plain = Request::post("/v1/classify").header("host", "localhost").body(Body::from("{}")).unwrap();
    assert_eq!(served.ask(plain).0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(served.get("/v1/classify").0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(served.get("/../Cargo.toml").0, StatusCode::NOT_FOUND);
    // None of it stands in the way of the next.
    assert_eq!(served.post("/predict", &json!({"inputs": ["w1", "w2"]})).0, StatusCode::OK);
    let (_, counted) = served.get("/metrics");
    assert!(counted.contains("irtune_requests_total{path=\"/predict\",status=\"422\"} 5"), "{counted}");
    assert!(counted.contains("irtune_requests_total{path=\"other\",status=\"404\"} 1"), "{counted}");
    assert!(counted.contains("irtune_pairs_total 1"), "{counted}");
}

#[test]
fn two_drafts_are_answered_as_a_page_and_as_rows() {
    let served = Served::here();
    let (status, page) = served.get("/");
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("action=\"/v1/annotate\"") && page.contains("clarity, style"), "{page}");
    let (old, new) = ("It was w1. It was w2 w3.", "It was w1. It was w4 w3. New <b>it</b> is.");
    let (status, said) = served.form(&[("old", None, old), ("new", None, new)]);
    assert_eq!(status, StatusCode::OK, "{said}");
    let kinds = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone());
    assert_eq!(kinds.collect::<Vec<_>>(), ["modified", "added"]);
    // As a browser sends it: fields for files that nobody chose, and the name of one that somebody did.
    let (status, page) = served.form(&[
        ("old", Some(""), ""),
        ("old", None, old),
        ("new", Some("C:\\texts\\<new>.md"), "It was w1. It was w4 w3."),
        ("new", None, ""),
        ("format", None, ""),
        ("output", None, "html"),
    ]);
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("&lt;new&gt;.md") && page.contains("<ins>w4</ins>"), "{page}");
    let refused = |fields: &[(&str, Option<&str>, &str)], part: &str| {
        let (status, said) = served.form(fields);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(said.contains(part), "{said}");
    };
    refused(&[("old", None, old)], "name the new draft too");
    refused(&[("output", None, "html")], "the form lacks a draft");
    refused(&[("old", Some("a.docx"), "no zip"), ("new", None, new)], "not a Word document");
    refused(&[("old", Some("a.pdf"), old), ("new", None, new)], "save it as docx");
    refused(&[("older", None, old)], "there is no field");
    refused(&[("old", None, old), ("new", None, new), ("output", None, "pdf")], "pdf");
}

#[test]
fn nobody_else_is_answered() {
    let served = Served::here();
    let with = |served: &Served, path: &str, headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        served.ask(request.body(Body::empty()).unwrap()).0
    };
    assert_eq!(with(&served, "/", &[("host", "127.0.0.1:8420")]), StatusCode::OK);
    assert_eq!(with(&served, "/", &[("host", "example.org")]), StatusCode::FORBIDDEN);
    assert_eq!(with(&served, "/", &[]), StatusCode::FORBIDDEN);
    let own = [("host", "localhost:8420"), ("origin", "http://localhost:8420")];
    assert_eq!(with(&served, "/", &own), StatusCode::OK);
    let other = [("host", "localhost:8420"), ("origin", "https://example.org")];
    assert_eq!(with(&served, "/", &other), StatusCode::FORBIDDEN);

    let served = Served::new("0.0.0.0:8420", Some("secret"), 6);
    assert_eq!(with(&served, "/health", &[]), StatusCode::OK);
    for path in ["/", "/metrics", "/info", "/openapi.json", "/nowhere"] {
        assert_eq!(with(&served, path, &[("host", "localhost")]), StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(with(&served, "/", &[("authorization", "Bearer guess")]), StatusCode::UNAUTHORIZED);
    for shown in ["Bearer secret", "Basic YW55OnNlY3JldA=="] {
        assert_eq!(with(&served, "/", &[("host", "example.org"), ("authorization", shown)]), StatusCode::OK);
    }
}

#[test]
fn the_description_has_every_path_that_programs_ask() {
    let (_, described) = Served::here().get("/openapi.json");
    let described: Value = serde_json::from_str(&described).unwrap();
    let paths: Vec<&String> = described["paths"].as_object().unwrap().keys().collect();
    let expected = [
        "/classify",
        "/info",
        "/label-studio/predict",
        "/label-studio/setup",
        "/label-studio/webhook",
        "/predict",
        "/v1/annotate",
        "/v1/classify",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn pairs_are_answered_as_vllm_answers_texts() {
    let served = Served::here();
    let pairs = json!([["w1", "w2"], ["", "w3 w4"]]);
    let (status, said) = served.post("/classify", &json!({"model": "run", "input": pairs, "user": "me"}));
    assert_eq!(status, StatusCode::OK, "{said}");
    assert_eq!((&said["object"], &said["model"]), (&json!("list"), &json!("run")));
    assert!(said["id"].as_str().unwrap().starts_with("classify-") && said["created"].as_u64() > Some(0));
    let (_, own) = served
        .post("/v1/classify", &json!({"pairs": [{"original": "w1", "revised": "w2"}, {"revised": "w3 w4"}]}));
    for (index, class) in said["data"].as_array().unwrap().iter().enumerate() {
        let prediction = &own["predictions"][index];
        let expected = prediction["probabilities"].as_object().unwrap().values().cloned().collect::<Vec<_>>();
        let label = &prediction["label"];
        assert_eq!(*class, json!({"index": index, "label": label, "probs": expected, "num_classes": 2}));
    }
    // Both prompts were read, and of one more pair more is.
    let tokens = |said: &Value| said["usage"]["prompt_tokens"].as_u64().unwrap();
    let (_, one) = served.post("/classify", &json!({"input": [["w1", "w2"]]}));
    assert!(tokens(&one) > 0 && tokens(&said) > tokens(&one), "{said}");
    assert_eq!(said["usage"]["total_tokens"], said["usage"]["prompt_tokens"]);

    let refused = |body: Value, code: u16, kind: &str, part: &str| {
        let (status, said) = served.post("/classify", &body);
        assert_eq!((status.as_u16(), &said["error"]["code"]), (code, &json!(code)), "{said}");
        assert_eq!(said["error"]["type"], kind);
        assert!(said["error"]["message"].as_str().unwrap().contains(part), "{said}");
    };
    let bad = "BadRequestError";
    for input in [json!("w1"), json!(["w1", "w2"]), json!([["w1"]]), json!([[1, 2]]), json!(null)] {
        refused(json!({ "input": input }), 400, bad, "a revision is two texts");
    }
    refused(json!({"messages": []}), 400, bad, "a revision is two texts");
    refused(json!({"input": [["", ""]]}), 400, bad, "request");
    refused(json!({"input": pairs, "softmax": false}), 400, bad, "use_activation");
    refused(
        json!({"input": pairs, "model": "other"}),
        404,
        "NotFoundError",
        "The model `other` does not exist.",
    );
    refused(json!({"input": vec![["w1", "w2"]; 7]}), 413, "Payload Too Large", "7 pairs");
}

const CONFIGURATION: &str = r#"<View><Text name="old" value="$before"/><Text name="new" value="$after"/>
    <Choices name="why" toName="new"><Choice value="Style" alias="style"/><Choice value="clarity"/></Choices></View>"#;

#[test]
fn label_studio_is_answered_as_its_backends_answer() {
    let served = Served::here();
    let (status, said) = served.get("/label-studio/health");
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["status"], "UP");
    let set_up = json!({"project": "3.1745383065", "schema": CONFIGURATION, "hostname": "http://localhost:8080",
        "access_token": "secret"});
    assert_eq!(served.post("/label-studio/setup", &set_up).1, json!({"model_version": "run"}));

    let tasks = json!([
        {"id": 1, "data": {"before": "w1", "after": "w2"}},
        {"id": 2, "data": {"before": null, "after": " "}},
        {"id": 3, "data": {"original": "w1", "revised": ""}},
    ]);
    let ask = json!({"tasks": tasks, "project": "3.1", "label_config": CONFIGURATION, "model_version": null,
        "params": {"login": null, "password": null, "context": null}});
    let (status, said) = served.post("/label-studio/predict", &ask);
    assert_eq!(status, StatusCode::OK, "{said}");
    let results = said["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    let pairs = json!([{"original": "w1", "revised": "w2"}, {"original": "w1"}]);
    let (_, own) = served.post("/v1/classify", &json!({ "pairs": pairs }));
    for (result, prediction) in [(&results[0], 0), (&results[2], 1)] {
        let prediction = &own["predictions"][prediction];
        let label = prediction["label"].as_str().unwrap();
        let score = &prediction["probabilities"][label];
        let expected = json!({"from_name": "why", "to_name": "new", "type": "choices",
            "value": {"choices": [label]}, "score": score});
        assert_eq!(*result, json!({"result": [expected], "score": score, "model_version": "run"}));
    }
    assert_eq!(results[1], json!({"result": [], "score": 0.0, "model_version": "run"}));

    // Half of a pair is no deletion.
    let half = json!([{"id": 4, "data": {"original": "w1", "after": "w9"}}]);
    let ask = json!({"tasks": half, "project": "3.1", "label_config": CONFIGURATION});
    let (status, said) = served.post("/label-studio/predict", &ask);
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
    assert!(said["error"].as_str().unwrap().starts_with("task 4: "), "{said}");

    // Annotations are said not to be kept, and training is an error that Label Studio shows.
    let (status, said) =
        served.post("/label-studio/webhook", &json!({"action": "ANNOTATION_CREATED", "task": {}}));
    assert_eq!(status, StatusCode::OK);
    assert!(said["status"].as_str().unwrap().contains("keeps nothing"), "{said}");
    for (path, body) in
        [("webhook", json!({"action": "START_TRAINING"})), ("train", json!({"annotations": []}))]
    {
        let (status, said) = served.post(&format!("/label-studio/{path}"), &body);
        assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
        assert!(said["error"].as_str().unwrap().contains("irtune train"), "{said}");
    }
}

#[test]
fn what_label_studio_asks_wrongly_is_told() {
    let refused = |served: &Served, path: &str, body: Value, part: &str| {
        let (status, said) = served.post(&format!("/label-studio/{path}"), &body);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(said["error"].as_str().unwrap().contains(part), "{said}");
    };
    let served = Served::here();
    refused(&served, "setup", json!({"schema": "<View></View>"}), "it has no <Choices");
    refused(&served, "setup", json!({"project": "1"}), "schema");
    let ask = |task: Value, config: &str| json!({"tasks": [task], "label_config": config});
    refused(
        &served,
        "predict",
        ask(json!({"id": 7, "data": {}}), CONFIGURATION),
        "task 7: its data hold nothing",
    );
    let wrong = json!({"id": 7, "data": {"before": ["w1"], "after": "w2"}});
    refused(&served, "predict", ask(wrong, CONFIGURATION), "task 7: its data hold no text under \"before\"");
    let one_text = CONFIGURATION.replace("<Text name=\"old\" value=\"$before\"/>", "");
    let other = json!({"id": 7, "data": {"old": "w1", "new": "w2"}});
    refused(&served, "predict", ask(other.clone(), &one_text), "--label-studio-keys");

    let served = Served::with(|options| options.data_keys = Some("old, new".parse().unwrap()));
    let (status, said) = served.post("/label-studio/predict", &ask(other, &one_text));
    assert_eq!(status, StatusCode::OK, "{said}");
    let lacking = json!({"id": 7, "data": {"original": "w1", "revised": "w2"}});
    refused(&served, "predict", ask(lacking, &one_text), "task 7: its data hold nothing under \"old\"");
    for wrong in ["old", "old,", ",new", ""] {
        assert!(wrong.parse::<DataKeys>().unwrap_err().to_string().contains("before,after"), "{wrong}");
    }
}
