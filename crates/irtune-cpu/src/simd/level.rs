//! Which instruction set runs: asked of the processor once, and limited only by tests.

use std::sync::atomic::{AtomicU8, Ordering};

/// Instruction sets that an operation is compiled for, weakest first.
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

impl Level {
    /// All levels, weakest first.
    pub(super) const ALL: [Self; 4] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Avx512Bf16];
}

/// What [`level`] and [`has_vnni`] return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionSet {
    /// The vector and matrix instructions.
    pub level: Level,
    /// Whether 8-bit integers are multiplied too (AVX-512 VNNI).
    pub vnni: bool,
}

impl InstructionSet {
    /// A level's place in [`Level::ALL`], plus one, and [`VNNI`].
    fn code(self) -> u8 {
        self.level as u8 + 1 + if self.vnni { VNNI } else { 0 }
    }
}

/// The bit of a code that says whether there is VNNI.
const VNNI: u8 = 0x80;

/// Code of the instruction set that runs; 0 until the processor was asked.
static CURRENT: AtomicU8 = AtomicU8::new(0);

#[inline]
fn current() -> u8 {
    match CURRENT.load(Ordering::Relaxed) {
        0 => ask_processor(),
        code => code,
    }
}

#[cold]
fn ask_processor() -> u8 {
    let code = detect().code();
    // A limit that another thread set meanwhile stays.
    CURRENT.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed).err().unwrap_or(code)
}

/// The strongest level that this processor has.
///
/// Tests can limit it with [`at_every_level`](crate::at_every_level). It never names instructions that the processor
/// lacks.
pub fn level() -> Level {
    match current() & !VNNI {
        1 => Level::Portable,
        2 => Level::Avx2,
        3 => Level::Avx512,
        _ => Level::Avx512Bf16,
    }
}

/// Whether the processor multiplies and adds 8-bit integers in AVX-512 registers (VNNI).
pub fn has_vnni() -> bool {
    current() & VNNI != 0
}

/// Makes [`level`] and [`has_vnni`] return this, which the processor must have.
pub(super) fn limit(set: InstructionSet) {
    let most = detect();
    assert!(set.level <= most.level && set.vnni <= most.vnni, "{set:?} on a processor with {most:?}");
    CURRENT.store(set.code(), Ordering::Relaxed);
}

/// What the processor has.
#[cfg(target_arch = "x86_64")]
pub(super) fn detect() -> InstructionSet {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    let level = match (avx512 && is_x86_feature_detected!("avx512bf16"), avx512, avx2) {
        (true, _, _) => Level::Avx512Bf16,
        (_, true, _) => Level::Avx512,
        (_, _, true) => Level::Avx2,
        _ => Level::Portable,
    };
    InstructionSet { level, vnni: avx512 && is_x86_feature_detected!("avx512vnni") }
}

/// What the processor has.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn detect() -> InstructionSet {
    InstructionSet { level: Level::Portable, vnni: false }
}
