//! Left sides in integers, rounded once for all tasks of a product.

use arrayvec::ArrayVec;

use super::Term;
use crate::{
    element::Element,
    integer::{STRETCH, round_row},
    parallel::{self, Shared},
    scratch,
    weight::BLOCK,
};

/// Most terms of a product.
const MOST_TERMS: usize = 16;

/// The left side of a term in integers, stretch after stretch `[rows, depth]`, and `[stretches, rows]` scales.
#[derive(Clone, Copy, Default)]
pub(super) struct RoundedLeft<'a> {
    pub(super) values: &'a [i16],
    pub(super) scales: &'a [f32],
}

/// Summed values that share their scales: as even as blocks allow.
pub(super) fn stretch(summed: usize) -> usize {
    summed.div_ceil(summed.div_ceil(STRETCH).max(1)).next_multiple_of(BLOCK)
}

/// Rounds the left sides of the terms that are multiplied in integers, once for all tasks.
pub(super) fn with_integers<E: Element>(terms: &[Term<E>], work: impl FnOnce(&[RoundedLeft])) {
    let sizes = |term: &Term<E>| {
        let (rows, summed) = (term.left.rows, term.summed());
        if term.integers {
            (rows * summed.next_multiple_of(2), rows * summed.div_ceil(stretch(summed)))
        } else {
            (0, 0)
        }
    };
    let needed = |term| scratch::bytes::<i16>(sizes(term).0) + scratch::bytes::<f32>(sizes(term).1);
    let bytes = terms.iter().map(needed).sum();
    if bytes == 0 {
        return work(&ArrayVec::<_, MOST_TERMS>::from_iter(terms.iter().map(|_| RoundedLeft::default())));
    }
    scratch::with_shared(bytes, |mut arena| {
        let mut rounded = ArrayVec::<RoundedLeft, MOST_TERMS>::new();
        for term in terms {
            let (values, scales) = sizes(term);
            let (values, scales) = (arena.take::<i16>(values), arena.take::<f32>(scales));
            if term.integers {
                round_left(term, values, scales);
            }
            rounded.push(RoundedLeft { values, scales });
        }
        work(&rounded);
    });
}

fn round_left<E: Element>(term: &Term<E>, values: &mut [i16], scales: &mut [f32]) {
    let (rows, summed) = (term.left.rows, term.summed());
    let stretch = stretch(summed);
    let (values, scales) = (Shared::new(values), Shared::new(scales));
    let chunk = parallel::rows_a_task(summed);
    parallel::for_each(rows.div_ceil(chunk), |task| {
        for row in task * chunk..rows.min((task + 1) * chunk) {
            let line = &term.left.data[row * term.left.stride..][..summed];
            for (number, from) in line.chunks(stretch).enumerate() {
                let even = from.len().next_multiple_of(2);
                // SAFETY: each task writes its own rows.
                let to = unsafe { values.part(number * stretch * rows + row * even, even) };
                // SAFETY: as above.
                let scale = unsafe { scales.part(number * rows + row, 1) };
                scale[0] = round_row(from, to);
            }
        }
    });
}
