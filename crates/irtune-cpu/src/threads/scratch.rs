//! Each thread's own working memory: grown once and kept, so that a warm step allocates nothing.
//!
//! A thread has two buffers. [`with`] gives the one for a task that starts no parallel work. [`with_shared`] gives the
//! one that outlives the tasks it starts, which all may read it.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicUsize, Ordering},
};

use bytemuck::Pod;

/// One cache line. A vector of them is aligned for SIMD loads.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct CacheLine([u8; 64]);

// SAFETY: 64 plain bytes without padding, any pattern valid.
unsafe impl bytemuck::Zeroable for CacheLine {}
// SAFETY: as above.
unsafe impl Pod for CacheLine {}

thread_local! {
    static SCRATCH: RefCell<Vec<CacheLine>> = const { RefCell::new(Vec::new()) };
    static SHARED: RefCell<Vec<CacheLine>> = const { RefCell::new(Vec::new()) };
}

/// Most cache lines that any task asked for. Which thread meets the largest task is chance; see [`reserve`].
static MOST: AtomicUsize = AtomicUsize::new(0);
static MOST_SHARED: AtomicUsize = AtomicUsize::new(0);

/// Cache lines of scratch that every thread of a pool has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reserved {
    own: usize,
    shared: usize,
}

/// Grows the scratch of all threads of the current pool to the most that any task asked for so far.
///
/// Afterwards a step of known size allocates on no thread. `reserved` is what an earlier call returned for this pool;
/// before the first call it is the default.
pub(crate) fn reserve(reserved: Reserved) -> Reserved {
    let most = Reserved { own: MOST.load(Ordering::Relaxed), shared: MOST_SHARED.load(Ordering::Relaxed) };
    if most.own > reserved.own || most.shared > reserved.shared {
        rayon::broadcast(|_| {
            SCRATCH.with_borrow_mut(|lines| grow(lines, most.own));
            SHARED.with_borrow_mut(|lines| grow(lines, most.shared));
        });
    }
    Reserved { own: most.own.max(reserved.own), shared: most.shared.max(reserved.shared) }
}

fn grow(lines: &mut Vec<CacheLine>, needed: usize) {
    if lines.len() < needed {
        // Old contents are of no use, so the old memory is freed before the new is allocated.
        *lines = Vec::new();
        *lines = bytemuck::allocation::zeroed_vec(needed);
    }
}

/// Hands out cache-line aligned parts of a thread's scratch, front to back. Their contents are stale.
pub(crate) struct Arena<'a>(&'a mut [CacheLine]);

/// Bytes that `length` values of `E` take in an [`Arena`].
pub(crate) const fn bytes<E>(length: usize) -> usize {
    (length * size_of::<E>()).next_multiple_of(64)
}

impl<'a> Arena<'a> {
    /// The next `length` values of scratch.
    pub(crate) fn take<E: Pod>(&mut self, length: usize) -> &'a mut [E] {
        let (part, rest) = std::mem::take(&mut self.0).split_at_mut(bytes::<E>(length) / 64);
        self.0 = rest;
        &mut bytemuck::cast_slice_mut(part)[..length]
    }
}

/// Runs `work` with at least `bytes` of memory that the tasks it starts may share.
///
/// Which thread starts parallel work is chance. After [`reserve`] all of them have as much.
pub(crate) fn with_shared<R>(bytes: usize, work: impl FnOnce(Arena) -> R) -> R {
    let needed = bytes.div_ceil(64);
    MOST_SHARED.fetch_max(needed, Ordering::Relaxed);
    SHARED.with(|shared| match shared.try_borrow_mut() {
        Ok(mut lines) => {
            grow(&mut lines, needed);
            work(Arena(&mut lines[..needed]))
        }
        // The thread waits for its own parallel work and meanwhile runs another's, which needs memory of its own.
        Err(_) => work(Arena(&mut bytemuck::allocation::zeroed_vec(needed))),
    })
}

/// Runs `work` with at least `bytes` of this thread's scratch.
///
/// `work` must not start parallel work: a task that this thread steals would ask for the same scratch.
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
