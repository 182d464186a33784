//! What the machine's arithmetic can do at best, as the measure for everything else.

use std::time::Instant;

use crate::{
    element::{Element, multiplied_as_stored},
    integer::eight::{self, Bytes, STRETCH},
    level::level,
    microkernel::{Ahead, Aligned, Begin, TILE, Tile, multiply},
    pack::PANEL,
    parallel,
};

/// Multiply-add operations a second (two per multiply-add), in GFLOP/s, of the microkernel on operands that stay in the
/// first-level cache, on all threads of the current pool; the best of `tries`.
///
/// Without instructions for it, bf16 is multiplied as f32, and its peak is that of f32.
pub fn gflops<E: Element>(tries: usize) -> f64 {
    if multiplied_as_stored::<E>() { measure::<E>(tries) } else { measure::<f32>(tries) }
}

fn measure<E: Element>(tries: usize) -> f64 {
    const DEPTH: usize = 128;
    let left = [E::from_f32(1e-3); TILE * DEPTH];
    let panel = vec![E::from_f32(1e-3); DEPTH * PANEL];
    best_of(tries, DEPTH, |tile| {
        multiply(level(), TILE, DEPTH, &left, DEPTH, &panel, Begin::Held, Ahead::NONE, tile)
    })
}

/// The same of 8-bit integers, scaled after every stretch as in products.
pub fn integer_gflops(tries: usize) -> f64 {
    const STRETCHES: usize = 5;
    const DEPTH: usize = STRETCHES * STRETCH;
    let piece = Bytes {
        left: &[129; TILE * DEPTH],
        stride: DEPTH,
        left_scales: &[1e-3; TILE * STRETCHES],
        scales_stride: STRETCHES,
        panel: &[1; DEPTH * PANEL],
        panel_scales: &[1e-3; STRETCHES * PANEL],
        starts: &[0; STRETCHES * PANEL],
        depth: DEPTH,
    };
    best_of(tries, DEPTH, |tile| eight::multiply(TILE, &piece, Begin::Held, tile))
}

/// The most multiply-add operations a second of `work`, which sums so many values for a tile, on all threads.
fn best_of(tries: usize, depth: usize, work: impl Fn(&mut Tile) + Sync) -> f64 {
    let repeats = 512_000 / depth;
    let threads = parallel::threads();
    let mut best = 0.0f64;
    for _ in 0..tries {
        let start = Instant::now();
        parallel::for_each(threads, |_| {
            let mut aligned = Aligned::ZERO;
            for _ in 0..repeats {
                work(&mut aligned.0);
            }
            std::hint::black_box(aligned.0);
        });
        let operations = 2.0 * (TILE * PANEL * depth * repeats * threads) as f64;
        best = best.max(operations / start.elapsed().as_secs_f64() / 1e9);
    }
    best
}
