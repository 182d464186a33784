//! Trained parameters with their gradients and moments: one group a layer, and one for the head.

use std::ops::Range;

use irtune_device::{
    AdamW, BMatrix, Device, DeviceError, Epilogue, OptimizerState, Output, Slot, Stretch, Term,
};

use super::{entries::Entry, masters::Masters};
use crate::host_tensor::HostTensor;

/// Parameters that are trained or frozen together.
pub(crate) struct Group<D: Device> {
    pub(crate) entries: Vec<Entry>,
    pub(crate) values: D::Floats,
    pub(crate) gradient: D::Floats,
    pub(super) first: D::Floats,
    pub(super) second: D::Floats,
    pub(super) length: usize,
    /// Of the entries.
    pub(super) ranges: Vec<Range<usize>>,
    /// Neighbours with the same learning rate are one.
    pub(super) stretches: Vec<Stretch>,
    /// Optimizer steps that these parameters took.
    pub(super) steps: u64,
    /// Whether the gradient may be other than zero.
    pub(crate) dirty: bool,
    /// Whether every entry has the values at which adapters add nothing, or the layer's own weights never trained.
    pub(crate) is_identity: bool,
    /// Whether values changed since what is known of them (DoRA's norms) was found.
    pub(crate) stale: bool,
    /// When these are weights of the base itself.
    pub(super) masters: Option<Masters>,
}

impl<D: Device> Group<D> {
    /// A group of zero parameters.
    pub(crate) fn new(device: &D, entries: Vec<Entry>) -> Result<Self, DeviceError> {
        let length = entries.iter().map(Entry::length).sum();
        Self::sized(device, entries, length)
    }

    /// A group of entries whose buffers hold so many zeros.
    pub(super) fn sized(device: &D, entries: Vec<Entry>, length: usize) -> Result<Self, DeviceError> {
        let ranges = entries.iter().map(|entry| entry.offset..entry.offset + entry.length()).collect();
        let alike = entries.chunk_by(|left, right| left.rate == right.rate);
        let stretch = |alike: &[Entry]| {
            let last = &alike[alike.len() - 1];
            Stretch { range: alike[0].offset..last.offset + last.length(), rate: alike[0].rate }
        };
        let stretches = alike.map(stretch).collect();
        let floats = || device.floats(length, 1);
        let (values, gradient, first, second) = (floats()?, floats()?, floats()?, floats()?);
        Ok(Self {
            entries,
            values,
            gradient,
            first,
            second,
            length,
            ranges,
            stretches,
            steps: 0,
            dirty: false,
            is_identity: true,
            stale: false,
            masters: None,
        })
    }

    pub(crate) fn zero_gradient(&mut self, device: &D) {
        if std::mem::take(&mut self.dirty) {
            device.clear(&mut self.gradient, 0, self.length);
        }
    }

    /// Sums of squares of the entries' gradients, to the results from a place on; whether there are gradients.
    pub(crate) fn gradient_squares(&self, device: &D, out: Slot<D>) -> bool {
        if self.has_gradient() {
            device.sums_of_squares(&self.gradient, &self.ranges, out);
        }
        self.has_gradient()
    }

    pub(crate) fn scale_gradient(&mut self, device: &D, factor: f32) {
        device.scale(&mut self.gradient, factor);
    }

    /// Sets the factor of the learning rate of every entry.
    pub(crate) fn set_rate(&mut self, rate: f32) {
        self.stretches.iter_mut().for_each(|stretch| stretch.rate = rate);
    }

    pub(crate) fn update(&mut self, device: &D, settings: &AdamW) {
        self.steps += 1;
        // At a rate of 0, a warm-up's first, values stay as they are, and so they are found when a run is resumed.
        self.is_identity &= settings.learning_rate == 0.0 && self.masters.is_none();
        self.stale = true;
        let Self { values, gradient, first, second, stretches, .. } = self;
        device.adamw(settings, self.steps, OptimizerState { values, gradient, first, second, stretches });
    }

    /// Adds `leftᵀ · right` to the gradient from `offset` on.
    ///
    /// # Shapes
    /// `left`: `[tokens, rows]`; `right`: `[tokens, columns]`; `transposed`: room for `left` transposed.
    pub(crate) fn add_outer(
        &mut self,
        device: &D,
        offset: usize,
        tokens: usize,
        (left, rows): (&D::Operands, usize),
        (right, columns): (&D::Operands, usize),
        transposed: &mut D::Operands,
    ) {
        device.transpose(left, tokens, rows, transposed);
        let term = Term::backward(&*transposed, BMatrix::Operands(right, tokens, columns));
        device.gemm(&[term], Epilogue::PLAIN, rows, columns, Output::Add(&mut self.gradient, offset));
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
        HostTensor::new(name, entry.shape.clone(), entry.reoriented(&data, false))
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
        (self.is_identity, self.stale) = (true, true);
        for entry in &self.entries {
            let data = entry.reoriented(&find(&entry.name).data, true);
            self.is_identity &= entry.initial.is_identity(&data);
            device.upload(&data, &mut self.values, entry.offset);
        }
        self.is_identity &= self.masters.is_none();
    }

    /// Sets moments and step count; `find` gives a checked tensor by name.
    pub(crate) fn load_optimizer_state<'a>(&mut self, device: &D, find: impl Fn(&str) -> &'a HostTensor) {
        for entry in &self.entries {
            let [first, second, steps] = ["first_moment", "second_moment", "steps"]
                .map(|part| find(&format!("{}.{part}", entry.name)));
            device.upload(&entry.reoriented(&first.data, true), &mut self.first, entry.offset);
            device.upload(&entry.reoriented(&second.data, true), &mut self.second, entry.offset);
            self.steps = steps.data[0] as u64;
        }
    }
}
