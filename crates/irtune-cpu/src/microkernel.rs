//! The inner loop of every matrix product: a tile of up to 12 × 32 sums in registers.

use crate::{element::Element, level::Level, pack::PANEL};

/// Rows of a tile.
pub(crate) const TILE: usize = 12;

/// Sums of one tile.
pub(crate) type Tile = [[f32; PANEL]; TILE];

/// A tile whose rows don't straddle cache lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Aligned(pub(crate) Tile);

impl Aligned {
    pub(crate) const ZERO: Self = Self([[0.0; PANEL]; TILE]);
}

/// Where the sums of a product begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// At zero: the tile holds nothing yet.
    Zero,
    /// At what the tile holds.
    Held,
}

impl Begin {
    /// Makes the tile hold where the sums begin.
    #[inline]
    pub(crate) fn fill(self, tile: &mut [[f32; PANEL]]) {
        if self == Begin::Zero {
            tile.fill([0.0; PANEL]);
        }
    }
}

/// Rows that will soon be multiplied and are asked for meanwhile, where AVX-512 multiplies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// Where the first row's values begin, wherever that points.
    pub(crate) start: *const u8,
    /// Bytes between rows.
    pub(crate) stride: usize,
    pub(crate) rows: usize,
}

/// What is asked for where no rows are ahead: an address that isn't mapped would cost time.
static NOTHING: u8 = 0;

impl Ahead {
    pub(crate) const NONE: Self = Self { start: &raw const NOTHING, stride: 0, rows: 0 };
}

/// Summed values that an AVX2 tile goes through at a time: half a panel of them, 16 KiB, stays in the first-level cache.
const CHUNK: usize = 256;

/// Makes the first `rows` rows of `tile` their beginning plus `left · panel`.
///
/// # Shapes
/// `left`: `rows` rows of `depth` values, `stride` apart; `panel`: as packed by `pack` over the same `depth`.
#[inline]
#[allow(clippy::too_many_arguments)]
pub(crate) fn multiply<P: Element>(
    level: Level,
    rows: usize,
    depth: usize,
    left: &[P],
    stride: usize,
    panel: &[P],
    begin: Begin,
    ahead: Ahead,
    tile: &mut Tile,
) {
    assert!(rows <= TILE && (rows == 0 || left.len() >= (rows - 1) * stride + depth));
    assert!(panel.len() >= depth.next_multiple_of(P::GROUP) * PANEL);
    #[cfg(target_arch = "x86_64")]
    {
        let whole = depth / P::GROUP;
        let (left_start, panel_start) = (left.as_ptr().cast::<u8>(), panel.as_ptr().cast::<u8>());
        let stride_bytes = stride * size_of::<P>();
        let simd = match (P::GROUP, level) {
            (2, Level::Avx512Bf16) => Some(avx512::select_bf16(rows)),
            (1, Level::Avx512 | Level::Avx512Bf16) => Some(avx512::select_f32(rows)),
            _ => None,
        };
        if let Some(kernel) = simd {
            // SAFETY: the level guarantees the instructions; the assertions above keep every read of `left`
            // (rows × whole groups) and `panel` (whole groups × 32) in bounds, and P is bf16 exactly if GROUP is 2.
            unsafe { kernel(whole, left_start, stride_bytes, panel_start, begin, ahead, tile) };
            if whole * P::GROUP < depth {
                // The half-filled last group: its other half is 0 on both sides.
                let mut last = [[P::default(); 2]; TILE];
                for (row, last) in last[..rows].iter_mut().enumerate() {
                    last[0] = left[row * stride + depth - 1];
                }
                let panel = panel[whole * P::GROUP * PANEL..].as_ptr().cast();
                // SAFETY: as above for one group, a row of `last` being one of 4 bytes: GROUP is 2 when any is left.
                unsafe { kernel(1, last.as_ptr().cast(), 4, panel, Begin::Held, Ahead::NONE, tile) };
            }
            return;
        }
        if P::GROUP == 1 && level == Level::Avx2 {
            begin.fill(&mut tile[..rows]);
            for start in (0..depth).step_by(CHUNK) {
                let count = CHUNK.min(depth - start);
                // SAFETY: the level guarantees the instructions, and the assertions above that `rows` rows of `count`
                // values and `count` lines of 32 are there from `start` on; P is f32, as its GROUP is 1.
                unsafe {
                    let left = left_start.add(start * 4).cast();
                    avx2::tile(rows, count, left, stride, panel_start.add(start * PANEL * 4).cast(), tile);
                }
            }
            return;
        }
    }
    let _ = level;
    begin.fill(&mut tile[..rows]);
    match bytemuck::try_cast_slice::<P, f32>(left).ok().zip(bytemuck::try_cast_slice(panel).ok()) {
        Some((left, panel)) if P::GROUP == 1 => plain(rows, depth, left, stride, panel, tile),
        _ => portable(rows, depth, left, stride, panel, tile),
    }
}

/// Plain Rust that a compiler for any processor vectorises: four rows × 16 columns at a time.
fn plain(rows: usize, depth: usize, left: &[f32], stride: usize, panel: &[f32], tile: &mut Tile) {
    for first in (0..rows).step_by(4) {
        let count = 4.min(rows - first);
        let starts: [usize; 4] = std::array::from_fn(|row| (first + row.min(count - 1)) * stride);
        for half in [0, 16] {
            let mut sums = [[0.0f32; 16]; 4];
            for (inner, line) in panel.chunks_exact(PANEL).take(depth).enumerate() {
                let columns: &[f32; 16] = line[half..half + 16].try_into().expect("half a line");
                for (sums, start) in sums.iter_mut().zip(starts) {
                    let value = left[start + inner];
                    for (sum, &column) in sums.iter_mut().zip(columns) {
                        *sum += value * column;
                    }
                }
            }
            for (out, sums) in tile[first..first + count].iter_mut().zip(&sums) {
                for (out, sum) in out[half..half + 16].iter_mut().zip(sums) {
                    *out += sum;
                }
            }
        }
    }
}

/// The slow twin: one multiplication at a time, in f32.
pub(crate) fn portable<E: Element>(
    rows: usize,
    depth: usize,
    left: &[E],
    stride: usize,
    panel: &[E],
    tile: &mut Tile,
) {
    for (row, sums) in tile[..rows].iter_mut().enumerate() {
        for inner in 0..depth {
            let value = left[row * stride + inner].to_f32();
            let line = &panel[inner / E::GROUP * PANEL * E::GROUP..];
            for (column, sum) in sums.iter_mut().enumerate() {
                *sum += value * line[column * E::GROUP + inner % E::GROUP].to_f32();
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{PANEL, Tile};

    /// Adds to the first `rows` rows of a tile, six rows × 16 columns of it in registers at a time.
    ///
    /// # Safety
    /// AVX2 and FMA, `rows` rows of `depth` values at `left`, `depth` lines of 32 at `panel`; at most 12 rows.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn tile(
        rows: usize,
        depth: usize,
        left: *const f32,
        stride: usize,
        panel: *const f32,
        tile: &mut Tile,
    ) {
        for half in [0, 16] {
            let mut row = 0;
            while row < rows {
                let count = (rows - row).min(6);
                // SAFETY: `row` and `half` stay inside what the caller guarantees.
                unsafe {
                    let (left, panel) = (left.add(row * stride), panel.add(half));
                    let sums = tile.as_mut_ptr().add(row).cast::<f32>().add(half);
                    match count {
                        1 => part::<1>(depth, left, stride, panel, sums),
                        2 => part::<2>(depth, left, stride, panel, sums),
                        3 => part::<3>(depth, left, stride, panel, sums),
                        4 => part::<4>(depth, left, stride, panel, sums),
                        5 => part::<5>(depth, left, stride, panel, sums),
                        _ => part::<6>(depth, left, stride, panel, sums),
                    }
                }
                row += count;
            }
        }
    }

    /// # Safety
    /// As of [`tile`]; `sums` points at `ROWS` rows of a tile.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn part<const ROWS: usize>(
        depth: usize,
        left: *const f32,
        stride: usize,
        panel: *const f32,
        sums: *mut f32,
    ) {
        // SAFETY: all reads and writes are in the bounds that the caller guarantees.
        unsafe {
            let mut held = [[_mm256_setzero_ps(); 2]; ROWS];
            for (row, held) in held.iter_mut().enumerate() {
                held[0] = _mm256_loadu_ps(sums.add(row * PANEL));
                held[1] = _mm256_loadu_ps(sums.add(row * PANEL + 8));
            }
            for inner in 0..depth {
                let first = _mm256_loadu_ps(panel.add(inner * PANEL));
                let second = _mm256_loadu_ps(panel.add(inner * PANEL + 8));
                for (row, held) in held.iter_mut().enumerate() {
                    let value = _mm256_broadcast_ss(&*left.add(row * stride + inner));
                    held[0] = _mm256_fmadd_ps(value, first, held[0]);
                    held[1] = _mm256_fmadd_ps(value, second, held[1]);
                }
            }
            for (row, held) in held.iter().enumerate() {
                _mm256_storeu_ps(sums.add(row * PANEL), held[0]);
                _mm256_storeu_ps(sums.add(row * PANEL + 8), held[1]);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{Ahead, Begin, Tile};

    /// `(groups, left, stride in bytes, panel, begin, ahead, tile)`
    pub(super) type Kernel = unsafe fn(usize, *const u8, usize, *const u8, Begin, Ahead, &mut Tile);

    macro_rules! select {
        ($name:ident, $kernel:ident) => {
            pub(super) fn $name(rows: usize) -> Kernel {
                const KERNELS: [Kernel; 13] = [
                    $kernel::<0>,
                    $kernel::<1>,
                    $kernel::<2>,
                    $kernel::<3>,
                    $kernel::<4>,
                    $kernel::<5>,
                    $kernel::<6>,
                    $kernel::<7>,
                    $kernel::<8>,
                    $kernel::<9>,
                    $kernel::<10>,
                    $kernel::<11>,
                    $kernel::<12>,
                ];
                KERNELS[rows]
            }
        };
    }
    select!(select_bf16, bf16);
    select!(select_f32, f32);

    macro_rules! kernel {
        ($name:ident, $features:literal, $step:expr) => {
            /// # Safety
            /// The features, `ROWS` rows of `groups` 4-byte groups at `left`, `groups` lines of 128 bytes at `panel`.
            #[target_feature(enable = $features)]
            unsafe fn $name<const ROWS: usize>(
                groups: usize,
                left: *const u8,
                stride: usize,
                panel: *const u8,
                begin: Begin,
                ahead: Ahead,
                tile: &mut Tile,
            ) {
                // SAFETY: all reads and writes are in the bounds that the caller guarantees; a tile row is 32 floats.
                unsafe {
                    let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
                    if begin == Begin::Held {
                        for row in 0..ROWS {
                            sums[row][0] = _mm512_loadu_ps(tile[row].as_ptr());
                            sums[row][1] = _mm512_loadu_ps(tile[row].as_ptr().add(16));
                        }
                    }
                    // One row ahead after the other, each over its share of the groups.
                    let share = groups / ahead.rows.max(1) + 1;
                    let (mut begun, mut row_ahead) = (0, ahead.start);
                    while begun < groups {
                        let mut line_ahead = row_ahead;
                        let end = groups.min(begun + share);
                        for group in begun..end {
                            _mm_prefetch::<_MM_HINT_T1>(line_ahead.cast());
                            line_ahead = line_ahead.wrapping_add(4 * ahead.rows);
                            let first = _mm512_loadu_si512(panel.add(group * 128).cast());
                            let second = _mm512_loadu_si512(panel.add(group * 128 + 64).cast());
                            for row in 0..ROWS {
                                let value = left.add(row * stride + group * 4).cast::<i32>().read_unaligned();
                                let value = _mm512_set1_epi32(value);
                                sums[row][0] = $step(sums[row][0], value, first);
                                sums[row][1] = $step(sums[row][1], value, second);
                            }
                        }
                        (begun, row_ahead) = (end, row_ahead.wrapping_add(ahead.stride));
                    }
                    for row in 0..ROWS {
                        _mm512_storeu_ps(tile[row].as_mut_ptr(), sums[row][0]);
                        _mm512_storeu_ps(tile[row].as_mut_ptr().add(16), sums[row][1]);
                    }
                }
            }
        };
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn step_bf16(sum: __m512, left: __m512i, right: __m512i) -> __m512 {
        // SAFETY: both types are 64 bytes of plain data.
        let (left, right) = unsafe {
            (std::mem::transmute::<__m512i, __m512bh>(left), std::mem::transmute::<__m512i, __m512bh>(right))
        };
        _mm512_dpbf16_ps(sum, left, right)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn step_f32(sum: __m512, left: __m512i, right: __m512i) -> __m512 {
        _mm512_fmadd_ps(_mm512_castsi512_ps(left), _mm512_castsi512_ps(right), sum)
    }

    kernel!(bf16, "avx512f,avx512bf16", step_bf16);
    kernel!(f32, "avx512f", step_f32);
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    fn check<E: Element>(level: Level, tolerance: f32) {
        for rows in 1..=TILE {
            for depth in [1, 2, 3, 15, 16, 17, 64, 127] {
                let left: Vec<E> =
                    (0..rows * (depth + 3)).map(|i| E::from_f32((i as f32 * 0.37).sin())).collect();
                let panel: Vec<E> = (0..depth.next_multiple_of(E::GROUP) * PANEL)
                    .map(|i| {
                        let inner = i / (PANEL * E::GROUP) * E::GROUP + i % E::GROUP;
                        if inner < depth { E::from_f32((i as f32 * 0.11).cos()) } else { E::default() }
                    })
                    .collect();
                for begin in [Begin::Held, Begin::Zero] {
                    let mut tile = [[0.5; PANEL]; TILE];
                    let mut slow = tile;
                    multiply(level, rows, depth, &left, depth + 3, &panel, begin, Ahead::NONE, &mut tile);
                    begin.fill(&mut slow[..rows]);
                    portable(rows, depth, &left, depth + 3, &panel, &mut slow);
                    for (fast, slow) in tile.as_flattened().iter().zip(slow.as_flattened()) {
                        assert!(
                            (fast - slow).abs() <= tolerance * depth as f32,
                            "{level:?} {begin:?} {rows}×{depth}: {fast} {slow}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_level_agrees_with_the_slow_twin() {
        for level in [Level::Portable, Level::Avx2, Level::Avx512, Level::Avx512Bf16] {
            if level <= crate::level::level() {
                check::<f32>(level, 3e-7);
                check::<bf16>(level, 3e-7);
            }
        }
    }
}
