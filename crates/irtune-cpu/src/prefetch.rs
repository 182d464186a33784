//! Asking for cache lines before they are needed; on processors other than x86-64 nothing is asked.

/// Asks for a cache line that will be read, wherever `place` points.
#[inline(always)]
pub(crate) fn read<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch touches no memory; SSE is part of every x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }
    let _ = place;
}

/// Asks for a cache line that will be written, wherever `place` points.
#[inline(always)]
pub(crate) fn write<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        // SAFETY: as above.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(place.cast()) };
    }
    let _ = place;
}
