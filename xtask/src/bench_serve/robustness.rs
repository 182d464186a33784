//! Many requests to a small model, a tenth of them wrong.

use std::path::Path;
use std::sync::Mutex;

use irtune_testing::base::SyntheticBase;
use irtune_testing::corpus;
use irtune_testing::traffic::{Right, Traffic};
use serde_json::{Value, json};

use super::served::Served;
use super::{Options, serve};
use crate::programs::{Programs, output};

/// One request of so many is wrong.
const WRONG_EVERY: usize = 10;
/// Pairs that are predicted at once: of more, the model is prepacked, which rounds its matrices once more.
const PART: usize = 32;
/// Different right requests.
const DIFFERENT: usize = 200;

/// Sends them, and looks at the server's memory meanwhile.
///
/// # Errors
/// When the model can't be made or the server not started. What it answers otherwise than it has to is counted.
pub fn measure(options: &Options, programs: &Programs) -> anyhow::Result<Value> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    SyntheticBase::of_bytes().write_folder(&at("base"));
    std::fs::write(at("train.jsonl"), corpus::sentences("train", 24))?;
    std::fs::write(at("pairs.jsonl"), corpus::sentences("pairs", DIFFERENT))?;
    let mut train = programs.command("irtune");
    train.args("train --max-steps 2 --min-steps 0 --rank 4 --max-length 200 --stack false --base".split(' '));
    output(train.arg(at("base")).arg("--train").arg(at("train.jsonl")).arg("--out").arg(at("run")))?;
    let right = right(programs, &at("run"), &std::fs::read_to_string(at("pairs.jsonl"))?)?;

    let server = Served::start(&mut serve(programs, &at("run")))?;
    let traffic = Traffic {
        address: &server.address,
        connections: options.connections,
        requests: options.requests / 50,
        wrong_every: WRONG_EVERY,
        right: &right,
    };
    // What is used once is in memory then.
    traffic.send(&|_| {});
    let seen = Mutex::new(Vec::new());
    let traffic = Traffic { requests: options.requests, ..traffic };
    let look = |number: usize| {
        if number.is_multiple_of((options.requests / 20).max(1))
            && let (Some(bytes), Ok(mut seen)) = (server.resident(), seen.lock())
        {
            seen.push((number, bytes));
        }
    };
    let outcome = traffic.send(&look);
    let end = server.resident();
    let mut seen = seen.into_inner().unwrap_or_default();
    seen.sort_unstable();
    seen.extend(end.map(|bytes| (options.requests, bytes)));
    eprintln!(
        "{} requests: {} right, refused {:?}, {} failed, {:.0} a second",
        options.requests,
        outcome.right,
        outcome.refused,
        outcome.failed,
        options.requests as f64 / outcome.seconds
    );
    let refused: serde_json::Map<String, Value> =
        outcome.refused.iter().map(|(status, count)| (status.to_string(), json!(count))).collect();
    Ok(json!({
        "connections": options.connections,
        "requests": options.requests,
        "wrong_every": WRONG_EVERY,
        "right": outcome.right,
        "refused": refused,
        "failed": outcome.failed,
        "failures": outcome.failures,
        "seconds": outcome.seconds,
        "resident_bytes": seen.iter().map(|(sent, bytes)| json!({"sent": sent, "bytes": bytes})).collect::<Vec<_>>(),
    }))
}

/// Requests for pairs, with what `irtune predict` says of them.
fn right(programs: &Programs, run: &Path, pairs: &str) -> anyhow::Result<Vec<Right>> {
    let mut all = requests(pairs)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("part.jsonl");
    let lines: Vec<&str> = pairs.lines().collect();
    for (lines, part) in lines.chunks(PART).zip(all.chunks_mut(PART)) {
        std::fs::write(&path, lines.join("\n"))?;
        let predicted =
            output(programs.command("irtune").arg("predict").arg("--run").arg(run).arg("--data").arg(&path))?;
        for (right, answer) in part.iter_mut().zip(predicted.lines()) {
            right.answer = Some(format!("{{\"predictions\":[{answer}]}}"));
        }
    }
    Ok(all)
}

/// A request for each pair.
///
/// # Errors
/// When a pair is none.
pub fn requests(pairs: &str) -> anyhow::Result<Vec<Right>> {
    let one = |pair: &str| {
        let pair: Value = serde_json::from_str(pair)?;
        let text = |keys: [&str; 2]| keys.iter().find_map(|key| pair[key].as_str()).unwrap_or_default();
        let (original, revised) = (text(["original", "before"]), text(["revised", "after"]));
        let mut row = json!({"original": original, "revised": revised});
        if let Some(id) = pair.get("id").filter(|id| !id.is_null()) {
            row["id"] = id.clone();
        }
        Ok(Right { path: "/v1/classify", body: json!({"pairs": [row]}).to_string(), answer: None })
    };
    pairs.lines().map(one).collect()
}
