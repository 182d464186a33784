//! Getting a base: Hugging Face's cache, a hub, and what is said when nothing works.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use irtune_testing::sandbox::{Said, Sandbox};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub on loopback that serves the tiny base as `someone/tiny`; gives its address.
fn hub(sandbox: &Sandbox, checksum: &str) -> String {
    let base = sandbox.path("base");
    let files = ["config.json", "tokenizer.json", "model.safetensors"];
    let siblings: Vec<_> = files
        .iter()
        .map(|file| {
            let size = fs::metadata(base.join(file)).unwrap().len();
            match *file {
                "model.safetensors" => {
                    serde_json::json!({"rfilename": file, "size": size, "lfs": {"sha256": checksum, "size": size}})
                }
                file => serde_json::json!({"rfilename": file, "size": size}),
            }
        })
        .chain([serde_json::json!({"rfilename": "pytorch_model.bin", "size": 5})])
        .collect();
    let listing = serde_json::json!({"sha": COMMIT, "siblings": siblings}).to_string();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut request).unwrap();
            let mut header = String::new();
            while reader.read_line(&mut header).unwrap() > 2 {
                header.clear();
            }
            let path = request.split(' ').nth(1).unwrap().to_owned();
            let body = if path == "/api/models/someone/tiny/revision/main?blobs=true" {
                Some(listing.clone().into_bytes())
            } else {
                path.strip_prefix(&format!("/someone/tiny/resolve/{COMMIT}/"))
                    .and_then(|file| fs::read(base.join(file)).ok())
            };
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).unwrap();
        }
    });
    address
}

fn online(sandbox: &Sandbox, address: &str, arguments: &str) -> Said {
    let mut command = sandbox.irtune();
    command.args(arguments.split(' ')).env("HF_ENDPOINT", address).env_remove("HF_HUB_OFFLINE");
    sandbox.run_with(command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1"))
}

fn snapshot(sandbox: &Sandbox) -> PathBuf {
    sandbox.path("huggingface/hub/models--someone--tiny/snapshots").join(COMMIT)
}

fn sha256(path: PathBuf) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_hub_model_is_downloaded_once_into_the_shared_cache() {
    let sandbox = Sandbox::with_base();
    let address = hub(&sandbox, &sha256(sandbox.path("base/model.safetensors")));
    let said = online(&sandbox, &address, "inspect hf:someone/tiny").success();
    assert!(said.error.contains("downloaded from the Hugging Face hub"), "{}", said.error);
    let mut files: Vec<_> =
        fs::read_dir(snapshot(&sandbox)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["config.json", "model.safetensors", "tokenizer.json"]);
    // Offline now: the cache is enough.
    let said = sandbox.run("inspect hf:someone/tiny").success();
    assert!(said.error.contains("(Hugging Face cache)"), "{}", said.error);
}

#[test]
fn a_damaged_download_is_refused_and_leaves_nothing() {
    let sandbox = Sandbox::with_base();
    let address = hub(&sandbox, &"0".repeat(64));
    let said = online(&sandbox, &address, "inspect hf:someone/tiny");
    assert_eq!(said.code, Some(1));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"SHA-256 [0-9a-f]{64}", "SHA-256 [SHA]");
    settings.bind(|| insta::assert_snapshot!(said.failure()));
    let left: Vec<_> = sandbox.contents().into_iter().filter(|name| name.ends_with(".safetensors")).collect();
    assert_eq!(left, ["base/model.safetensors"]);
}

#[test]
fn a_model_that_the_hub_does_not_have() {
    let sandbox = Sandbox::with_base();
    let address = hub(&sandbox, "");
    let said = online(&sandbox, &address, "inspect hf:someone/else");
    // Some versions of curl also say what a 404 is.
    insta::assert_snapshot!(said.failure().replace("404 Not Found", "404"));
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
