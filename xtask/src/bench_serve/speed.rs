//! Pairs a second and latencies of each side, in turn.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use irtune_testing::traffic::{Outcome, Right, Traffic};
use serde_json::{Value, json};

use super::served::Served;
use super::{Options, peer, robustness, serve};
use crate::programs::{Programs, output};

/// Measures `predict` and `serve` over one run, and `serve` and FastAPI over one with a pooled head.
///
/// # Errors
/// When a side fails or answers wrongly.
pub fn measure(options: &Options, programs: &Programs) -> anyhow::Result<Value> {
    let (run, pooled) =
        (options.run.as_deref().context("--run")?, options.pooled.as_deref().context("--pooled")?);
    let data = options.data.as_deref().context("--data")?;
    let folder = tempfile::tempdir()?;
    let pairs = fs::read_to_string(data)?;
    let all = folder.path().join("all.jsonl");
    fs::write(&all, pairs.repeat(options.repeats))?;
    // One pair takes what starting takes.
    let first = folder.path().join("first.jsonl");
    fs::write(&first, pairs.lines().next().unwrap_or_default())?;

    let right = robustness::requests(&pairs)?;
    let (peer, peer_right, setting) = peer::fastest(options, programs, data)?;
    let served = Served::start(&mut serve(programs, run))?;
    let pooled_served = Served::start(&mut serve(programs, pooled))?;
    for server in [&served, &pooled_served] {
        // Its weights are in memory then.
        Traffic { address: &server.address, connections: 8, requests: 32, wrong_every: 0, right: &right }
            .send(&|_| {});
    }
    let mut rounds = Vec::new();
    for round in 0..options.rounds {
        let (start, _) = predict(programs, run, &first)?;
        let (whole, answers) = predict(programs, run, &all)?;
        let count = answers.lines().count();
        let rate = (count - 1) as f64 / (whole - start);
        let measured = json!({
            "predict": {"pairs_per_second": rate, "seconds": whole, "start_seconds": start},
            "serve": side(options, &served, &right)?,
            "serve_pooled": side(options, &pooled_served, &right)?,
            "fastapi": side(options, &peer, &peer_right)?,
        });
        eprintln!("round {round}: {measured}");
        rounds.push(measured);
    }
    Ok(json!({
        "connections": options.connections,
        "pairs": right.len(),
        "repeats": options.repeats,
        "fastapi_setting": setting,
        "rounds": rounds,
    }))
}

/// Seconds that `irtune predict` takes, and what it writes.
fn predict(programs: &Programs, run: &Path, data: &Path) -> anyhow::Result<(f64, String)> {
    let begun = Instant::now();
    let mut command = programs.command("irtune");
    let said = output(command.arg("predict").arg("--run").arg(run).arg("--data").arg(data))?;
    Ok((begun.elapsed().as_secs_f64(), said))
}

/// One server under the load.
fn side(options: &Options, server: &Served, right: &[Right]) -> anyhow::Result<Value> {
    let requests = right.len() * options.repeats;
    let traffic = Traffic {
        address: &server.address,
        connections: options.connections,
        requests,
        wrong_every: 0,
        right,
    };
    let Outcome { failed, failures, mut latencies, seconds, .. } = traffic.send(&|_| {});
    ensure!(failed == 0, "{failed} answers are wrong: {failures:?}");
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share).round() as usize];
    Ok(json!({
        "pairs_per_second": requests as f64 / seconds,
        "p50_seconds": at(0.5),
        "p99_seconds": at(0.99),
        "longest_seconds": at(1.0),
    }))
}
