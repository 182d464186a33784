use super::*;

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use irtune_data::{Columns, CorpusSource, Row};
use irtune_labelling::store::Store;
use irtune_testing::golden::tiny_llama;
use irtune_train::{
    Predictor, PredictorOptions, Silent, TrainRequest, TrainSettings, Worker, WorkerOptions, train,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::serve::options::{Address, ServeOptions};
use crate::serve::state::State;

/// Runs and projects of a test.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// With a run that was trained for a step; `tested` says whether it has test pairs.
    fn new(tested: bool) -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        let rows = |first: usize, count: usize| {
            let row = |number: usize| Row {
                label: Some(["clarity", "style"][number % 2].into()),
                ..Row::new(format!("w1 w{number}"), format!("w2 w{number}"))
            };
            CorpusSource::rows("rows", (first..first + count).map(row))
        };
        let request = TrainRequest {
            base: tiny_llama("six_layers"),
            base_name: "tiny".into(),
            train: rows(0, 8),
            validation: None,
            test: tested.then(|| rows(20, 4)),
            columns: Columns::default(),
            out: place.path("run"),
            settings: TrainSettings {
                max_steps: Some(1),
                prompt: "pair".into(),
                max_length: 60,
                stack: false,
                ..Default::default()
            },
        };
        train(&request, &mut Silent, &Default::default()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server over the project, as it is started.
    fn serve(&self) -> Served {
        let options = PredictorOptions::default();
        let project = Project::open(&self.path("project"), &self.path("run"), options.clone()).unwrap();
        let second = Project::open(&self.path("project"), &self.path("run"), options.clone());
        assert!(
            cfg!(not(unix)) || matches!(second, Err(ProjectError::InUse { .. })),
            "a project has one server"
        );
        let (folder, name) = project.model().unwrap();
        let predictor = Predictor::open(&folder, &options).unwrap();
        let labels = predictor.labels().names().to_vec();
        let worker = Worker::start(predictor, WorkerOptions::default());
        let options = ServeOptions {
            address: Address::new("127.0.0.1:0".parse().unwrap(), None).unwrap(),
            body_bytes: 100_000,
            pairs: 100,
            queue: 8,
            timeout: Duration::from_secs(60),
            data_keys: None,
        };
        let key = project.model_key();
        let server = Server::new(State::new(worker.caller(), labels, name, options), &key, false);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Served { router: crate::serve::router(server, Some(project)), runtime, _worker: worker }
    }
}

/// A server without a socket.
struct Served {
    router: Router,
    runtime: tokio::runtime::Runtime,
    _worker: Worker,
}

/// What was answered.
#[derive(Debug)]
struct Answered {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Served {
    fn ask(&self, request: axum::http::request::Builder, body: Body) -> Answered {
        let request = request.header("host", "localhost").body(body).unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            Answered { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
        })
    }

    fn get(&self, path: &str) -> String {
        let answered = self.ask(Request::get(path).header("cookie", cookie("Ann")), Body::empty());
        assert_eq!(answered.status, StatusCode::OK, "{path}: {}", answered.body);
        answered.body
    }

    fn post_as(&self, name: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let request =
            Request::post(path).header("content-type", "application/json").header("cookie", cookie(name));
        let answered = self.ask(request, Body::from(body.to_string()));
        (answered.status, serde_json::from_str(&answered.body).unwrap())
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let (status, said) = self.post_as("Ann", path, &body);
        assert_eq!(status, StatusCode::OK, "{said}");
        said
    }

    fn form(&self, path: &str, fields: &[(&str, &str, &str)]) -> Answered {
        let part = |(name, file, content): &(&str, &str, &str)| {
            format!(
                "--part\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\r\n{content}\r\n"
            )
        };
        let body: String = fields.iter().map(part).collect();
        let request = Request::post(path).header("content-type", "multipart/form-data; boundary=part");
        self.ask(request, Body::from(body + "--part--\r\n"))
    }

    /// Two drafts in; the path of their page.
    fn drafts(&self) -> String {
        let (old, new) = (
            "# Boats\n\nIt was w1. It was w2 w3. Every boat came home early.",
            "# Boats\n\nIt was w1. It was w4 <b>w3</b>. Nobody sailed that day.",
        );
        let added = self.form("/labelling/documents", &[("old", "a.txt", old), ("new", "b<i>.txt", new)]);
        assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
        added.headers["location"].to_str().unwrap().to_owned()
    }

    fn trained(&self) -> String {
        while self.get("/labelling/training/progress").contains("true") {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.get("/labelling/training")
    }
}

fn cookie(name: &str) -> String {
    use base64::Engine as _;
    format!("other=1; irtune-name={}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(name))
}

/// The numbers after a mark in a page.
fn numbers(page: &str, mark: &str) -> Vec<i64> {
    let after = page.split(mark).skip(1);
    after
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap())
        .collect()
}

fn store(place: &Place) -> Store {
    Store::open(&place.path("project").join("labels.sqlite")).unwrap()
}

#[test]
fn labels_are_corrected_and_are_there_when_the_server_starts_again() {
    let place = Place::new(false);
    let served = place.serve();
    let page = served.drafts();
    let shown = served.get(&page);
    assert!(shown.contains("b&lt;i&gt;.txt") && shown.contains("<ins>w4 &lt;b&gt;</ins>w3"), "{shown}");
    assert!(!shown.contains("<b>w3"), "{shown}");
    let revisions = numbers(&shown, "data-revision=\"");
    assert_eq!(revisions.len(), 3, "{shown}");
    assert_eq!(shown.matches("aria-pressed=\"true\"").count(), 3, "the model says one label of each");
    let word = |label: &str| json!({ "revision": revisions[0], "labels": [label] });
    assert_eq!(served.post("/labelling/labels", word("clarity"))["said"], "Saved: clarity.");
    served.post("/labelling/labels", word("style"));
    served.post("/labelling/undo", json!({}));
    drop(served);
    let served = place.serve();
    let shown = served.get(&page);
    assert!(shown.contains("Ann: clarity") && shown.contains("1 of them labelled"), "{shown}");
    let lines = served.get("/labelling/pairs.jsonl");
    let pair: Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!((&pair["original"], &pair["label"]), (&"It was w2 w3.".into(), &"clarity".into()));
    for output in ["jsonl", "csv", "json", "html", "docx"] {
        let exported = served.get(&format!("{page}/export/{output}"));
        assert!(output == "docx" || exported.contains("clarity"), "{exported}");
    }
    let table = served.get(&format!("{page}/export/csv"));
    assert!(table.lines().nth(1).unwrap().contains(",clarity,"), "{table}");
    let list = served.get("/");
    assert!(list.contains("a.txt → b&lt;i&gt;.txt") && list.contains("<td>3</td><td>1</td>"), "{list}");
}

#[test]
fn only_the_servers_own_pages_change_anything() {
    let place = Place::new(false);
    let served = place.serve();
    let revision = numbers(&served.get(&served.drafts()), "data-revision=\"")[0];
    let word = json!({ "revision": revision, "labels": ["style"] }).to_string();
    let with = |headers: &[(&str, &str)], body: &str| {
        let request = Request::post("/labelling/labels");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answered = served.ask(request, Body::from(body.to_owned()));
        (answered.status.as_u16(), answered.body)
    };
    let (json_type, ann) = (("content-type", "application/json"), cookie("Ann"));
    let ann = ("cookie", ann.as_str());
    assert_eq!(with(&[json_type, ann, ("origin", "https://example.org")], &word).0, 403);
    assert_eq!(with(&[json_type, ann, ("sec-fetch-site", "cross-site")], &word).0, 403);
    assert_eq!(with(&[json_type, ann, ("sec-fetch-site", "same-site")], &word).0, 403);
    assert_eq!(with(&[("content-type", "text/plain"), ann], &word).0, 415);
    let (code, said) = with(&[json_type], &word);
    assert!(code == 422 && said.contains("say who you are first"), "{said}");
    for (word, code, part) in [
        (json!({ "revision": revision, "labels": ["tone"] }), 422, "there is no label"),
        (json!({ "revision": revision, "labels": [] }), 422, "one label, not 0"),
        (json!({ "revision": revision, "labels": ["style", "clarity"] }), 422, "one label, not 2"),
        (json!({ "revision": 99, "labels": ["style"] }), 409, "no revision 99"),
        (json!({ "revision": revision, "label": "style" }), 422, "label"),
    ] {
        let (status, said) = with(&[json_type, ann], &word.to_string());
        assert!(status == code && said.contains(part), "{status} {said}");
    }
    assert!(served.get("/labelling/pairs.jsonl").is_empty());
    assert_eq!(with(&[json_type, ann, ("sec-fetch-site", "same-origin")], &word).0, 200);
    // Pages with the script load and send nothing elsewhere; a name can't break out of its place.
    let page = served.ask(Request::get("/").header("cookie", cookie("<i>\"Ann")), Body::empty());
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert!(page.body.contains("value=\"&lt;i&gt;&quot;Ann\""), "{}", page.body);
    for path in ["/labelling/style.css", "/labelling/script.js"] {
        assert!(!served.get(path).contains("http"), "{path}");
    }
    let hello = served.ask(
        Request::post("/labelling/name").header("content-type", "application/json"),
        Body::from(r#"{"name": " Bo; Å "}"#),
    );
    let cookie = hello.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let shown =
        served.ask(Request::get("/").header("cookie", cookie.split(';').next().unwrap()), Body::empty());
    assert!(shown.body.contains("value=\"Bo; Å\""), "{}", shown.body);
    for name in [" ", &"a".repeat(81)] {
        assert_eq!(served.post_as("Ann", "/labelling/name", &json!({ "name": name })).0.as_u16(), 422);
    }
    assert_eq!(
        served.ask(Request::get("/labelling/documents/9"), Body::empty()).status,
        StatusCode::NOT_FOUND
    );
}

#[test]
fn sentences_are_parted_joined_and_put_back() {
    let place = Place::new(false);
    let served = place.serve();
    let page = served.drafts();
    let before = numbers(&served.get(&page), "data-revision=\"");
    let id: i64 = page.rsplit('/').next().unwrap().parse().unwrap();
    let realign = |revisions: &[i64]| json!({ "document": id, "revisions": revisions });
    assert_eq!(served.post("/labelling/alignment", realign(&before[..1]))["said"], "Taken apart.");
    let parted = numbers(&served.get(&page), "data-revision=\"");
    assert_eq!(parted.len(), 4);
    let (status, said) = served.post_as("Ann", "/labelling/alignment", &realign(&before[..1]));
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    let (status, said) = served.post_as("Ann", "/labelling/alignment", &realign(&parted[..1]));
    assert!(
        status == StatusCode::UNPROCESSABLE_ENTITY && said["error"].as_str().unwrap().contains("taken apart")
    );
    assert_eq!(served.post_as("Ann", "/labelling/alignment", &realign(&parted[..3])).0.as_u16(), 422);
    assert_eq!(served.post("/labelling/alignment", realign(&parted[..2]))["said"], "Joined.");
    assert_eq!(numbers(&served.get(&page), "data-revision=\"").len(), 3);
    served.post("/labelling/undo", json!({}));
    assert_eq!(served.post("/labelling/undo", json!({}))["said"], "Undone.");
    assert_eq!(numbers(&served.get(&page), "data-revision=\""), before);
    assert_eq!(served.post("/labelling/undo", json!({}))["said"], "There is nothing to undo.");
}

#[test]
fn imported_pairs_are_asked_about_and_disagreement_is_decided() {
    let place = Place::new(false);
    let served = place.serve();
    let pool = "original,revised,label\nw1 w2,w1 w3,style\nw4,w5,\n,w6,\n";
    let imported = served.form("/labelling/pools", &[("pairs", "pool.csv", pool)]);
    assert_eq!(imported.status, StatusCode::SEE_OTHER, "{}", imported.body);
    assert_eq!(served.form("/labelling/pools", &[("pairs", "pool.csv", pool)]).status, StatusCode::CONFLICT);
    let refused = served.form("/labelling/pools", &[("pairs", "pool.csv", "a,b\n1,2\n")]);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("pool.csv"), "{}", refused.body);
    assert!(served.get("/").contains("<td>pool.csv</td><td>3</td><td>0</td>"));
    let mut asked = Vec::new();
    for (name, labels) in [
        ("Ann", [Some("style"), Some("clarity"), None]),
        ("Ben", [Some("style"), Some("style"), Some("style")]),
    ] {
        for (turn, label) in labels.into_iter().enumerate() {
            let page = served
                .ask(Request::get("/labelling/next").header("cookie", cookie(name)), Body::empty())
                .body;
            let revision = numbers(&page, "data-revision=\"")[0];
            asked.push(revision);
            let word = json!({ "revision": revision, "labels": label.map(|label| [label]) });
            assert_eq!(served.post_as(name, "/labelling/labels", &word).0, StatusCode::OK, "{turn}");
        }
    }
    assert_eq!(asked[..3], asked[3..], "both are asked in the same order");
    assert!(served.get("/labelling/next").contains("There is nothing left"));
    let page = served.get("/labelling/agreement");
    assert!(page.contains("2 revisions were labelled by two annotators or more: Ann, Ben"), "{page}");
    assert!(page.contains("1 to be decided") && page.contains("Ann: clarity; Ben: style"), "{page}");
    let disputed = numbers(&page, "data-revision=\"");
    assert_eq!(disputed, [asked[1]]);
    served.post("/labelling/decisions", json!({ "revision": disputed[0], "labels": ["clarity"] }));
    assert!(served.get("/labelling/agreement").contains("0 to be decided"));
    let lines = served.get("/labelling/pairs.jsonl");
    let label = |id: i64| {
        let line = lines.lines().find(|line| line.contains(&format!("\"id\":\"{id}\""))).unwrap();
        serde_json::from_str::<Value>(line).unwrap()["label"].clone()
    };
    assert_eq!(label(asked[0]), json!(["style", "style"]));
    assert_eq!((label(asked[1]), label(asked[2])), (json!("clarity"), json!("style")));
}

#[test]
fn a_model_is_trained_again_and_taken_when_a_person_says_so() {
    let place = Place::new(true);
    let served = place.serve();
    let nothing = served.post_as("Ann", "/labelling/training", &json!({ "own": true }));
    assert!(nothing.1["error"].as_str().unwrap().contains("nobody labelled anything"));
    let page = served.drafts();
    for (number, revision) in numbers(&served.get(&page), "data-revision=\"").into_iter().enumerate() {
        let label = ["clarity", "style"][number % 2];
        served.post("/labelling/labels", json!({ "revision": revision, "labels": [label] }));
    }
    assert!(served.get("/labelling/training").contains("with the 8 training pairs of the run"));
    assert_eq!(served.post("/labelling/training", json!({ "own": true }))["said"], "model 1 is trained.");
    let shown = served.trained();
    assert!(shown.contains("On the run's test pairs (4)") && shown.contains("macro-F1"), "{shown}");
    assert!(shown.contains("From 3 labelled revisions: finished"), "{shown}");
    let run = irtune_train::RunFolder::open(&place.path("project").join("runs/1")).unwrap();
    let lines = std::fs::read_to_string(run.path().join("data/train.jsonl")).unwrap();
    assert!(lines.contains("It was w2 w3.") && lines.contains("w1 w7"), "{lines}");
    // It isn't used before somebody says so.
    assert!(served.get("/info").contains("\"run\""));
    let judged = |decision: &str| json!({ "model": 1, "decision": decision });
    served.post("/labelling/training/judge", judged("declined"));
    assert!(served.get("/info").contains("\"run\""));
    assert_eq!(served.post("/labelling/training/judge", judged("accepted"))["said"], "model 1 is at work.");
    assert!(served.get("/info").contains("\"model 1\""));
    assert!(served.get(&page).contains("aria-pressed=\"true\""));
    let answered = served.post("/v1/classify", json!({ "pairs": [{ "original": "w1", "revised": "w2" }] }));
    assert!(answered["predictions"][0]["label"].is_string());
    drop(served);
    assert!(place.serve().get("/info").contains("\"model 1\""), "the project remembers it");
}

#[test]
fn a_training_that_was_cut_off_is_continued() {
    let place = Place::new(false);
    let served = place.serve();
    let text = (0..30).map(|number| format!("w{number} w1,w{number} w2\n")).collect::<String>();
    served.form("/labelling/pools", &[("pairs", "pool.csv", &format!("original,revised\n{text}"))]);
    let items = store(&place).items("").unwrap();
    for (number, item) in items.iter().enumerate() {
        let label = ["clarity", "style"][number % 2];
        served.post("/labelling/labels", json!({ "revision": item.id, "labels": [label] }));
    }
    drop(served);
    // As a server that was killed leaves it.
    store(&place).begin_model("runs", 30).unwrap();
    let served = place.serve();
    let shown = served.get("/labelling/training");
    assert!(shown.contains("the server ended while it trained") && shown.contains("Continue"), "{shown}");
    assert_eq!(
        served
            .post_as("Ann", "/labelling/training/judge", &json!({"model": 1, "decision": "declined"}))
            .0
            .as_u16(),
        409
    );
    served.post("/labelling/training/resume", json!({ "model": 1 }));
    let shown = served.trained();
    assert!(shown.contains("labelled pairs that no model learns from"), "{shown}");
    assert!(Path::new(&place.path("project").join("runs/1/summary.json")).is_file());
    assert_eq!(served.post_as("Ann", "/labelling/training/resume", &json!({"model": 1})).0.as_u16(), 409);
    assert_eq!(served.post("/labelling/training/cancel", json!({}))["said"], "Nothing is being trained.");
}

const CONFIGURATION: &str = r#"<View><Text name="o" value="$original"/><Text name="r" value="$revised"/>
    <Choices name="why" toName="r"><Choice value="Clearer" alias="clarity"/><Choice value="style"/></Choices></View>"#;

/// An event of Label Studio about an annotation of a task.
fn event(action: &str, id: i64, pair: (&str, &str), choices: &[&str]) -> Value {
    let result = json!([
        {"from_name": "sure", "to_name": "r", "type": "choices", "value": {"choices": ["yes"]}},
        {"from_name": "why", "to_name": "r", "type": "choices", "value": {"choices": choices}},
    ]);
    json!({
        "action": action,
        "annotation": {"id": id, "task": 5, "completed_by": 2, "was_cancelled": false, "result": result},
        "task": {"id": 5, "data": {"original": pair.0, "revised": pair.1, "id": "p5", "group": "d1"}},
        "project": {"id": 1, "label_config": CONFIGURATION},
    })
}

#[test]
fn annotations_of_label_studio_are_trained_on() {
    let place = Place::new(true);
    let served = place.serve();
    let tell =
        |body: Value| served.post("/label-studio/webhook", body)["status"].as_str().unwrap().to_owned();
    let pairs = || -> Vec<Value> {
        let lines = served.get("/labelling/pairs.jsonl");
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(
        tell(event("ANNOTATION_CREATED", 17, ("a b", "a c"), &["clarity"])),
        "ANNOTATION_CREATED: 1 kept"
    );
    let kept = pairs();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!((&kept[0]["original"], &kept[0]["revised"]), (&json!("a b"), &json!("a c")));
    assert!(kept[0].to_string().contains("\"clarity\""), "{}", kept[0]);
    let store = Store::open(&place.path("project/labels.sqlite")).unwrap();
    assert_eq!(store.annotators().unwrap(), ["Label Studio 2"]);

    tell(event("ANNOTATION_UPDATED", 17, ("a b", "a c"), &["style"]));
    let changed = pairs();
    assert!(changed.len() == 1 && changed[0].to_string().contains("\"style\""), "{changed:?}");

    // Several at once, of tasks that come in another order; one is skipped.
    let mut several = event("ANNOTATIONS_CREATED", 18, ("", ""), &[]);
    let annotation = |id: i64, task: i64, cancelled: bool| {
        let result = json!([{"from_name": "why", "type": "choices", "value": {"choices": ["style"]}}]);
        json!({"id": id, "task": task, "completed_by": 3, "was_cancelled": cancelled, "result": result})
    };
    several["annotation"] = json!([annotation(18, 7, false), annotation(19, 6, true)]);
    let task = |id: i64| json!({"id": id, "data": {"original": "x", "revised": format!("y{id}")}});
    several["task"] = json!([task(6), task(7)]);
    assert_eq!(tell(several), "ANNOTATIONS_CREATED: 2 kept");
    let texts: Vec<Value> = pairs().iter().map(|pair| pair["revised"].clone()).collect();
    assert_eq!(texts, [json!("a c"), json!("y7")]);

    let deleted = json!({"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 17}, {"id": 99}]});
    assert_eq!(tell(deleted), "ANNOTATIONS_DELETED: 1 taken back");
    assert_eq!(pairs().len(), 1);
    assert!(tell(json!({"action": "TASKS_CREATED", "tasks": []})).contains("tells of no annotation"));
}

#[test]
fn annotations_that_can_t_be_kept_are_told() {
    let place = Place::new(false);
    let served = place.serve();
    let mut no_id = event("ANNOTATION_CREATED", 1, ("a", "b"), &["style"]);
    no_id["annotation"]["id"] = Value::Null;
    let mut no_project = event("ANNOTATION_CREATED", 1, ("a", "b"), &["style"]);
    no_project["project"] = Value::Null;
    let mut no_task = event("ANNOTATION_CREATED", 1, ("a", "b"), &["style"]);
    no_task["task"] = Value::Null;
    for (body, part) in [
        (event("ANNOTATION_CREATED", 1, ("a", "b"), &["claim"]), "\"claim\" is no label of the model"),
        (
            event("ANNOTATION_CREATED", 1, ("a", "b"), &["clarity", "style"]),
            "a revision has one label, not 2",
        ),
        (no_id, "an annotation has no id"),
        (no_project, "no project with its label_config"),
        (no_task, "it holds no task"),
        (json!({"action": "ANNOTATION_CREATED"}), "let the webhook send its payload"),
        (json!({"action": "ANNOTATIONS_DELETED"}), "let the webhook send its payload"),
    ] {
        let (status, said) = served.post_as("Ann", "/label-studio/webhook", &body);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(said["error"].as_str().unwrap().contains(part), "{said}");
    }
    let training = json!({"action": "START_TRAINING"});
    assert_eq!(served.post_as("Ann", "/label-studio/webhook", &training).0, StatusCode::NOT_IMPLEMENTED);
    assert_eq!(served.get("/labelling/pairs.jsonl"), "");
}
