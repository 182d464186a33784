//! What the machine's arithmetic can do at best: the measure that benches hold GEMMs against.

use std::time::Instant;

use super::{
    integer::int8::{GROUP, Int8Panel, Int8Rows, microkernel as int8_microkernel},
    microkernel::{ARows, PrefetchRows, multiply},
    tile::{Accumulate, AlignedTile, MR, NR, Tile},
};
use crate::{
    simd::{
        element::{Element, is_native},
        level::level,
    },
    threads::parallel,
};

/// GFLOP/s of the microkernel on all threads of the current pool, the best of `tries`; a multiply-add counts as two.
///
/// Its operands stay in the first-level cache. Without instructions for it bf16 is multiplied as f32, and its peak is
/// that of f32.
pub fn gflops<E: Element>(tries: usize) -> f64 {
    if is_native::<E>() { measure::<E>(tries) } else { measure::<f32>(tries) }
}

fn measure<E: Element>(tries: usize) -> f64 {
    const DEPTH: usize = 128;
    let values = [E::from_f32(1e-3); MR * DEPTH];
    let panel = vec![E::from_f32(1e-3); DEPTH * NR];
    let a = ARows { values: &values, stride: DEPTH, rows: MR, depth: DEPTH };
    best_of(tries, DEPTH, |tile| multiply(level(), a, &panel, Accumulate::Onto, PrefetchRows::NONE, tile))
}

/// The same of 8-bit integers, scaled after every quantisation group as in a GEMM.
pub fn int8_gflops(tries: usize) -> f64 {
    const GROUPS: usize = 5;
    const DEPTH: usize = GROUPS * GROUP;
    let a = Int8Rows {
        values: &[129; MR * DEPTH],
        stride: DEPTH,
        scales: &[1e-3; MR * GROUPS],
        scales_stride: GROUPS,
        depth: DEPTH,
    };
    let b =
        Int8Panel { values: &[1; DEPTH * NR], scales: &[1e-3; GROUPS * NR], compensation: &[0; GROUPS * NR] };
    best_of(tries, DEPTH, |tile| int8_microkernel::multiply(MR, &a, &b, Accumulate::Onto, tile))
}

/// GFLOP/s of `work`, which multiplies a tile over `depth` values of K, on all threads.
fn best_of(tries: usize, depth: usize, work: impl Fn(&mut Tile) + Sync) -> f64 {
    let repeats = 512_000 / depth;
    let threads = parallel::threads();
    let mut best = 0.0f64;
    for _ in 0..tries {
        let start = Instant::now();
        parallel::for_each(threads, |_| {
            let mut aligned = AlignedTile::ZERO;
            for _ in 0..repeats {
                work(&mut aligned.0);
            }
            std::hint::black_box(aligned.0);
        });
        let operations = 2.0 * (MR * NR * depth * repeats * threads) as f64;
        best = best.max(operations / start.elapsed().as_secs_f64() / 1e9);
    }
    best
}
