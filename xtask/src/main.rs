//! Tasks of this repository, run as `cargo xtask TASK`.
#![forbid(unsafe_code)]

mod bench_peers;

use clap::Parser;

/// Tasks of this repository
#[derive(Parser)]
enum Task {
    /// Time irtune and PyTorch side by side on this machine
    BenchPeers(bench_peers::Options),
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::BenchPeers(options) => bench_peers::run(&options),
    }
}
