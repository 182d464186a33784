//! Which parameters a group has, and where each lies in it.

/// The values at which a parameter lets its adapter do nothing, and at which it starts; one that has none is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Initial {
    /// Any value will do: it starts uniformly within 1/√columns (`kaiming_uniform_` with a = √5).
    Drawn,
    /// The same number everywhere.
    Constant(f32),
    /// These, in the group's orientation.
    Values(Vec<f32>),
}

impl Initial {
    /// Whether these values, in the group's orientation, let the adapter do nothing.
    pub(super) fn is_identity(&self, data: &[f32]) -> bool {
        match self {
            Initial::Drawn => true,
            Initial::Constant(constant) => data.iter().all(|value| value == constant),
            Initial::Values(values) => data == values,
        }
    }
}

/// A matrix or vector inside a group.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Outside.
    pub(crate) shape: Vec<usize>,
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Outside, the matrix is the transposed one. LoRA's B is held transposed: its gradient and both of its products
    /// then read and write rows as they lie.
    pub(crate) transposed: bool,
    pub(crate) initial: Initial,
    /// Factor of its learning rate.
    pub(crate) rate: f32,
}

/// Entries of a group, one after the other.
#[derive(Default)]
pub(crate) struct Entries {
    pub(crate) list: Vec<Entry>,
    length: usize,
}

impl Entries {
    /// Adds a matrix that lies as it is outside; its offset.
    pub(crate) fn matrix(&mut self, name: String, rows: usize, columns: usize, initial: Initial) -> usize {
        self.push(name, vec![rows, columns], [rows, columns], false, initial)
    }

    /// Adds a matrix that is `[columns, rows]` outside; its offset.
    pub(crate) fn transposed(
        &mut self,
        name: String,
        rows: usize,
        columns: usize,
        initial: Initial,
    ) -> usize {
        self.push(name, vec![columns, rows], [rows, columns], true, initial)
    }

    /// Adds a vector, whatever shape it has outside; its offset.
    pub(crate) fn vector(&mut self, name: String, shape: Vec<usize>, initial: Initial) -> usize {
        let length = shape.iter().product();
        self.push(name, shape, [1, length], false, initial)
    }

    fn push(
        &mut self,
        name: String,
        shape: Vec<usize>,
        [rows, columns]: [usize; 2],
        transposed: bool,
        initial: Initial,
    ) -> usize {
        let offset = self.length;
        self.length += rows * columns;
        self.list.push(Entry { name, shape, offset, rows, columns, transposed, initial, rate: 1.0 });
        offset
    }

    /// The entry added last.
    pub(crate) fn last(&mut self) -> &mut Entry {
        self.list.last_mut().expect("an entry was added")
    }
}

impl Entry {
    pub(crate) fn length(&self) -> usize {
        self.rows * self.columns
    }

    /// From the group's orientation to the outer one, or back (`inwards`).
    pub(super) fn reoriented(&self, data: &[f32], inwards: bool) -> Vec<f32> {
        if !self.transposed {
            return data.to_vec();
        }
        let (rows, columns) = if inwards { (self.columns, self.rows) } else { (self.rows, self.columns) };
        (0..columns).flat_map(|column| (0..rows).map(move |row| data[row * columns + column])).collect()
    }
}
