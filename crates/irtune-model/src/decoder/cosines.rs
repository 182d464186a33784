//! How little each layer turns its input: cosines between inputs and outputs, averaged over the batch.

use irtune_device::Device;

use crate::batch::{PackedBatch, geometry::Rows};

/// Measures the passes that are watched; the others cost nothing.
pub(crate) struct Cosines {
    hidden: usize,
    watched: bool,
    running: bool,
    /// Rows of the residual stream before and after the layer that runs.
    input: Vec<f32>,
    output: Vec<f32>,
    /// How many examples each token row is a part of.
    shares: Vec<u32>,
    /// Sums over the examples by position, of input and output.
    sums: Vec<[f64; 2]>,
    /// Sums over the passes, by layer.
    totals: Vec<f64>,
    passes: u32,
}

impl Cosines {
    pub(crate) fn new(hidden: usize, layers: usize) -> Self {
        Self {
            hidden,
            watched: false,
            running: false,
            input: Vec::new(),
            output: Vec::new(),
            shares: Vec::new(),
            sums: Vec::new(),
            totals: vec![0.0; layers],
            passes: 0,
        }
    }

    pub(crate) fn watch(&mut self, watched: bool) {
        self.watched = watched;
    }

    /// Whether the pass that runs is watched.
    pub(crate) fn running(&self) -> bool {
        self.running
    }

    /// A training pass begins.
    pub(crate) fn begin_pass(&mut self) {
        self.running = self.watched;
    }

    pub(crate) fn end_pass(&mut self) {
        self.passes += u32::from(self.running);
        self.running = false;
    }

    pub(crate) fn forget(&mut self) {
        self.totals.fill(0.0);
        self.passes = 0;
    }

    /// Means over the passes, or nothing without any.
    pub(crate) fn means(&self, out: &mut Vec<f64>) {
        out.clear();
        if self.passes > 0 {
            out.extend(self.totals.iter().map(|total| total / f64::from(self.passes)));
        }
    }

    /// The input of the first layer: `[tokens, hidden]`.
    pub(crate) fn start<D: Device>(&mut self, device: &D, residual: &D::Floats, batch: &PackedBatch) {
        if self.running {
            self.input.resize(batch.tokens.len() * self.hidden, 0.0);
            device.download(residual, 0, &mut self.input);
            self.shares.clear();
            self.shares.resize(batch.tokens.len(), 0);
            for run in batch.ends().flat_map(|end| batch.path(end)) {
                self.shares[run.start..][..run.length].iter_mut().for_each(|share| *share += 1);
            }
        }
    }

    /// A layer has run: `stream` is its output, `[queries, hidden]`, and the next one's input.
    pub(crate) fn layer<D: Device>(&mut self, device: &D, layer: usize, rows: &Rows, stream: &D::Floats) {
        if !self.running {
            return;
        }
        self.output.resize(rows.queries * self.hidden, 0.0);
        device.download(stream, 0, &mut self.output);
        self.totals[layer] += self.mean(rows);
        std::mem::swap(&mut self.input, &mut self.output);
    }

    /// Mean over the positions of the cosine between the sums of inputs and outputs there.
    fn mean(&mut self, rows: &Rows) -> f64 {
        let hidden = self.hidden;
        let positions = rows.query_positions.iter().max().map_or(0, |&last| last as usize + 1);
        self.sums.clear();
        self.sums.resize(positions * hidden, [0.0; 2]);
        for (row, &position) in rows.query_positions.iter().enumerate() {
            let source = rows.picked.map_or(row, |picked| picked[row] as usize);
            let share = f64::from(self.shares[source]);
            let input = &self.input[source * hidden..][..hidden];
            let output = &self.output[row * hidden..][..hidden];
            let sums = &mut self.sums[position as usize * hidden..][..hidden];
            for ((sum, &input), &output) in sums.iter_mut().zip(input).zip(output) {
                sum[0] += share * f64::from(input);
                sum[1] += share * f64::from(output);
            }
        }
        let (mut total, mut reached) = (0.0, 0u32);
        for (position, sums) in self.sums.chunks_exact(hidden).enumerate() {
            if rows.query_positions.contains(&(position as u32)) {
                let product = |a: usize, b: usize| sums.iter().map(|sum| sum[a] * sum[b]).sum::<f64>();
                total += product(0, 1) / (product(0, 0) * product(1, 1)).sqrt();
                reached += 1;
            }
        }
        total / f64::from(reached)
    }
}
