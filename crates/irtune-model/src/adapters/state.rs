//! Trained parameters with their gradients and moments: one group a layer, and one for the head.

use irtune_device::{AdamW, BMatrix, Device, OptimizerSlices, Output, Term};

use crate::{adapters::masters::Masters, host_tensor::HostTensor};

/// The values at which a parameter lets its adapter do nothing, and at which it starts; one that has none is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rest {
    /// Any value will do: it starts uniformly within 1/√columns (`kaiming_uniform_` with a = √5).
    Drawn,
    /// The same number everywhere.
    Constant(f32),
    /// These, in the group's orientation.
    Values(Vec<f32>),
}

impl Rest {
    /// Whether these values, in the group's orientation, let the adapter do nothing.
    fn holds(&self, data: &[f32]) -> bool {
        match self {
            Rest::Drawn => true,
            Rest::Constant(constant) => data.iter().all(|value| value == constant),
            Rest::Values(values) => data == values,
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
    pub(crate) rest: Rest,
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
    pub(crate) fn matrix(&mut self, name: String, rows: usize, columns: usize, rest: Rest) -> usize {
        self.push(name, vec![rows, columns], [rows, columns], false, rest)
    }

    /// Adds a matrix that is `[columns, rows]` outside; its offset.
    pub(crate) fn transposed(&mut self, name: String, rows: usize, columns: usize, rest: Rest) -> usize {
        self.push(name, vec![columns, rows], [rows, columns], true, rest)
    }

    /// Adds a vector, whatever shape it has outside; its offset.
    pub(crate) fn vector(&mut self, name: String, shape: Vec<usize>, rest: Rest) -> usize {
        let length = shape.iter().product();
        self.push(name, shape, [1, length], false, rest)
    }

    fn push(
        &mut self,
        name: String,
        shape: Vec<usize>,
        [rows, columns]: [usize; 2],
        transposed: bool,
        rest: Rest,
    ) -> usize {
        let offset = self.length;
        self.length += rows * columns;
        self.list.push(Entry { name, shape, offset, rows, columns, transposed, rest, rate: 1.0 });
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
    fn turned(&self, data: &[f32], inwards: bool) -> Vec<f32> {
        if !self.transposed {
            return data.to_vec();
        }
        let (rows, columns) = if inwards { (self.columns, self.rows) } else { (self.rows, self.columns) };
        (0..columns).flat_map(|column| (0..rows).map(move |row| data[row * columns + column])).collect()
    }
}

/// Parameters that are trained or frozen together.
pub(crate) struct Group<D: Device> {
    pub(crate) entries: Vec<Entry>,
    pub(crate) values: D::Floats,
    pub(crate) gradient: D::Floats,
    pub(super) first: D::Floats,
    pub(super) second: D::Floats,
    pub(super) length: usize,
    /// Optimizer steps that these parameters took.
    pub(super) steps: u64,
    /// Whether the gradient may be other than zero.
    pub(crate) dirty: bool,
    /// Whether every entry is at rest, so that adapters compute nothing, or the layer's own weights never trained.
    pub(crate) silent: bool,
    /// Whether values changed since what is known of them (DoRA's norms) was found.
    pub(crate) stale: bool,
    /// When these are weights of the base itself.
    pub(super) masters: Option<Masters<D>>,
}

impl<D: Device> Group<D> {
    /// A group of zero parameters.
    pub(crate) fn new(device: &D, entries: Vec<Entry>) -> Self {
        let length = entries.iter().map(Entry::length).sum();
        let floats = || device.floats(length);
        let (values, gradient, first, second) = (floats(), floats(), floats(), floats());
        Self {
            entries,
            values,
            gradient,
            first,
            second,
            length,
            steps: 0,
            dirty: false,
            silent: true,
            stale: false,
            masters: None,
        }
    }

    pub(crate) fn zero_gradient(&mut self, device: &D) {
        if std::mem::take(&mut self.dirty) {
            device.clear(&mut self.gradient, 0, self.length);
        }
    }

    /// Sum of squares of one entry's gradient.
    pub(crate) fn gradient_squares(&self, device: &D, entry: &Entry) -> f64 {
        if !self.has_gradient() {
            return 0.0;
        }
        device.sum_of_squares(&self.gradient, entry.offset, entry.length())
    }

    pub(crate) fn scale_gradient(&mut self, device: &D, factor: f32) {
        device.scale(&mut self.gradient, factor);
    }

    pub(crate) fn update(&mut self, device: &D, settings: &AdamW) {
        self.steps += 1;
        // At a rate of 0, a warm-up's first, values stay as they are, and so they are found when a run is resumed.
        self.silent &= settings.learning_rate == 0.0 && self.masters.is_none();
        self.stale = true;
        let Self { entries, values, gradient, first, second, .. } = self;
        // Neighbours with the same learning rate are one stretch.
        for stretch in entries.chunk_by(|left, right| left.rate == right.rate) {
            let (from, last) = (stretch[0].offset, &stretch[stretch.len() - 1]);
            let length = last.offset + last.length() - from;
            let settings =
                AdamW { learning_rate: settings.learning_rate * f64::from(stretch[0].rate), ..*settings };
            let state = OptimizerSlices { values, gradient, first, second, from, length };
            device.adamw(&settings, self.steps, state);
        }
        self.refresh_gains(device);
    }

    /// Adds `leftᵀ · right` to the gradient from `offset` on.
    ///
    /// # Shapes
    /// `left`: `[tokens, rows]`; `right`: `[tokens, columns]`; `turned`: room for `left` transposed.
    pub(crate) fn add_outer(
        &mut self,
        device: &D,
        offset: usize,
        tokens: usize,
        (left, rows): (&D::Operands, usize),
        (right, columns): (&D::Operands, usize),
        turned: &mut D::Operands,
    ) {
        device.transpose(left, tokens, rows, turned);
        let term = Term::backward(&*turned, BMatrix::Operands(right, tokens, columns));
        device.gemm(&[term], 1.0, rows, columns, Output::Add(&mut self.gradient, offset));
    }

    /// Clears moments and step count.
    pub(crate) fn reset_optimizer(&mut self, device: &D) {
        device.clear(&mut self.first, 0, self.length);
        device.clear(&mut self.second, 0, self.length);
        self.steps = 0;
    }

    fn read(&self, device: &D, entry: &Entry, from: &D::Floats, name: String) -> HostTensor {
        let mut data = vec![0.0; entry.length()];
        device.download(from, entry.offset, &mut data);
        HostTensor::new(name, entry.shape.clone(), entry.turned(&data, false))
    }

    pub(crate) fn parameters(&self, device: &D, out: &mut Vec<HostTensor>) {
        if !self.has_values() {
            return;
        }
        out.extend(
            self.entries.iter().map(|entry| self.read(device, entry, &self.values, entry.name.clone())),
        );
    }

    pub(crate) fn gradients(&self, device: &D, out: &mut Vec<HostTensor>) {
        if !self.has_gradient() {
            return;
        }
        out.extend(
            self.entries.iter().map(|entry| self.read(device, entry, &self.gradient, entry.name.clone())),
        );
    }

    pub(crate) fn optimizer_state(&self, device: &D, out: &mut Vec<HostTensor>) {
        if !self.has_moments() {
            return;
        }
        for entry in &self.entries {
            out.push(self.read(device, entry, &self.first, format!("{}.first_moment", entry.name)));
            out.push(self.read(device, entry, &self.second, format!("{}.second_moment", entry.name)));
            out.push(HostTensor::new(format!("{}.steps", entry.name), vec![1], vec![self.steps as f32]));
        }
    }

    /// Names and shapes of the parameters outside.
    pub(crate) fn expected(&self) -> impl Iterator<Item = (&str, Vec<usize>)> {
        self.entries.iter().map(|entry| (entry.name.as_str(), entry.shape.clone()))
    }

    /// Sets the parameters; `find` gives a checked tensor by name.
    pub(crate) fn load_parameters<'a>(&mut self, device: &D, find: impl Fn(&str) -> &'a HostTensor) {
        (self.silent, self.stale) = (true, true);
        for entry in &self.entries {
            let data = entry.turned(&find(&entry.name).data, true);
            self.silent &= entry.rest.holds(&data);
            device.upload(&data, &mut self.values, entry.offset);
        }
        self.silent &= self.masters.is_none();
        self.refresh_gains(device);
    }

    /// Sets moments and step count; `find` gives a checked tensor by name.
    pub(crate) fn load_optimizer_state<'a>(&mut self, device: &D, find: impl Fn(&str) -> &'a HostTensor) {
        for entry in &self.entries {
            let [first, second, steps] = ["first_moment", "second_moment", "steps"]
                .map(|part| find(&format!("{}.{part}", entry.name)));
            device.upload(&entry.turned(&first.data, true), &mut self.first, entry.offset);
            device.upload(&entry.turned(&second.data, true), &mut self.second, entry.offset);
            self.steps = steps.data[0] as u64;
        }
    }
}
