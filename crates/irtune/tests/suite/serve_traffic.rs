//! A server under many requests, a part of which is wrong.

use irtune_testing::sandbox::Sandbox;
use irtune_testing::traffic::{Right, Traffic, WRONG};

const TRAIN: &str = "train --base base --train train.jsonl --rank 4 --max-length 200 --batch-size 4 --precision f32 \
    --max-steps 2 --min-steps 0 --stack false --out run";

#[test]
fn every_request_gets_its_answer_whatever_others_send() {
    let sandbox = Sandbox::with_base();
    sandbox.run(TRAIN).success();
    let pairs: String = (0..20)
        .map(|number| format!("{{\"original\":\"He go {number}.\",\"revised\":\"He goes {number}.\"}}\n"))
        .collect();
    sandbox.write("pairs.jsonl", &pairs);
    let predicted = sandbox.run("predict --run run --data pairs.jsonl --precision f32").success().out;
    let right: Vec<Right> = pairs
        .lines()
        .zip(predicted.lines())
        .map(|(pair, answer)| Right {
            path: "/v1/classify",
            body: format!("{{\"pairs\":[{pair}]}}"),
            answer: Some(format!("{{\"predictions\":[{answer}]}}")),
        })
        .collect();
    assert_eq!(right.len(), 20);
    let mut server = sandbox.start("serve --run run --listen 127.0.0.1:0 --precision f32");
    let said = server.wait_for("listening on http://");
    let address = said.split("http://").nth(1).unwrap().split(' ').next().unwrap();
    let requests = 4 * 2 * WRONG.len();
    let traffic = Traffic { address, connections: 8, requests, wrong_every: 4, right: &right };
    let outcome = traffic.send(&|_| {});
    assert_eq!(outcome.failures, Vec::<String>::new());
    assert_eq!(outcome.right, requests * 3 / 4);
    assert_eq!(outcome.refused.values().sum::<usize>(), 2 * WRONG.len(), "{:?}", outcome.refused);
    server.interrupt();
    let (code, said) = server.finish();
    assert_eq!(code, Some(0), "{said}");
}
