//! A macro that compiles one safe body for each instruction set.

/// Compiles a plain Rust body once per [`Level`](crate::Level) and calls the one of the current level.
///
/// The body is safe code that the compiler vectorises. Results may differ between levels only by rounding. In the body
/// the constant `FUSED` says whether it is compiled for a processor with fused multiply-adds.
macro_rules! vectorised {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident $(<$($element:ident: $bound:path),+>)? ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $visibility fn $name $(<$($element: $bound),+>)? ($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn body<const FUSED: bool $(, $($element: $bound),+)?> ($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512 $(<$($element: $bound),+>)? ($($argument: $type),*) $(-> $result)? {
                    body::<true $(, $($element),+)?>($($argument),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2 $(<$($element: $bound),+>)? ($($argument: $type),*) $(-> $result)? {
                    body::<true $(, $($element),+)?>($($argument),*)
                }
                match $crate::simd::level::level() {
                    // SAFETY: `level` names only instructions that the processor has, and these are the function's.
                    $crate::simd::level::Level::Avx512 | $crate::simd::level::Level::Avx512Bf16 => return unsafe { avx512 $(::<$($element),+>)? ($($argument),*) },
                    // SAFETY: as above.
                    $crate::simd::level::Level::Avx2 => return unsafe { avx2 $(::<$($element),+>)? ($($argument),*) },
                    $crate::simd::level::Level::Portable => {}
                }
            }
            body::<{ cfg!(any(target_feature = "fma", target_arch = "aarch64")) } $(, $($element),+)?>($($argument),*)
        }
    };
}
pub(crate) use vectorised;
