//! How little each layer turns its input: cosines between inputs and outputs, averaged over the batch.

use irtune_device::{Device, DeviceError, Slot};

use crate::layer::Rows;

/// Measures the passes that are watched; the others cost nothing.
pub(crate) struct Cosines<D: Device> {
    hidden: usize,
    watched: bool,
    running: bool,
    /// The residual stream before the layer that runs, `[rows, hidden]`, and how many values fit.
    input: D::Floats,
    capacity: usize,
    /// Watched passes since the gradients were zero.
    passes: u32,
}

impl<D: Device> Cosines<D> {
    pub(crate) fn new(hidden: usize) -> Self {
        let input = D::Floats::default();
        Self { hidden, watched: false, running: false, input, capacity: 0, passes: 0 }
    }

    pub(crate) fn watch(&mut self, watched: bool) {
        self.watched = watched;
    }

    /// Whether the pass that runs is watched.
    pub(crate) fn running(&self) -> bool {
        self.running
    }

    /// A training pass over so many tokens begins.
    pub(crate) fn begin_pass(&mut self, device: &D, tokens: usize) -> Result<(), DeviceError> {
        self.running = self.watched;
        let needed = tokens * self.hidden;
        if self.running && needed > self.capacity {
            self.input = device.floats(tokens, self.hidden)?;
            self.capacity = needed;
        }
        Ok(())
    }

    pub(crate) fn end_pass(&mut self) {
        self.passes += u32::from(self.running);
        self.running = false;
    }

    /// Forgets the passes; whether there were any.
    pub(crate) fn forget(&mut self) -> bool {
        std::mem::take(&mut self.passes) > 0
    }

    /// From sums over the passes to means, or nothing without any.
    pub(crate) fn to_means(&self, sums: &mut Vec<f64>) {
        if self.passes == 0 {
            sums.clear();
        }
        sums.iter_mut().for_each(|sum| *sum /= f64::from(self.passes));
    }

    /// The input of the first layer: `[tokens, hidden]`.
    pub(crate) fn start(&mut self, device: &D, residual: &D::Floats, tokens: usize) {
        if self.running {
            device.copy(residual, &mut self.input, 0, tokens * self.hidden);
        }
    }

    /// A layer has run: `stream` is its output, `[queries, hidden]`, and the next one's input.
    pub(crate) fn layer(&mut self, device: &D, rows: &Rows<D>, stream: &D::Floats, sum: Slot<D>) {
        if self.running {
            device.add_mean_cosine(&self.input, stream, self.hidden, rows.layout, rows.set, sum);
            device.copy(stream, &mut self.input, 0, rows.queries * self.hidden);
        }
    }
}
