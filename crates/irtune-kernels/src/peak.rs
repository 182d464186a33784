//! What the machine's arithmetic can do at best, as the measure for everything else.

use std::time::Instant;

use crate::{
    element::{Element, multiplied_as_stored},
    integer::eight::{self, Bytes, STRETCH},
    level::level,
    microkernel::{TILE, Tile, multiply},
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

/// Summed values of the measured tiles.
const DEPTH: usize = 128;

fn measure<E: Element>(tries: usize) -> f64 {
    let left = [E::from_f32(1e-3); TILE * DEPTH];
    let panel = vec![E::from_f32(1e-3); DEPTH * PANEL];
    best_of(tries, |tile| multiply(level(), TILE, DEPTH, &left, DEPTH, &panel, tile))
}

/// The same of 8-bit integers, scaled after every stretch as in products.
pub fn integer_gflops(tries: usize) -> f64 {
    const STRETCHES: usize = DEPTH / STRETCH;
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
    best_of(tries, |tile| eight::multiply(TILE, &piece, tile))
}

/// The most multiply-add operations a second of `work`, which goes through a tile of [`DEPTH`], on all threads.
fn best_of(tries: usize, work: impl Fn(&mut Tile) + Sync) -> f64 {
    const REPEATS: usize = 4000;
    let threads = parallel::threads();
    let mut best = 0.0f64;
    for _ in 0..tries {
        let start = Instant::now();
        parallel::for_each(threads, |_| {
            let mut tile: Tile = [[0.0; PANEL]; TILE];
            for _ in 0..REPEATS {
                work(&mut tile);
            }
            std::hint::black_box(tile);
        });
        let operations = 2.0 * (TILE * PANEL * DEPTH * REPEATS * threads) as f64;
        best = best.max(operations / start.elapsed().as_secs_f64() / 1e9);
    }
    best
}
