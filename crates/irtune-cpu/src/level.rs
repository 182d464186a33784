//! Which instruction set runs, and a macro that compiles one safe body for each of them.

use std::sync::OnceLock;

/// Instruction sets an operation is compiled for, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Whatever the target guarantees (SSE2 on x86-64, NEON on aarch64).
    Portable,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 F, BW, DQ, VL.
    Avx512,
    /// AVX-512 with the bf16 dot product.
    Avx512Bf16,
}

/// The strongest level this processor has, found once.
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(detect)
}

/// Whether the processor multiplies and adds 8-bit integers in registers of AVX-512 (VNNI), found once.
pub fn has_vnni() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    #[cfg(target_arch = "x86_64")]
    let found = || level() >= Level::Avx512 && is_x86_feature_detected!("avx512vnni");
    #[cfg(not(target_arch = "x86_64"))]
    let found = || false;
    *FOUND.get_or_init(found)
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    match (avx512 && is_x86_feature_detected!("avx512bf16"), avx512, avx2) {
        (true, _, _) => Level::Avx512Bf16,
        (_, true, _) => Level::Avx512,
        (_, _, true) => Level::Avx2,
        _ => Level::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Portable
}

/// Compiles a plain Rust body once per [`Level`] and calls the strongest one the processor has. In the body `FUSED` says
/// whether it is compiled for a processor with fused multiply-adds.
///
/// The body is safe code that the compiler vectorises; results may differ between levels only by rounding.
macro_rules! vectorised {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident $(<$($element:ident: $bound:path),+>)? ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $visibility fn $name $(<$($element: $bound),+>)? ($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<const FUSED: bool $(, $($element: $bound),+)?> ($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx512 $(<$($element: $bound),+>)? ($($argument: $type),*) $(-> $result)? {
                    body::<true $(, $($element),+)?>($($argument),*)
                }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx2 $(<$($element: $bound),+>)? ($($argument: $type),*) $(-> $result)? {
                    body::<true $(, $($element),+)?>($($argument),*)
                }
                match $crate::level::level() {
                    // SAFETY: `level` found the features that the function was compiled with.
                    $crate::level::Level::Avx512 | $crate::level::Level::Avx512Bf16 => return unsafe { avx512 $(::<$($element),+>)? ($($argument),*) },
                    // SAFETY: as above.
                    $crate::level::Level::Avx2 => return unsafe { avx2 $(::<$($element),+>)? ($($argument),*) },
                    $crate::level::Level::Portable => {}
                }
            }
            body::<{ cfg!(any(target_feature = "fma", target_arch = "aarch64")) } $(, $($element),+)?>($($argument),*)
        }
    };
}
pub(crate) use vectorised;
