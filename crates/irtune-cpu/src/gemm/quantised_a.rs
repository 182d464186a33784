//! A in integers, quantised once for all tasks of a GEMM.

use arrayvec::ArrayVec;

use super::{
    cut::int16_group,
    integer::{Integers, int8, int16},
    term::Term,
};
use crate::{
    simd::element::Element,
    threads::{disjoint::DisjointSlice, parallel, scratch},
};

/// Most terms of a GEMM.
const MOST_TERMS: usize = 16;

/// A term's A in integers, and its scales; empty where it isn't multiplied in integers.
#[derive(Clone, Copy, Default)]
pub(super) struct QuantisedA<'a> {
    /// In 16 bits group after group, `[M, group]` each; in 8 bits `[M, K]`, padded to whole packs.
    pub(super) values: &'a [u8],
    /// In 16 bits `[groups, M]`, in 8 bits `[M, groups]`.
    pub(super) scales: &'a [f32],
}

/// Bytes of a term's A in integers, and how many scales it has.
fn sizes<E: Element>(term: &Term<E>) -> (usize, usize) {
    let (rows, k) = (term.a.rows, term.k());
    match term.integers {
        None => (0, 0),
        Some(Integers::Int16) => {
            (2 * rows * k.next_multiple_of(int16::K_PACK), rows * k.div_ceil(int16_group(k)))
        }
        Some(Integers::Int8) => (rows * k.next_multiple_of(int8::K_PACK), rows * k.div_ceil(int8::GROUP)),
    }
}

/// Calls `work` with the quantised A of every term.
pub(super) fn with_quantised_a<E: Element>(terms: &[Term<E>], work: impl FnOnce(&[QuantisedA])) {
    let needed = |term| scratch::bytes::<u8>(sizes(term).0) + scratch::bytes::<f32>(sizes(term).1);
    let bytes = terms.iter().map(needed).sum();
    if bytes == 0 {
        return work(&ArrayVec::<_, MOST_TERMS>::from_iter(terms.iter().map(|_| QuantisedA::default())));
    }
    scratch::with_shared(bytes, |mut arena| {
        let mut quantised = ArrayVec::<QuantisedA, MOST_TERMS>::new();
        for term in terms {
            let (values, scales) = sizes(term);
            let (values, scales) = (arena.take::<u8>(values), arena.take::<f32>(scales));
            match term.integers {
                None => {}
                Some(Integers::Int16) => to_int16(term, bytemuck::cast_slice_mut(values), scales),
                Some(Integers::Int8) => to_int8(term, values, scales),
            }
            quantised.push(QuantisedA { values, scales });
        }
        work(&quantised);
    });
}

/// Calls `work` with every row's number and values, on all threads.
fn each_row<E: Element>(term: &Term<E>, work: impl Fn(usize, &[E]) + Sync + Send) {
    let (rows, k) = (term.a.rows, term.k());
    let chunk = parallel::rows_per_task(k);
    parallel::for_each(rows.div_ceil(chunk), |task| {
        for row in task * chunk..rows.min((task + 1) * chunk) {
            work(row, &term.a.data[row * term.a.stride..][..k]);
        }
    });
}

fn to_int16<E: Element>(term: &Term<E>, values: &mut [i16], scales: &mut [f32]) {
    let (rows, group) = (term.a.rows, int16_group(term.k()));
    let (values, scales) = (DisjointSlice::new(values), DisjointSlice::new(scales));
    each_row(term, |row, line| {
        for (number, from) in line.chunks(group).enumerate() {
            let padded = from.len().next_multiple_of(int16::K_PACK);
            // SAFETY: each task writes its own rows.
            let to = unsafe { values.part(number * group * rows + row * padded, padded) };
            // SAFETY: as above.
            let scale = unsafe { scales.part(number * rows + row, 1) };
            scale[0] = int16::quantise_row(from, to);
        }
    });
}

fn to_int8<E: Element>(term: &Term<E>, values: &mut [u8], scales: &mut [f32]) {
    let (padded, groups) = (term.k().next_multiple_of(int8::K_PACK), term.k().div_ceil(int8::GROUP));
    let (values, scales) = (DisjointSlice::new(values), DisjointSlice::new(scales));
    each_row(term, |row, line| {
        // SAFETY: each task writes its own rows.
        let (to, scales) = unsafe { (values.part(row * padded, padded), scales.part(row * groups, groups)) };
        int8::quantise::quantise_row(line, to, scales);
    });
}
