//! What is downloaded of a repository, and what becomes of transfers that fail.

use std::fs;
use std::path::{Path, PathBuf};

use irtune_hub::{Origin, Silent, locate};
use serde_json::Value;

use crate::fake::{COMMIT, Fake, Fault, MODEL, config, files, tiny};

/// The message of a failure.
fn failure(hub: &Fake, place: &Path, rest: &str) -> String {
    locate(&tiny(rest), &config(place), hub, &mut Silent).unwrap_err().to_string()
}

/// What of the model's weights is in the cache.
fn weights(place: &Path) -> Vec<(String, String)> {
    let blobs = place.join("hub/models--someone--tiny/blobs");
    // SHA-256 of `abcdefghij`.
    let hash = "72399361da6a7754fec986dca5b7cbaf1c810a28ded4abaf56b2106d06cb78b0";
    [hash.to_owned(), format!("{hash}.incomplete")]
        .into_iter()
        .filter_map(|name| Some((name.replace(hash, "HASH"), fs::read_to_string(blobs.join(name)).ok()?)))
        .collect()
}

fn whole() -> Vec<(String, String)> {
    vec![("HASH".to_owned(), "abcdefghij".to_owned())]
}

fn incomplete(text: &str) -> Vec<(String, String)> {
    vec![("HASH.incomplete".to_owned(), text.to_owned())]
}

#[cfg(unix)]
#[test]
fn the_cache_is_what_huggingface_hub_makes() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/hub_cache");
    let read = |name| -> Value { serde_json::from_slice(&fs::read(golden.join(name)).unwrap()).unwrap() };
    let (repository, expected) = (read("repository.json"), read("cache.json"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let held: Vec<(String, String)> = repository["files"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, file)| (name.clone(), text(&file["text"])))
        .collect();
    let held: Vec<(&str, &str)> = held.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let large: Vec<&str> = repository["files"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, file)| file["large"] == true)
        .map(|(name, _)| name.as_str())
        .collect();

    let place = tempfile::tempdir().unwrap();
    let mut hub = Fake::default();
    for (revision, quoted) in
        [("main", "main"), ("v1.0", "v1.0"), ("refs/pr/3", "refs%2Fpr%2F3"), (COMMIT, COMMIT)]
    {
        hub.add_with(&held, &large, quoted, COMMIT);
        let located = locate(&tiny(&format!("@{revision}")), &config(place.path()), &hub, &mut Silent);
        assert_eq!(
            located.unwrap().path,
            place.path().join("hub/models--someone--tiny/snapshots").join(COMMIT)
        );
    }
    assert_eq!(hub.transfers().len(), 5, "each file once: {:?}", hub.transfers());

    let root = place.path().join("hub");
    let found: serde_json::Map<String, Value> = files(&root)
        .into_iter()
        .map(|name| {
            let path = root.join(&name);
            let entry = match fs::read_link(&path) {
                Ok(target) => serde_json::json!({"link": target}),
                Err(_) => serde_json::json!({"text": fs::read_to_string(&path).unwrap()}),
            };
            (name.to_string_lossy().into_owned(), entry)
        })
        .collect();
    assert_eq!(Value::Object(found), expected["cache"]);
}

#[test]
fn a_broken_connection_goes_on_where_it_broke() {
    let place = tempfile::tempdir().unwrap();
    let breaks = [Fault::BreaksAfter(4), Fault::BreaksAfter(0), Fault::BreaksAfter(5)];
    let hub = Fake::hub(&MODEL, "main").failing("model.safetensors", &breaks);
    assert_eq!(locate(&tiny(""), &config(place.path()), &hub, &mut Silent).unwrap().origin, Origin::Hub);
    let from = [0, 4, 4, 9].map(|byte| format!("model.safetensors from {byte}"));
    assert_eq!(hub.transfers()[3..], from);
    assert_eq!(*hub.pauses.borrow(), 1, "only after an attempt that brought nothing");
    assert_eq!(weights(place.path()), whole());
}

#[test]
fn what_has_arrived_waits_for_the_next_time() {
    let place = tempfile::tempdir().unwrap();
    let breaks =
        [Fault::BreaksAfter(4), Fault::BreaksAfter(0), Fault::Status(503, None), Fault::BreaksAfter(0)];
    let hub = Fake::hub(&MODEL, "main").failing("model.safetensors", &breaks);
    let error = failure(&hub, place.path(), "");
    let told = "model.safetensors: the connection broke after 4 of 10 bytes (the connection was reset); the same command goes on from there";
    assert!(error.contains(told), "{error}");
    assert_eq!(weights(place.path()), incomplete("abcd"));
    // A snapshot without weights is no model.
    let offline = irtune_hub::HubConfig { offline: true, ..config(place.path()) };
    locate(&tiny(""), &offline, &hub, &mut Silent).unwrap_err();

    locate(&tiny(""), &config(place.path()), &hub, &mut Silent).unwrap();
    assert_eq!(hub.transfers().last().unwrap(), "model.safetensors from 4");
    assert_eq!(weights(place.path()), whole());
}

#[test]
fn a_server_that_sends_no_rest_sends_everything_again() {
    for fault in [Fault::NoRanges, Fault::Status(416, None)] {
        let place = tempfile::tempdir().unwrap();
        let hub = Fake::hub(&MODEL, "main").failing("model.safetensors", &[Fault::BreaksAfter(4), fault]);
        locate(&tiny(""), &config(place.path()), &hub, &mut Silent).unwrap();
        assert_eq!(hub.transfers().last().unwrap(), "model.safetensors from 0");
        assert_eq!(weights(place.path()), whole());
    }
}

#[test]
fn what_arrives_damaged_is_not_kept() {
    for (file, sends, kind) in
        [("model.safetensors", "abcdefghiX", "SHA-256"), ("config.json", "[]", "git's SHA-1")]
    {
        let place = tempfile::tempdir().unwrap();
        let hub = Fake::hub(&MODEL, "main").failing(file, &[Fault::Sends(sends)]);
        let error = failure(&hub, place.path(), "");
        assert!(error.contains(&format!("{file} arrived damaged ({kind} ")), "{error}");
        assert!(!files(place.path()).iter().any(|file| file.to_string_lossy().contains("incomplete")));
        assert_eq!(weights(place.path()), []);
        locate(&tiny(""), &config(place.path()), &hub, &mut Silent).unwrap();
    }
}

#[test]
fn a_file_that_is_too_long_is_not_kept() {
    let place = tempfile::tempdir().unwrap();
    let hub = Fake::hub(&MODEL, "main").failing("model.safetensors", &[Fault::Sends("abcdefghijk")]);
    let error = failure(&hub, place.path(), "");
    assert!(error.contains("model.safetensors arrived with 11 bytes where the hub says 10"), "{error}");
    assert_eq!(weights(place.path()), []);
}

#[test]
fn a_beginning_that_was_damaged_is_fetched_again() {
    for beginning in ["abX", "abcdefghiX", "abcdefghijk"] {
        let place = tempfile::tempdir().unwrap();
        let hub = Fake::hub(&MODEL, "main").failing("model.safetensors", &[Fault::Status(404, None)]);
        failure(&hub, place.path(), "");
        let blobs = place.path().join("hub/models--someone--tiny/blobs");
        let hash = "72399361da6a7754fec986dca5b7cbaf1c810a28ded4abaf56b2106d06cb78b0";
        fs::write(blobs.join(format!("{hash}.incomplete")), beginning).unwrap();
        locate(&tiny(""), &config(place.path()), &hub, &mut Silent).unwrap();
        assert_eq!(hub.transfers().last().unwrap(), "model.safetensors from 0");
        assert_eq!(weights(place.path()), whole());
    }
}

#[test]
fn another_commit_fetches_only_what_changed() {
    let place = tempfile::tempdir().unwrap();
    let mut hub = Fake::hub(&MODEL, "main");
    locate(&tiny(""), &config(place.path()), &hub, &mut Silent).unwrap();
    let mut changed = MODEL;
    changed[0].1 = "{\"eos_token_id\": 2}";
    hub.add(&changed, "v2", &COMMIT.replace('0', "f"));
    hub.asked.borrow_mut().clear();
    locate(&tiny("@v2"), &config(place.path()), &hub, &mut Silent).unwrap();
    assert_eq!(hub.transfers(), ["config.json from 0"]);
    // The branch of before is still what it was.
    let first = locate(&tiny(""), &config(place.path()), &hub, &mut Silent).unwrap();
    assert!(first.path.ends_with(COMMIT));
}

#[test]
fn one_of_several_gguf_files_is_chosen_by_its_end() {
    let place = tempfile::tempdir().unwrap();
    let held = [("tiny-Q4_K_M.gguf", "four"), ("tiny-Q8_0.gguf", "eight"), ("README.md", "text")];
    let hub = Fake::hub(&held, "main");
    let error = failure(&hub, place.path(), "");
    let told = "someone/tiny holds several GGUF files (tiny-Q4_K_M.gguf, tiny-Q8_0.gguf): say which by its end, such as hf:someone/tiny:Q4_K_M";
    assert!(error.contains(told), "{error}");
    let error = failure(&hub, place.path(), ":Q5_0");
    assert!(
        error.contains(
            "someone/tiny:Q5_0 has no GGUF file that ends so, but tiny-Q4_K_M.gguf, tiny-Q8_0.gguf"
        ),
        "{error}"
    );
    assert!(hub.transfers().is_empty());
    for quantisation in ["Q4_K_M", "q8_0"] {
        let located =
            locate(&tiny(&format!(":{quantisation}")), &config(place.path()), &hub, &mut Silent).unwrap();
        assert!(
            located
                .path
                .to_string_lossy()
                .to_lowercase()
                .ends_with(&format!("{}.gguf", quantisation.to_lowercase()))
        );
    }
    assert_eq!(hub.transfers(), ["tiny-Q4_K_M.gguf from 0", "tiny-Q8_0.gguf from 0"]);
    // Both are there now, and both are found.
    let silent = Fake::default();
    let located = locate(&tiny(":Q4_K_M"), &config(place.path()), &silent, &mut Silent).unwrap();
    assert_eq!(located.origin, Origin::HubCache);
}

#[test]
fn a_repository_without_a_model_says_what_it_has_instead() {
    for (held, told) in [
        (&[("config.json", "{}"), ("pytorch_model.bin", "x")][..], "PyTorch's own files, which run code"),
        (&[("config.json", "{}"), ("model.safetensors", "x")], "it has no tokenizer.json"),
        (
            &[("adapter_config.json", "{}"), ("adapter_model.safetensors", "x"), ("tokenizer.json", "{}")],
            "it is an adapter",
        ),
        (&[("README.md", "x")], "it has 1 other files"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let error = failure(&Fake::hub(held, "main"), place.path(), "");
        assert!(
            error.contains("someone/tiny holds no model that can be read here") && error.contains(told),
            "{error}"
        );
    }
}

#[test]
fn refusals_say_what_to_do() {
    for (status, code, told) in [
        (
            401,
            Some("RepoNotFound"),
            "someone/tiny is not on the hub, or private: the hub's words about RepoNotFound (HTTP status 401)",
        ),
        (404, None, "someone/tiny is not on the hub, or private: the server answered with HTTP status 404"),
        (404, Some("RevisionNotFound"), "someone/tiny has no revision main: the hub's words"),
        (
            403,
            Some("GatedRepo"),
            "accept its terms at http://hub/someone/tiny, then give a token of yours in HF_TOKEN",
        ),
        (500, None, "the server answered with HTTP status 500"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let error = failure(&Fake::refusing(status, code), place.path(), "");
        assert!(error.contains(told), "{error}");
    }
    // What is listed for everyone may still be given to few.
    let place = tempfile::tempdir().unwrap();
    let gated = [Fault::Status(403, Some("GatedRepo"))];
    let hub = Fake::hub(&MODEL, "main").failing("config.json", &gated);
    let error = failure(&hub, place.path(), "");
    assert!(error.contains("accept its terms at http://hub/someone/tiny"), "{error}");
}

#[test]
fn names_that_leave_the_repository_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let index = "{\"weight_map\": {\"a\": \"../up.safetensors\"}}";
    let held = [("config.json", "{}"), ("tokenizer.json", "{}"), ("model.safetensors.index.json", index)];
    let error = failure(&Fake::hub(&held, "main"), place.path(), "");
    assert!(error.contains("the hub names a file outside the repository: ../up.safetensors"), "{error}");

    let index = "{\"weight_map\": {\"a\": \"model-1.safetensors\"}}";
    let held = [("config.json", "{}"), ("tokenizer.json", "{}"), ("model.safetensors.index.json", index)];
    let mut hub = Fake::default();
    hub.add(&held, "v2", &COMMIT.replace('0', "f"));
    let error = failure(&hub, place.path(), "@v2");
    assert!(
        error
            .contains("model.safetensors.index.json names model-1.safetensors, which is not in someone/tiny"),
        "{error}"
    );

    let mut hub = Fake::default();
    hub.add(&MODEL, "v3", "../../up");
    let error = failure(&hub, place.path(), "@v3");
    assert!(error.contains("the hub names a file outside the repository: ../../up"), "{error}");
    assert!(hub.transfers().is_empty());
    let left: Vec<PathBuf> = files(place.path());
    assert!(left.iter().all(|file| file.starts_with("hub/models--someone--tiny")), "{left:?}");
}
