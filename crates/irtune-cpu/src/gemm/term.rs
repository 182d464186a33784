//! One term of a GEMM's sum.

use irtune_device::{Side, WeightView};

use super::{integer::Integers, mask::Mask, prepacked::Prepacked};
use crate::{matrix::Matrix, simd::element::Element};

/// `A · Wᵀ` or `A · W` with a weight W, optionally under a dropout mask.
#[derive(Clone, Copy, Debug)]
pub struct Term<'a, E> {
    /// A, `[M, K]`.
    pub a: Matrix<'a, E>,
    /// B as a weight stores it: `[N, K]` on the forward side, `[K, N]` on the backward side.
    pub b: WeightView<'a>,
    /// Which dimension of the weight is K.
    pub side: Side,
    /// Dropout mask `[M, N]` on this term's result.
    pub mask: Option<Mask<'a>>,
    /// The integers that it is multiplied in: faster than f32 or bf16 on processors that have them.
    pub integers: Option<Integers>,
    /// B packed before. It is multiplied in place of `b`, which then only gives the shape.
    ///
    /// It exists for the forward side alone, and is in the same integers; or in bf16, where [`Prepacked::has_bf16`].
    pub prepacked: Option<&'a Prepacked>,
}

impl<'a, E: Element> Term<'a, E> {
    /// `A · Wᵀ`
    pub fn forward(a: Matrix<'a, E>, b: WeightView<'a>) -> Self {
        Self { a, b, side: Side::Forward, mask: None, integers: None, prepacked: None }
    }

    /// `A · W`
    pub fn backward(a: Matrix<'a, E>, b: WeightView<'a>) -> Self {
        Self { a, b, side: Side::Backward, mask: None, integers: None, prepacked: None }
    }

    /// K: the values that a sum is over.
    pub(super) fn k(&self) -> usize {
        match self.side {
            Side::Forward => self.b.columns,
            Side::Backward => self.b.rows,
        }
    }

    /// N: columns of the result.
    fn n(&self) -> usize {
        match self.side {
            Side::Forward => self.b.rows,
            Side::Backward => self.b.columns,
        }
    }

    /// Fails unless the term gives `[rows, columns]`.
    pub(super) fn check(&self, rows: usize, columns: usize) {
        self.a.check();
        assert_eq!((self.a.rows, self.a.columns), (rows, self.k()), "A of {:?}", self.side);
        assert_eq!(self.n(), columns, "columns of a term");
        assert_eq!(
            self.b.bytes.len(),
            self.b.stored().rows * self.b.stored().row_bytes(),
            "bytes of a weight"
        );
        if let Some(mask) = &self.mask {
            mask.check(rows, columns);
        }
        if let Some(prepacked) = self.prepacked {
            let expected = ((columns, self.k()), Side::Forward);
            assert_eq!((prepacked.shape(), self.side), expected, "a prepacked weight");
            assert_eq!(self.integers, prepacked.integers(), "integers of a prepacked weight");
            assert!(
                self.integers.is_some() || Prepacked::has_bf16::<E>(),
                "a weight prepacked in bf16 where bf16 isn't multiplied"
            );
        }
    }
}
