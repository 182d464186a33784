//! Matrix products of both sides in turn.

use std::fs;

use serde_json::{Value, json};

use super::Options;
use super::figures::{Figure, number};
use super::work::Workshop;
use crate::programs::{commit, output, result};

/// Shapes and tries when only trying out.
const QUICK: (&str, &str) = ("4", "2");
/// Tries of each product; the median counts.
const TRIES: &str = "3";

/// Runs `product` of irtune's kernels and `products_peer.py` in pairs.
///
/// # Errors
/// When a run fails or a product is missing on one side.
pub fn run(options: &Options, shop: &Workshop) -> anyhow::Result<Value> {
    let tries = if options.quick { QUICK.1 } else { TRIES };
    let mut pairs = Vec::new();
    for pair in 1..=options.pairs() {
        let path = shop.folder.join("ours.json");
        let mut command = shop.programs.command("gemm");
        // No criterion bench has this name: only the table is made.
        command.args(["--bench", "table alone"]).env("IRTUNE_RESULTS", &path).env("IRTUNE_TRIES", tries);
        command.env("IRTUNE_THREADS", options.threads().to_string());
        if options.quick {
            command.env("IRTUNE_SHAPES", QUICK.0);
        }
        output(&mut command)?;
        let ours: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let (mut shapes, mut precisions): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for product in products(&ours) {
            let shape = format!("{}x{}", product["outputs"], product["summed"]);
            let precision = product["precision"].as_str().unwrap_or_default().to_owned();
            for (list, word) in [(&mut shapes, shape), (&mut precisions, precision)] {
                if !list.contains(&word) {
                    list.push(word);
                }
            }
        }
        let mut command = shop.python.script("products_peer.py");
        command.args([
            "--shapes",
            &shapes.join(","),
            "--precisions",
            &precisions.join(","),
            "--tries",
            tries,
        ]);
        command.arg(format!("--rows={}", ours["rows"])).arg(format!("--threads={}", options.threads()));
        let peer = result(&mut command, &shop.folder.join("peer.json"))?;
        eprintln!("products {pair}: done");
        pairs.push((ours, peer));
    }
    let rows =
        products(&pairs[0].0).iter().map(|product| row(product, &pairs)).collect::<Result<Vec<_>, _>>()?;
    let pairs = pairs.iter().map(|(ours, peer)| json!({"ours": ours, "peer": peer})).collect::<Vec<_>>();
    Ok(json!({"commit": commit(), "rows": pairs[0]["ours"]["rows"], "products": rows, "pairs": pairs}))
}

fn products(result: &Value) -> &[Value] {
    result["products"].as_array().map_or(&[], Vec::as_slice)
}

/// One product over all pairs.
fn row(product: &Value, pairs: &[(Value, Value)]) -> anyhow::Result<Value> {
    let same = |other: &&Value| {
        ["precision", "side", "outputs", "summed"].iter().all(|key| product[key] == other[key])
    };
    let speed = |result: &Value| match products(result).iter().find(same) {
        Some(found) => number(found, "gflops"),
        None => anyhow::bail!("one side lacks the product {product}"),
    };
    let ours = pairs.iter().map(|(ours, _)| speed(ours)).collect::<Result<Vec<_>, _>>()?;
    let peer = pairs.iter().map(|(_, peer)| speed(peer)).collect::<Result<Vec<_>, _>>()?;
    let share = |(ours, _): &(Value, Value)| {
        products(ours).iter().find(same).map(|found| number(found, "share_of_peak")).unwrap_or(Ok(f64::NAN))
    };
    let shares = pairs.iter().map(share).collect::<Result<Vec<_>, _>>()?;
    let ratios = ours.iter().zip(&peer).map(|(ours, peer)| ours / peer).collect();
    Ok(json!({
        "precision": product["precision"],
        "side": product["side"],
        "outputs": product["outputs"],
        "summed": product["summed"],
        "share_of_peak": Figure::of(shares),
        "ratio": Figure::of(ratios),
        "ours": Figure::of(ours),
        "peer": Figure::of(peer),
    }))
}
