//! What must be the same at every instruction set of the machine.
//!
//! They are a program of their own, since `at_every_level` limits the whole process: a test beside it that computes
//! something twice would see two results.
#![forbid(unsafe_code)]

mod quantised;
mod scaled;
#[path = "../suite/tiny/mod.rs"]
#[allow(dead_code, reason = "the suite uses the rest")]
mod tiny;

use irtune_model::Projection;

/// The projections of a Llama: those of which none is a part of another.
fn separate_projections() -> Vec<Projection> {
    let fused = [Projection::QkvProj, Projection::GateUpProj];
    Projection::ALL.into_iter().filter(|projection| !fused.contains(projection)).collect()
}
