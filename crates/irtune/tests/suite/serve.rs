//! A server as a program meets it.

use irtune_testing::sandbox::Sandbox;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const TRAIN: &str = "train --base base --train train.jsonl --rank 4 --max-length 200 --batch-size 4 --precision f32 \
    --max-steps 2 --min-steps 0 --out run";

/// The whole answer to a request.
fn ask(address: &str, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head =
        format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}");
    write!(stream, "{head}\r\nContent-Type: application/json\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_server_answers_as_predict_does_until_it_is_interrupted() {
    let sandbox = Sandbox::with_base();
    sandbox.run(TRAIN).success();
    let mut server = sandbox.start("serve --run run --listen 127.0.0.1:0 --precision f32 --timeout 5");
    let said = server.wait_for("listening on http://");
    let address = said.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let pair = r#"{"original":"He go.","revised":"He goes."}"#;
    let answers: Vec<String> = std::thread::scope(|scope| {
        let callers = (0..4)
            .map(|_| scope.spawn(|| ask(&address, "POST /v1/classify", &format!("{{\"pairs\":[{pair}]}}"))));
        callers.collect::<Vec<_>>().into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    sandbox.write("pair.jsonl", pair);
    let predicted = sandbox.run("predict --run run --data pair.jsonl --precision f32").success().out;
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with(&format!("{{\"predictions\":[{}]}}", predicted.trim())), "{answer}");
    }
    // Clients that stall in a request's head are given up.
    let stalled = ["", "POST /v1/classify HTTP/1.1\r\nHost: loc"].map(|head| {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream
    });
    for mut stream in stalled {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{answer:?}");
    }
    assert!(ask(&address, "GET /health", "").starts_with("HTTP/1.1 200"));
    // A list is no pair.
    let answer = ask(&address, "POST /v1/classify", r#"{"pairs":[["He go.","He goes.","x"]]}"#);
    assert!(answer.starts_with("HTTP/1.1 422") && answer.contains("expected an object"), "{answer}");
    server.interrupt();
    let (code, said) = server.finish();
    assert_eq!(code, Some(0), "{said}");
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn other_machines_are_not_let_in_by_mistake() {
    let sandbox = Sandbox::new();
    let refused = |arguments: &str, part: &str| {
        let error = sandbox.run(&format!("serve --run run {arguments}")).failure();
        assert!(error.contains(part), "{error}");
    };
    refused("--listen 0.0.0.0:8420", "--listen: 0.0.0.0:8420 is reached from other machines");
    refused("--listen somewhere", "is no address with a port");
    refused("--token-file none.txt", "--token-file: `none.txt` cannot be read");
    sandbox.write("token.txt", "\n");
    refused("--token-file token.txt --listen 0.0.0.0:8420", "`token.txt` is empty");
    refused("", "--run: `run`: there is no such run folder");
}
