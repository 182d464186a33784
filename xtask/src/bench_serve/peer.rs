//! FastAPI over transformers and PEFT, in the setting that is the fastest here.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use irtune_testing::traffic::{Right, Traffic};
use serde_json::{Value, json};

use super::Options;
use super::served::Served;
use crate::machine;
use crate::programs::{Programs, output, root};

/// How the model may be computed.
const SETTINGS: [&str; 3] = ["float32", "float32+bfloat16-products", "bfloat16"];
/// Most requests of a batch.
const BATCHES: [&str; 2] = ["16", "32"];

/// The server in its fastest setting, with the requests that it takes and a description of the setting.
///
/// # Errors
/// When it can't be started in any.
pub fn fastest(
    options: &Options,
    programs: &Programs,
    data: &Path,
) -> anyhow::Result<(Served, Vec<Right>, Value)> {
    let pooled = options.pooled.as_deref().context("--pooled")?;
    let mut inputs = programs.command("irtune");
    let inputs = output(inputs.args(["predict", "--inputs", "--run"]).arg(pooled).arg("--data").arg(data))?;
    let one = |line: &str| {
        let value: Value = serde_json::from_str(line)?;
        let body = json!({"tokens": value["tokens"]}).to_string();
        anyhow::Ok(Right { path: "/classify", body, answer: None })
    };
    let right: Vec<Right> = inputs.lines().map(one).collect::<Result<_, _>>()?;
    let mut tried = Vec::new();
    let mut best: Option<(f64, &str, &str)> = None;
    for (setting, batch) in SETTINGS.into_iter().flat_map(|setting| BATCHES.map(|batch| (setting, batch))) {
        let server = start(options, setting, batch)?;
        let some = &right[..right.len().min(96)];
        let traffic = Traffic {
            address: &server.address,
            connections: options.connections,
            requests: some.len(),
            wrong_every: 0,
            right: some,
        };
        Traffic { requests: options.connections, ..traffic }.send(&|_| {});
        let outcome = traffic.send(&|_| {});
        ensure!(outcome.failed == 0, "FastAPI fails: {:?}", outcome.failures);
        let speed = some.len() as f64 / outcome.seconds;
        eprintln!("FastAPI, {setting}, at most {batch} in a batch: {speed:.1} pairs/s");
        tried.push(json!({"setting": setting, "batch_size": batch, "pairs_per_second": speed}));
        if best.is_none_or(|(fastest, ..)| speed > fastest) {
            best = Some((speed, setting, batch));
        }
    }
    let (_, setting, batch) = best.context("no setting")?;
    let described = json!({"setting": setting, "batch_size": batch, "tried": tried});
    Ok((start(options, setting, batch)?, right, described))
}

fn start(options: &Options, setting: &str, batch: &str) -> anyhow::Result<Served> {
    let mut command = Command::new(&options.python);
    command.arg(root().join("bench/peers/fastapi_peer.py"));
    command.arg("--base").arg(options.base.as_deref().context("--base")?);
    command.arg("--adapter").arg(options.pooled.as_deref().context("--pooled")?.join("adapter"));
    command.args(["--setting", setting, "--batch-size", batch]);
    command.args(["--threads", &machine::cores().to_string()]).env("HF_HUB_OFFLINE", "1");
    Served::start(&mut command)
}
