//! Each thread's own working memory, grown once and kept, so that a warm step allocates nothing.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicUsize, Ordering},
};

use bytemuck::Pod;

/// One cache line; a vector of them is aligned as SIMD loads like it.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

// SAFETY: 64 plain bytes without padding, any pattern valid.
unsafe impl bytemuck::Zeroable for Line {}
// SAFETY: as above.
unsafe impl Pod for Line {}

thread_local! {
    static SCRATCH: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Most lines that any task asked for. Which thread meets the largest task is chance; see [`settle`].
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Grows the scratch of all threads of the current pool to the most that any task asked for so far, so that a step
/// of known size allocates on no thread. `settled` is what an earlier call gave for this pool, 0 before the first.
pub fn settle(settled: usize) -> usize {
    let most = MOST.load(Ordering::Relaxed);
    if most > settled {
        rayon::broadcast(|_| SCRATCH.with_borrow_mut(|lines| grow(lines, most)));
    }
    most.max(settled)
}

fn grow(lines: &mut Vec<Line>, needed: usize) {
    if lines.len() < needed {
        // What a task left in it is of no use: the old memory goes before the new comes.
        *lines = Vec::new();
        *lines = bytemuck::allocation::zeroed_vec(needed);
    }
}

/// Hands out cache-line aligned pieces of a thread's scratch, front to back. Their contents are stale.
pub(crate) struct Arena<'a>(&'a mut [Line]);

/// Bytes that `length` values of `E` take in an [`Arena`].
pub(crate) const fn bytes<E>(length: usize) -> usize {
    (length * size_of::<E>()).next_multiple_of(64)
}

impl<'a> Arena<'a> {
    /// The next `length` values of scratch.
    pub(crate) fn take<E: Pod>(&mut self, length: usize) -> &'a mut [E] {
        let (piece, rest) = std::mem::take(&mut self.0).split_at_mut(bytes::<E>(length) / 64);
        self.0 = rest;
        &mut bytemuck::cast_slice_mut(piece)[..length]
    }
}

/// Runs `work` with at least `bytes` of this thread's scratch.
///
/// `work` must not start parallel work: a stolen task on this thread would ask for the same scratch.
pub(crate) fn with<R>(bytes: usize, work: impl FnOnce(Arena) -> R) -> R {
    SCRATCH.with_borrow_mut(|lines| {
        let needed = bytes.div_ceil(64);
        if lines.len() < needed {
            MOST.fetch_max(needed, Ordering::Relaxed);
            grow(lines, needed);
        }
        work(Arena(&mut lines[..needed]))
    })
}
