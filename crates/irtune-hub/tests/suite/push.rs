//! Putting files on a hub.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use irtune_hub::{
    FetchError, HubConfig, HubName, PushContent, PushError, PushFile, PushRequest, Pushed, Reply, Request,
    Silent, System, Upload, push,
};
use irtune_testing::hub::{COMMIT, Fault, WrittenHub};
use serde_json::Value;

/// The user's `curl`, without waiting.
struct Quick;

impl Upload for Quick {
    fn send(&self, request: &Request<'_>) -> Result<Reply, FetchError> {
        System.send(request)
    }

    fn pause(&self) {}
}

const WEIGHTS: &[u8] = b"0123456789abcdefghijklmnop";

fn files() -> Vec<PushFile> {
    let file = |name: &str, bytes: &[u8]| PushFile {
        name: name.to_owned(),
        content: PushContent::Bytes(bytes.to_vec()),
    };
    vec![file("README.md", b"---\n---\n# Card\n"), file("adapter_model.safetensors", WEIGHTS)]
}

fn pushed_with(
    hub: &WrittenHub,
    files: &[PushFile],
    change: impl FnOnce(&mut PushRequest<'_>, &mut HubConfig),
) -> Result<Pushed, PushError> {
    let name = HubName { organisation: "someone".to_owned(), name: "mine".to_owned() };
    let mut request =
        PushRequest { name: &name, revision: "main", private: false, message: "A model", files };
    let mut config =
        HubConfig { endpoint: hub.address(), token: Some("secret".to_owned()), ..HubConfig::default() };
    change(&mut request, &mut config);
    push(&request, &config, &Quick, &mut Silent)
}

fn pushed(hub: &WrittenHub) -> Result<Pushed, PushError> {
    pushed_with(hub, &files(), |_, _| {})
}

fn assert_arrived(hub: &WrittenHub) {
    let there = hub.files();
    for PushFile { name, content } in files() {
        let PushContent::Bytes(bytes) = content else { unreachable!() };
        assert_eq!(there[&name], bytes, "{name}");
    }
}

#[test]
fn files_become_one_commit_of_a_new_repository() {
    let hub = WrittenHub::start();
    let outcome = pushed(&hub).unwrap();
    assert_arrived(&hub);
    assert_eq!(hub.private(), Some(false));
    assert!(outcome.created && outcome.unchanged.is_empty() && outcome.ignored.is_empty());
    assert_eq!(outcome.commit, COMMIT);
    assert_eq!(outcome.repository, format!("{}/someone/mine", hub.address()));
    assert_eq!(outcome.sent, ["README.md", "adapter_model.safetensors"]);
    assert_eq!((hub.count("PUT"), hub.count("/verify"), hub.count("/commit/")), (1, 1, 1));
    // What stores large files is another server, which the token is not for.
    for given in hub.requests() {
        let elsewhere = given.line.starts_with("PUT");
        assert_eq!(given.token.as_deref(), (!elsewhere).then_some("secret"), "{}", given.line);
    }
}

#[test]
fn large_files_go_in_parts_where_the_hub_wants_it() {
    // The last part is shorter.
    let hub = WrittenHub::start().in_parts(10);
    pushed(&hub).unwrap();
    assert_arrived(&hub);
    assert_eq!((hub.count("PUT /part/"), hub.count("POST /whole"), hub.count("/verify")), (3, 1, 1));
    assert_eq!(hub.requests().iter().filter(|given| given.line == "POST /whole").count(), 1);
    // From a file it is the same.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    std::fs::write(&path, WEIGHTS).unwrap();
    let from_disk = WrittenHub::start().in_parts(7);
    let file = PushFile { name: "adapter_model.safetensors".to_owned(), content: PushContent::File(path) };
    pushed_with(&from_disk, &[file], |_, _| {}).unwrap();
    assert_eq!(from_disk.files()["adapter_model.safetensors"], WEIGHTS);
}

#[test]
fn the_requests_are_those_of_huggingface_hub() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/hub_commit/requests.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(golden).unwrap()).unwrap();
    let decoded = |text: &Value| STANDARD.decode(text.as_str().unwrap()).unwrap();
    let files: Vec<PushFile> = golden["files"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, text)| PushFile { name: name.clone(), content: PushContent::Bytes(decoded(text)) })
        .collect();
    let hub = WrittenHub::start().in_parts(golden["part_bytes"].as_u64().unwrap() as usize);
    pushed_with(&hub, &files, |request, _| request.private = true).unwrap();
    // What is only looked at is no part of it.
    let given: Vec<_> = hub.requests().into_iter().filter(|given| !given.line.starts_with("GET")).collect();
    let expected = golden["requests"].as_array().unwrap();
    assert_eq!(given.len(), expected.len());
    for (given, expected) in given.iter().zip(expected) {
        let line = expected["line"].as_str().unwrap();
        assert_eq!(given.line, line);
        assert_eq!(given.token.is_some(), expected["token"].as_bool().unwrap(), "{line}");
        assert_eq!(given.content_type.as_deref(), expected["type"].as_str(), "{line}");
        let values = |bytes: &[u8]| -> Vec<Value> {
            bytes
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| serde_json::from_slice(line).unwrap())
                .collect()
        };
        match &expected["body"] {
            Value::String(_) => assert_eq!(given.body, decoded(&expected["body"]), "{line}"),
            Value::Array(lines) => assert_eq!(&values(&given.body), lines, "{line}"),
            body => assert_eq!(values(&given.body), std::slice::from_ref(body), "{line}"),
        }
    }
}

#[test]
fn what_the_hub_has_is_not_sent_again() {
    let hub = WrittenHub::start();
    pushed(&hub).unwrap();
    let again = pushed(&hub).unwrap();
    assert!(!again.created && again.sent.is_empty());
    assert_eq!((again.unchanged.len(), again.commit.as_str()), (2, COMMIT));
    assert_eq!((hub.count("PUT"), hub.count("/commit/")), (1, 1), "nothing new was sent");
    // Under another name its bytes are known by their hash.
    let mut renamed = files();
    renamed[1].name = "model.safetensors".to_owned();
    let outcome = pushed_with(&hub, &renamed, |_, _| {}).unwrap();
    assert_eq!(
        (outcome.sent, outcome.unchanged),
        (vec!["model.safetensors".to_owned()], vec!["README.md".to_owned()])
    );
    assert_eq!((hub.count("PUT"), hub.files()["model.safetensors"].as_slice()), (1, WEIGHTS));
}

#[test]
fn empty_files_are_no_large_ones_and_ignored_ones_stay_here() {
    let hub = WrittenHub::start();
    let file = |name: &str| PushFile { name: name.to_owned(), content: PushContent::Bytes(Vec::new()) };
    let outcome = pushed_with(&hub, &[file("empty.safetensors"), file("run.log")], |_, _| {}).unwrap();
    assert_eq!(
        (outcome.sent, outcome.ignored),
        (vec!["empty.safetensors".to_owned()], vec!["run.log".to_owned()])
    );
    assert_eq!((hub.count("PUT"), hub.count("batch"), hub.files().len()), (0, 0, 1));
}

#[test]
fn broken_connections_are_tried_again() {
    for (line, faults) in [
        ("/api/repos/create", vec![Fault::Breaks, Fault::Status(503)]),
        ("/preupload/", vec![Fault::Breaks]),
        ("/batch", vec![Fault::Status(500), Fault::Status(429)]),
        ("PUT ", vec![Fault::Breaks, Fault::Breaks]),
        ("PUT ", vec![Fault::LosesAnswer]),
        ("/verify", vec![Fault::Status(502)]),
        ("/commit/", vec![Fault::Breaks, Fault::Status(503)]),
    ] {
        let told = format!("{line} {faults:?}");
        let hub = WrittenHub::start().failing(line, faults);
        let outcome = pushed(&hub).unwrap_or_else(|error| panic!("{told}: {error}"));
        assert_arrived(&hub);
        assert_eq!(outcome.sent.len(), 2, "{told}");
    }
    let hub = WrittenHub::start().failing("PUT ", [Fault::Breaks, Fault::Breaks, Fault::Breaks]);
    let error = pushed(&hub).unwrap_err().to_string();
    assert!(error.contains("broke 3 times") && error.contains("sends what is missing"), "{error}");
    assert!(hub.files().is_empty() && hub.count("/commit/") == 0);
    pushed(&hub).unwrap();
    assert_arrived(&hub);
}

#[test]
fn a_commit_whose_answer_was_lost_is_not_made_twice() {
    let hub = WrittenHub::start().failing("/commit/", [Fault::LosesAnswer]);
    let outcome = pushed(&hub).unwrap();
    assert_eq!((hub.count("/commit/"), hub.count("/preupload/"), hub.count("PUT")), (1, 2, 1));
    assert_eq!((outcome.commit.as_str(), outcome.sent.len(), outcome.unchanged.len()), (COMMIT, 2, 0));
}

#[test]
fn private_is_private_or_nothing_is_sent() {
    let hub = WrittenHub::start();
    pushed_with(&hub, &files(), |request, _| request.private = true).unwrap();
    assert_eq!(hub.private(), Some(true));
    let public = WrittenHub::start().with_repository(false);
    let error = pushed_with(&public, &files(), |request, _| request.private = true).unwrap_err();
    assert!(matches!(error, PushError::Public { .. }), "{error}");
    assert!(public.count("/preupload/") == 0 && public.files().is_empty());
    // A hub that takes no notice of the wish.
    let deaf = WrittenHub::start().with_repository(false).failing("/api/repos/create", [Fault::Says("{}")]);
    let error = pushed_with(&deaf, &files(), |request, _| request.private = true).unwrap_err();
    assert!(matches!(error, PushError::Public { .. }) && deaf.files().is_empty(), "{error}");
}

#[test]
fn a_branch_is_made_unless_it_is_there() {
    let hub = WrittenHub::start();
    for _ in 0..2 {
        pushed_with(&hub, &files(), |request, _| request.revision = "v2/first").unwrap();
    }
    assert_eq!((hub.count("/branch/v2%2Ffirst"), hub.count("/commit/v2%2Ffirst")), (2, 1));
    assert_eq!(hub.count("/preupload/main"), 0);
}

#[test]
fn a_token_that_may_not_write_is_told_so() {
    let hub = WrittenHub::start();
    let error = pushed_with(&hub, &files(), |_, config| config.token = None).unwrap_err();
    assert!(matches!(error, PushError::NoToken { .. }) && hub.requests().is_empty(), "{error}");
    let offline = pushed_with(&hub, &files(), |_, config| config.offline = true).unwrap_err();
    assert!(matches!(offline, PushError::Offline) && hub.requests().is_empty(), "{offline}");
    let error = pushed_with(&hub, &files(), |_, config| config.token = Some("other".to_owned())).unwrap_err();
    assert!(matches!(error, PushError::NoAccess { .. }), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("someone/mine") && said.contains("Invalid credentials") && said.contains("HF_TOKEN"),
        "{said}"
    );
    // One that makes no repositories may write to one that is there.
    let hub = WrittenHub::start().with_repository(true).not_making();
    assert!(!pushed(&hub).unwrap().created);
    assert_arrived(&hub);
    let hub = WrittenHub::start().not_making();
    assert!(matches!(pushed(&hub), Err(PushError::NoAccess { .. })));
    // Storage knows no token.
    let hub = WrittenHub::start().failing("PUT ", [Fault::Status(403)]);
    let error = pushed(&hub).unwrap_err().to_string();
    assert!(
        error.contains("adapter_model.safetensors: the storage answered with HTTP status 403"),
        "{error}"
    );
}

#[test]
fn other_answers_than_the_protocol_s_are_errors() {
    for (line, says, part) in [
        ("/preupload/", "<html>", "can't be read"),
        ("/preupload/", r#"{"files": []}"#, "says nothing of README.md"),
        (
            "/preupload/",
            r#"{"files": [{"path": "README.md", "uploadMode": "carrier pigeon"}]}"#,
            "carrier pigeon",
        ),
        ("/batch", r#"{"objects": []}"#, "says nothing of adapter_model.safetensors"),
        ("/batch", r#"{"message": "x"}"#, "objects"),
        ("/commit/", r#"{"success": true}"#, "commitOid"),
    ] {
        let hub = WrittenHub::start().failing(line, [Fault::Says(says)]);
        let error = pushed(&hub).unwrap_err().to_string();
        assert!(error.contains(part), "{line} {says}: {error}");
        assert!(hub.files().is_empty());
    }

    for (line, status, part) in
        [("/commit/", 400, "could not be committed"), ("/preupload/", 404, "asked about the files")]
    {
        let hub = WrittenHub::start().failing(line, [Fault::Status(status)]);
        let error = pushed(&hub).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("as the test wants it"), "{error}");
    }
}
