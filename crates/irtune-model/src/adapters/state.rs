//! Trained parameters with their gradients and moments: one group a layer, and one for the head.

use crate::{
    adapters::{lora::LoraConfig, masters::Masters},
    config::ModelConfig,
    device::{AdamW, Device, OptimizerSlices},
    host_tensor::HostTensor,
};

/// A matrix inside a group.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Outside, the matrix is the transposed one. LoRA's B is held transposed: its gradient and both of its products
    /// then read and write rows as they lie.
    pub(crate) transposed: bool,
    /// Outside, it is a vector of `columns` values.
    pub(crate) vector: bool,
}

impl Entry {
    pub(super) fn length(&self) -> usize {
        self.rows * self.columns
    }

    fn outer_shape(&self) -> Vec<usize> {
        if self.vector {
            vec![self.columns]
        } else if self.transposed {
            vec![self.columns, self.rows]
        } else {
            vec![self.rows, self.columns]
        }
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
    /// Whether the layer is what the base says: every transposed entry (LoRA's B) is zero, so that adapters compute
    /// nothing, or its own weights never trained.
    pub(crate) silent: bool,
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
        self.silent = false;
        let state = OptimizerSlices {
            values: &mut self.values,
            gradient: &self.gradient,
            first: &mut self.first,
            second: &mut self.second,
        };
        device.adamw(settings, self.steps, state);
        self.refresh_gains(device);
    }

    /// Clears moments and step count.
    pub(crate) fn reset_optimizer(&mut self, device: &D) {
        device.clear(&mut self.first, 0, self.length);
        device.clear(&mut self.second, 0, self.length);
        self.steps = 0;
    }

    /// Scales what the adapters add, by scaling every transposed entry (LoRA's B); the values as they were.
    pub(crate) fn weaken(&mut self, device: &D, factor: f32) -> Vec<f32> {
        let mut before = vec![0.0; self.length];
        device.download(&self.values, 0, &mut before);
        for entry in self.entries.iter().filter(|entry| entry.transposed) {
            let scaled: Vec<f32> =
                before[entry.offset..][..entry.length()].iter().map(|value| factor * value).collect();
            device.upload(&scaled, &mut self.values, entry.offset);
        }
        before
    }

    /// Undoes [`Group::weaken`].
    pub(crate) fn strengthen(&mut self, device: &D, before: &[f32]) {
        device.upload(before, &mut self.values, 0);
    }

    fn read(&self, device: &D, entry: &Entry, from: &D::Floats, name: String) -> HostTensor {
        let mut data = vec![0.0; entry.length()];
        device.download(from, entry.offset, &mut data);
        HostTensor::new(name, entry.outer_shape(), entry.turned(&data, false))
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
        self.entries.iter().map(|entry| (entry.name.as_str(), entry.outer_shape()))
    }

    /// Sets the parameters; `find` gives a checked tensor by name.
    pub(crate) fn load_parameters<'a>(&mut self, device: &D, find: impl Fn(&str) -> &'a HostTensor) {
        self.silent = true;
        for entry in &self.entries {
            let data = &find(&entry.name).data;
            self.silent &= !entry.transposed || data.iter().all(|&value| value == 0.0);
            device.upload(&entry.turned(data, true), &mut self.values, entry.offset);
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

/// Where one projection's adapter is in its layer's group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoraPlace {
    /// Offset of A, `[rank, inputs]`.
    pub(crate) a: usize,
    /// Offset of B transposed, `[rank, outputs]`.
    pub(crate) b: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// The entries of one layer's adapters, and where each projection's are.
pub(crate) fn layer_entries(
    config: &ModelConfig,
    lora: &LoraConfig,
    layer: usize,
) -> (Vec<Entry>, [Option<LoraPlace>; 7]) {
    let (mut entries, mut places, mut offset) = (Vec::new(), [None; 7], 0);
    for &projection in &lora.target_modules {
        let (outputs, inputs) = config.projection_shape(projection);
        let mut push = |name: String, columns: usize, transposed: bool| {
            let entry = Entry { name, offset, rows: lora.rank, columns, transposed, vector: false };
            offset += entry.length();
            entries.push(entry);
            offset - lora.rank * columns
        };
        let a = push(projection.lora_a_name(layer), inputs, false);
        let b = push(projection.lora_b_name(layer), outputs, true);
        places[projection as usize] = Some(LoraPlace { a, b, inputs, outputs });
    }
    (entries, places)
}
