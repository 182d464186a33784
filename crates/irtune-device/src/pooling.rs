//! What a head reads of each example when that is more than its last row.

/// A row and what it counts in a sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowTerm {
    /// The row.
    pub row: u32,
    /// Its factor.
    pub weight: f32,
}

/// Weighted sums of rows: a sparse matrix, kept by the rows that it makes.
#[derive(Debug, Default, PartialEq)]
pub struct RowSums {
    /// Where the terms of each sum end.
    ends: Vec<u32>,
    terms: Vec<RowTerm>,
}

impl Clone for RowSums {
    fn clone(&self) -> Self {
        Self { ends: self.ends.clone(), terms: self.terms.clone() }
    }

    /// Copies into the memory that is there.
    fn clone_from(&mut self, from: &Self) {
        self.ends.clone_from(&from.ends);
        self.terms.clone_from(&from.terms);
    }
}

impl RowSums {
    /// Forgets all sums.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.terms.clear();
    }

    /// Adds a sum of these terms; one without terms is zero.
    pub fn push(&mut self, terms: impl IntoIterator<Item = RowTerm>) {
        self.terms.extend(terms);
        self.ends.push(self.terms.len() as u32);
    }

    /// Number of sums.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The terms of a sum, in the order in which they are added.
    pub fn terms(&self, sum: usize) -> &[RowTerm] {
        let start = sum.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.terms[start..self.ends[sum] as usize]
    }

    /// Becomes the transpose of sums over `rows` rows: for each of these, the sums that it is a term of, in their order.
    ///
    /// # Panics
    /// When a term names a row from `rows` on.
    pub fn transpose(&mut self, from: &Self, rows: usize) {
        self.clear();
        // First how many terms each row has, then where they end, and as they are placed from behind, where they begin.
        self.ends.resize(rows, 0);
        from.terms.iter().for_each(|term| self.ends[term.row as usize] += 1);
        let mut end = 0;
        for count in &mut self.ends {
            end += *count;
            *count = end;
        }
        self.terms.resize(from.terms.len(), RowTerm { row: 0, weight: 0.0 });
        for sum in (0..from.len()).rev() {
            for term in from.terms(sum).iter().rev() {
                let place = &mut self.ends[term.row as usize];
                *place -= 1;
                self.terms[*place as usize] = RowTerm { row: sum as u32, weight: term.weight };
            }
        }
        self.ends.rotate_left(1.min(rows));
        if let Some(last) = self.ends.last_mut() {
            *last = from.terms.len() as u32;
        }
    }
}

/// What a head reads of each example: some sums of the rows that are read, one after the other, then numbers that are
/// given.
#[derive(Debug, Default, PartialEq)]
pub struct Pooling {
    /// Sums of an example.
    pub parts: usize,
    /// Over the rows that are read, `parts` for each example.
    pub sums: RowSums,
    /// Their transpose: over the sums, one for each row that is read.
    pub transposed: RowSums,
    /// Numbers that are given of an example.
    pub given: usize,
    /// These numbers, `[examples, given]`.
    pub numbers: Vec<f32>,
}

impl Clone for Pooling {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        copy.clone_from(self);
        copy
    }

    /// Copies into the memory that is there.
    fn clone_from(&mut self, from: &Self) {
        (self.parts, self.given) = (from.parts, from.given);
        self.sums.clone_from(&from.sums);
        self.transposed.clone_from(&from.transposed);
        self.numbers.clone_from(&from.numbers);
    }
}

impl Pooling {
    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.sums.len().checked_div(self.parts).unwrap_or(0)
    }

    /// What is read of an example, from rows of `width` values.
    pub fn columns(&self, width: usize) -> usize {
        self.parts * width + self.given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(lists: &[&[(u32, f32)]]) -> RowSums {
        let mut sums = RowSums::default();
        for list in lists {
            sums.push(list.iter().map(|&(row, weight)| RowTerm { row, weight }));
        }
        sums
    }

    #[test]
    fn a_transpose_lists_for_each_row_the_sums_that_it_is_in() {
        let from = sums(&[&[(3, 1.0)], &[], &[(1, 0.5), (3, 0.5)], &[(3, 0.25), (0, 0.75)]]);
        let mut transposed = sums(&[&[(9, 9.0)]]);
        transposed.transpose(&from, 5);
        let expected = sums(&[&[(3, 0.75)], &[(2, 0.5)], &[], &[(0, 1.0), (2, 0.5), (3, 0.25)], &[]]);
        assert_eq!(transposed, expected);
        let mut again = RowSums::default();
        again.transpose(&transposed, from.len());
        // The same terms, those of a sum in the order of their rows.
        assert_eq!(again, sums(&[&[(3, 1.0)], &[], &[(1, 0.5), (3, 0.5)], &[(0, 0.75), (3, 0.25)]]));
        transposed.transpose(&RowSums::default(), 0);
        assert!(transposed.is_empty());
    }
}
