//! Getting a base: Hugging Face's cache, a hub, and what is said when nothing works.

use std::fs;
use std::path::PathBuf;

use irtune_testing::hub::{COMMIT, HubServer, Repository};
use irtune_testing::sandbox::{Said, Sandbox};

/// A hub on loopback that serves the tiny base, and what nobody needs, as `someone/tiny`.
fn hub(sandbox: &Sandbox, failing: impl FnOnce(Repository) -> Repository) -> HubServer {
    let repository = Repository::of_folder("someone/tiny", &sandbox.path("base"));
    HubServer::start(failing(repository.with_file("pytorch_model.bin", b"not wanted")))
}

/// `irtune` with this hub; the test's own variables come last.
fn online(sandbox: &Sandbox, hub: &HubServer, arguments: &str, variables: &[(&str, &str)]) -> Said {
    let mut command = sandbox.irtune();
    command.args(arguments.split(' ')).env("HF_ENDPOINT", hub.address()).env_remove("HF_HUB_OFFLINE");
    command.env("NO_PROXY", "127.0.0.1,localhost").env("no_proxy", "127.0.0.1,localhost");
    sandbox.run_with(command.envs(variables.iter().copied()))
}

fn repository(sandbox: &Sandbox) -> PathBuf {
    sandbox.path("huggingface/hub/models--someone--tiny")
}

/// Names of what is in a folder.
fn names(folder: PathBuf) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_hub_model_is_downloaded_once_into_the_shared_cache() {
    let sandbox = Sandbox::with_base();
    let hub = hub(&sandbox, |repository| repository);
    let said = online(&sandbox, &hub, "inspect hf:someone/tiny@v1", &[]).success();
    assert!(said.error.contains("downloaded from the Hugging Face hub"), "{}", said.error);
    let files = names(repository(&sandbox).join("snapshots").join(COMMIT));
    assert_eq!(files, ["config.json", "model.safetensors", "tokenizer.json"]);
    assert_eq!(fs::read_to_string(repository(&sandbox).join("refs/v1")).unwrap(), COMMIT);
    // Offline now: the cache is enough.
    let said = sandbox.run("inspect hf:someone/tiny@v1").success();
    assert!(said.error.contains("(Hugging Face cache)"), "{}", said.error);
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let sandbox = Sandbox::with_base();
    let hub = hub(&sandbox, |repository| repository.breaking(&[1000, 500]));
    online(&sandbox, &hub, "inspect hf:someone/tiny", &[]).success();
    let stored: Vec<String> =
        hub.requests().into_iter().filter(|request| request.starts_with("/stored")).collect();
    let rest = |from: &str| format!("/stored/model.safetensors bytes={from}-");
    assert_eq!(stored, ["/stored/model.safetensors".to_owned(), rest("1000"), rest("1500")]);
}

#[test]
fn a_damaged_download_is_refused_and_leaves_nothing() {
    let sandbox = Sandbox::with_base();
    let hub = hub(&sandbox, Repository::corrupting);
    let said = online(&sandbox, &hub, "inspect hf:someone/tiny", &[]);
    assert_eq!(said.code, Some(1));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[0-9a-f]{64}", "[SHA]");
    settings.bind(|| insta::assert_snapshot!(said.failure()));
    assert_eq!(names(repository(&sandbox).join("blobs")).len(), 2, "configuration and tokenizer");
    assert!(sandbox.path("base/model.safetensors").exists());
}

#[test]
fn a_token_opens_a_gated_model_and_goes_nowhere_else() {
    let sandbox = Sandbox::with_base();
    let hub = hub(&sandbox, |repository| repository.for_token("secret"));
    let said = online(&sandbox, &hub, "inspect hf:someone/tiny", &[]);
    insta::assert_snapshot!(said.failure().replace(&hub.address(), "[HUB]"));
    online(&sandbox, &hub, "inspect hf:someone/tiny", &[("HF_TOKEN", "secret")]).success();
    let requests = hub.requests();
    let with = |start: &str| {
        let requests: Vec<_> = requests[1..].iter().filter(|request| request.starts_with(start)).collect();
        (requests.len(), requests.iter().filter(|request| request.ends_with(" Bearer secret")).count())
    };
    assert_eq!((with("/api"), with("/someone"), with("/stored")), ((1, 1), (3, 3), (1, 0)));
}

#[test]
fn a_model_that_the_hub_does_not_have() {
    let sandbox = Sandbox::with_base();
    let hub = hub(&sandbox, |repository| repository);
    insta::assert_snapshot!(online(&sandbox, &hub, "inspect hf:someone/else", &[]).failure());
}

#[test]
fn when_no_way_works_every_way_is_named() {
    let sandbox = Sandbox::new();
    // Every installer fails, each in its own words.
    fs::create_dir(sandbox.path("bin")).unwrap();
    for name in ["python3", "python", "pip3", "pip", "uv"] {
        use std::os::unix::fs::PermissionsExt as _;
        let path = sandbox
            .write(&format!("bin/{name}"), &format!("#!/bin/sh\necho '{name}: no network' >&2\nexit 1\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = sandbox.irtune();
    command
        .args(["quickstart", "--out", "first"])
        .env("PATH", format!("{}:/bin", sandbox.path("bin").display()));
    let said = sandbox.run_with(&mut command);
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(said.failure());
    assert!(!sandbox.path("first").exists());
    let left: Vec<_> = sandbox.contents().into_iter().filter(|name| name.starts_with("cache/llm")).collect();
    assert!(left.is_empty(), "{left:?}");
}
