//! Each thread's own working memory, grown once and kept, so that a warm step allocates nothing.

use std::cell::RefCell;

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
            lines.resize(needed, Line([0; 64]));
        }
        work(Arena(&mut lines[..needed]))
    })
}
