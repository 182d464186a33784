//! One mutable slice that several tasks write, each its own part.

use std::marker::PhantomData;

use crate::simd::prefetch;

/// A mutable slice of which several threads write disjoint parts.
///
/// Rust's `chunks_mut` cuts contiguous parts only. A GEMM task writes a rectangle of a row-major matrix, so its parts
/// interleave with those of other tasks.
pub(crate) struct DisjointSlice<'a, T> {
    start: *mut T,
    length: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: `part` is unsafe and demands that parts in use are disjoint; then this is `&mut [T]` split up.
unsafe impl<T: Send> Sync for DisjointSlice<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for DisjointSlice<'_, T> {}

impl<'a, T> DisjointSlice<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), length: slice.len(), lifetime: PhantomData }
    }

    /// Prefetches the cache line of the value at `index`, for writing.
    #[inline(always)]
    pub(crate) fn prefetch(&self, index: usize) {
        prefetch::write(self.start.wrapping_add(index));
    }

    /// `length` values from `first` on.
    ///
    /// # Safety
    /// No two parts that overlap may be in use at the same time.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part(&self, first: usize, length: usize) -> &mut [T] {
        let fits = self.length.checked_sub(length).is_some_and(|last| first <= last);
        assert!(fits, "part {first}+{length} of {}", self.length);
        // SAFETY: in bounds by the assertion, unshared by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(first), length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_outside_the_slice_are_refused() {
        let mut values = [0; 10];
        let shared = DisjointSlice::new(&mut values);
        let is_part = |first, length| {
            // SAFETY: one part at a time, dropped at once.
            let part = std::panic::AssertUnwindSafe(|| unsafe { shared.part(first, length) }.len());
            std::panic::catch_unwind(part).is_ok()
        };
        assert!(is_part(0, 10) && is_part(3, 7) && is_part(10, 0));
        assert!(!is_part(4, 7) && !is_part(11, 0) && !is_part(usize::MAX, 2));
    }
}
