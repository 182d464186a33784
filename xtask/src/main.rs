//! Tasks of this repository, run as `cargo xtask TASK`.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_macros, reason = "programs for developers, which say how far they are")]

mod bench_peers;
mod bench_scale;
mod bench_serve;
mod files;
mod machine;
mod programs;
mod simulate_labelling;

use clap::Parser;

/// Tasks of this repository
#[derive(Parser)]
enum Task {
    /// Simulate the labelling of a labelled corpus, in the order of each queue
    SimulateLabelling(simulate_labelling::Options),
    /// Time irtune and PyTorch side by side on this machine
    BenchPeers(bench_peers::Options),
    /// Time how the cost of a training step grows with the work
    BenchScale(bench_scale::Options),
    /// Put a server under load: how fast it is beside others, and whether each request gets its answer
    BenchServe(bench_serve::Options),
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::SimulateLabelling(options) => simulate_labelling::run(&options),
        Task::BenchPeers(options) => bench_peers::run(&options),
        Task::BenchScale(options) => bench_scale::run(&options),
        Task::BenchServe(options) => bench_serve::run(&options),
    }
}
