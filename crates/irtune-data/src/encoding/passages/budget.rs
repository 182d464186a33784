//! How much of a pair to keep.

use super::stretch::{Place, Stretch};

/// How much of a pair to keep, in units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Kept before the first and after the last change.
    pub outside: usize,
    /// Kept next to each change in the long unchanged stretches between changes.
    pub between: usize,
    /// Kept of what a hunk removes and of what it adds, half from the beginning and half from the end.
    pub hunk: usize,
    /// Kept of either text after that, half from its beginning and half from its end.
    pub side: usize,
}

/// Which units of a stretch are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Of the original text's units.
    pub original: Vec<bool>,
    /// Of the revised text's units.
    pub revised: Vec<bool>,
}

impl Budget {
    /// Nothing is left out.
    pub const EVERYTHING: Budget =
        Budget { outside: usize::MAX, between: usize::MAX, hunk: usize::MAX, side: usize::MAX };

    /// Which units are kept, stretch by stretch.
    pub fn choose(&self, stretches: &[Stretch<'_>]) -> Vec<Kept> {
        let mut kept: Vec<Kept> = stretches
            .iter()
            .map(|stretch| match stretch {
                Stretch::Unchanged { units, place } => {
                    let kept: Vec<bool> =
                        (0..units.len()).map(|index| self.keeps(*place, index, units.len())).collect();
                    Kept { original: kept.clone(), revised: kept }
                }
                Stretch::Hunk { removed, added } => {
                    let (mut original, mut revised) = (vec![true; removed.len()], vec![true; added.len()]);
                    cut_middle(original.iter_mut(), self.hunk);
                    cut_middle(revised.iter_mut(), self.hunk);
                    Kept { original, revised }
                }
            })
            .collect();
        cut_middle(kept.iter_mut().flat_map(|kept| &mut kept.original), self.side);
        cut_middle(kept.iter_mut().flat_map(|kept| &mut kept.revised), self.side);
        kept
    }

    /// Whether it keeps a unit of an unchanged stretch.
    fn keeps(&self, place: Place, index: usize, units: usize) -> bool {
        match place {
            Place::Before => units - index <= self.outside,
            Place::After => index < self.outside,
            Place::Between => (index + 1).min(units - index) <= self.between,
            Place::WithHunks => true,
        }
    }
}

/// Keeps at most so many of what is kept, half from the beginning and half from the end.
fn cut_middle<'a>(kept: impl Iterator<Item = &'a mut bool>, most: usize) {
    let kept: Vec<&mut bool> = kept.filter(|kept| **kept).collect();
    let (count, head, tail) = (kept.len(), most.div_ceil(2), most / 2);
    if count > most {
        for (position, kept) in kept.into_iter().enumerate() {
            *kept = position < head || position >= count - tail;
        }
    }
}
