//! Work cut into tasks that run on the threads of the current rayon pool.
//!
//! How work is cut depends on its shape and, for a GEMM, on the number of threads. Each task computes its outputs in a
//! fixed order. So results do not depend on which thread takes which task.

use rayon::prelude::*;

use super::disjoint::DisjointSlice;

/// Calls `work` for every task number below `tasks`, on the current thread pool.
pub(crate) fn for_each(tasks: usize, work: impl Fn(usize) + Sync + Send) {
    if tasks == 1 {
        work(0);
    } else {
        (0..tasks).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// Calls `work` with every `chunk` values of `out` and the index of the first, a task for each, on the current thread
/// pool.
pub(crate) fn for_each_chunk<T: Send>(
    out: &mut [T],
    chunk: usize,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    let (length, chunk) = (out.len(), chunk.max(1));
    let out = DisjointSlice::new(out);
    for_each(length.div_ceil(chunk), |task| {
        let first = task * chunk;
        // SAFETY: the chunks of two tasks are disjoint.
        work(first, unsafe { out.part(first, chunk.min(length - first)) });
    });
}

/// Rows that one task of an element-wise operation takes, for rows of `width` values.
pub(crate) fn rows_per_task(width: usize) -> usize {
    (32 * 1024 / width.max(1)).max(1)
}

/// Threads of the current pool.
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}
