//! Work split over the threads of the current pool, always along the same lines, so results don't depend on them.

use std::marker::PhantomData;

use rayon::prelude::*;

use crate::prefetch;

/// Calls `work` for every task number below `tasks`, on the current thread pool.
pub(crate) fn for_each(tasks: usize, work: impl Fn(usize) + Sync + Send) {
    if tasks == 1 {
        work(0);
    } else {
        (0..tasks).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// Rows that one task of an element-wise operation takes, for rows of `width` values.
pub(crate) fn rows_a_task(width: usize) -> usize {
    (32 * 1024 / width.max(1)).max(1)
}

/// Threads of the current pool.
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

/// A mutable slice of which several threads write disjoint parts.
pub(crate) struct Shared<'a, T> {
    start: *mut T,
    length: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: handing out parts is unsafe and demands that they be disjoint; then it is `&mut [T]` split up.
unsafe impl<T: Send> Sync for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), length: slice.len(), lifetime: PhantomData }
    }

    /// Asks for the cache line of a value that will be written.
    #[inline(always)]
    pub(crate) fn prefetch(&self, place: usize) {
        prefetch::write(self.start.wrapping_add(place));
    }

    /// `length` values from `first` on.
    ///
    /// # Safety
    /// No two parts that overlap may be in use at the same time.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part(&self, first: usize, length: usize) -> &mut [T] {
        assert!(first + length <= self.length, "part {first}+{length} of {}", self.length);
        // SAFETY: in bounds by the assertion, unshared by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(first), length) }
    }
}
