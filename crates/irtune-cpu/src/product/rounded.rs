//! Left sides in integers, rounded once for all tasks of a product.

use arrayvec::ArrayVec;

use super::{Term, passes::even};
use crate::{
    element::Element,
    integer::{Width, eight, sixteen},
    parallel::{self, Shared},
    scratch,
};

/// Most terms of a product.
const MOST_TERMS: usize = 16;

/// The left side of a term in integers, and its scales.
#[derive(Clone, Copy, Default)]
pub(super) struct RoundedLeft<'a> {
    /// In 16 bits stretch after stretch `[rows, depth]`, in 8 bits `[rows, summed]` up to whole groups.
    pub(super) values: &'a [u8],
    /// In 16 bits `[stretches, rows]`, in 8 bits `[rows, stretches]`.
    pub(super) scales: &'a [f32],
}

/// Summed values that share their scales in 16 bits.
pub(super) fn stretch(summed: usize) -> usize {
    even(summed, sixteen::STRETCH)
}

/// Bytes of a term's left side in integers, and how many scales it has.
fn sizes<E: Element>(term: &Term<E>) -> (usize, usize) {
    let (rows, summed) = (term.left.rows, term.summed());
    match term.integers {
        None => (0, 0),
        Some(Width::Sixteen) => {
            (2 * rows * summed.next_multiple_of(2), rows * summed.div_ceil(stretch(summed)))
        }
        Some(Width::Eight) => {
            (rows * summed.next_multiple_of(eight::GROUP), rows * summed.div_ceil(eight::STRETCH))
        }
    }
}

/// Rounds the left sides of the terms that are multiplied in integers, once for all tasks.
pub(super) fn with_integers<E: Element>(terms: &[Term<E>], work: impl FnOnce(&[RoundedLeft])) {
    let needed = |term| scratch::bytes::<u8>(sizes(term).0) + scratch::bytes::<f32>(sizes(term).1);
    let bytes = terms.iter().map(needed).sum();
    if bytes == 0 {
        return work(&ArrayVec::<_, MOST_TERMS>::from_iter(terms.iter().map(|_| RoundedLeft::default())));
    }
    scratch::with_shared(bytes, |mut arena| {
        let mut rounded = ArrayVec::<RoundedLeft, MOST_TERMS>::new();
        for term in terms {
            let (values, scales) = sizes(term);
            let (values, scales) = (arena.take::<u8>(values), arena.take::<f32>(scales));
            match term.integers {
                None => {}
                Some(Width::Sixteen) => round_sixteen(term, bytemuck::cast_slice_mut(values), scales),
                Some(Width::Eight) => round_eight(term, values, scales),
            }
            rounded.push(RoundedLeft { values, scales });
        }
        work(&rounded);
    });
}

/// Calls `work` with every row's number and values, on all threads.
fn each_row<E: Element>(term: &Term<E>, work: impl Fn(usize, &[E]) + Sync + Send) {
    let (rows, summed) = (term.left.rows, term.summed());
    let chunk = parallel::rows_a_task(summed);
    parallel::for_each(rows.div_ceil(chunk), |task| {
        for row in task * chunk..rows.min((task + 1) * chunk) {
            work(row, &term.left.data[row * term.left.stride..][..summed]);
        }
    });
}

fn round_sixteen<E: Element>(term: &Term<E>, values: &mut [i16], scales: &mut [f32]) {
    let (rows, stretch) = (term.left.rows, stretch(term.summed()));
    let (values, scales) = (Shared::new(values), Shared::new(scales));
    each_row(term, |row, line| {
        for (number, from) in line.chunks(stretch).enumerate() {
            let even = from.len().next_multiple_of(2);
            // SAFETY: each task writes its own rows.
            let to = unsafe { values.part(number * stretch * rows + row * even, even) };
            // SAFETY: as above.
            let scale = unsafe { scales.part(number * rows + row, 1) };
            scale[0] = sixteen::round_row(from, to);
        }
    });
}

fn round_eight<E: Element>(term: &Term<E>, values: &mut [u8], scales: &mut [f32]) {
    let (padded, stretches) =
        (term.summed().next_multiple_of(eight::GROUP), term.summed().div_ceil(eight::STRETCH));
    let (values, scales) = (Shared::new(values), Shared::new(scales));
    each_row(term, |row, line| {
        // SAFETY: each task writes its own rows.
        let (to, scales) =
            unsafe { (values.part(row * padded, padded), scales.part(row * stretches, stretches)) };
        eight::round_row(line, to, scales);
    });
}
