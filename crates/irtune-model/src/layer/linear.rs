//! A projection: its frozen matrix or the trained copy of it, its bias, and the adapter beside it.

use arrayvec::ArrayVec;
use irtune_device::{BMatrix, Device, DeviceError, Epilogue, Output, RowSet, Term, mix_key};

use super::{Mode, Pass};
use crate::{
    adapters::{
        AdapterConfig,
        site::{AdapterScratch, Call, Dropout, Flow, SavedAdapter, Site, SiteGradients},
    },
    base::{Base, config::ModelConfig},
    error::ModelError,
    families::{Family, Kind, Projection},
    host_tensor::HostTensor,
    parameters::{entries::Entry, group::Group, masters},
};

/// A projection of a layer.
pub(crate) struct Linear<D: Device> {
    layer: usize,
    projection: Projection,
    inputs: usize,
    outputs: usize,
    weight: D::Weight,
    bias: Option<D::Floats>,
    /// Where the trained copies are among the entries of the layer's group, when its own weights train.
    weight_entry: usize,
    bias_entry: Option<usize>,
    adapter: Option<Site<D>>,
    /// The matrix and what its adapter adds as one, in inference.
    prepacked: Option<D::Prepacked>,
}

/// What a projection's forward leaves for its backward.
pub(crate) struct LinearSaved<D: Device> {
    adapter: Option<SavedAdapter<D>>,
}

/// An input, `[rows, inputs]`, and which rows of the batch they are.
pub(crate) struct LinearInput<'a, D: Device> {
    pub(crate) values: &'a D::Operands,
    pub(crate) rows: RowSet,
}

/// Working memory of a projection's backward.
pub(crate) struct LinearScratch<'a, D: Device> {
    pub(crate) adapters: &'a mut AdapterScratch<D>,
    /// What the projection leaves for its input's gradient.
    pub(crate) gradients: &'a mut SiteGradients<D>,
}

impl<D: Device> LinearSaved<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        adapter: Option<&AdapterConfig>,
        projection: Projection,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let adapter = adapter.filter(|adapter| adapter.target_modules().contains(&projection));
        let adapter = adapter.map(|adapter| {
            SavedAdapter::new(device, adapter.widths(config, projection), tokens, adapter.dropout())
        });
        Ok(Self { adapter: adapter.transpose()? })
    }
}

impl<D: Device> Linear<D> {
    /// A projection with its adapter, which is taken out of the layer's.
    ///
    /// # Errors
    /// When the base lacks a tensor.
    pub(crate) fn new(
        device: &D,
        base: &Base,
        layer: usize,
        projection: Projection,
        adapters: &mut Vec<(Projection, Site<D>)>,
    ) -> Result<Self, ModelError> {
        let (config, family) = (&base.config, base.config.family);
        let (outputs, inputs) = config.projection_shape(projection);
        let weight = device.weight(base.weights.matrix(&family.weight_name(layer, projection))?)?;
        let entry = |kind| masters::entry_of(config, layer, projection.into(), kind);
        let bias = match config.layer(layer).has_bias(projection) {
            false => None,
            true => {
                let values = base.weights.vector(&family.layer_name(layer, projection, Kind::Bias))?;
                Some(device.filled(&values)?)
            }
        };
        let place = adapters.iter().position(|(target, _)| *target == projection);
        Ok(Self {
            layer,
            projection,
            inputs,
            outputs,
            weight,
            bias,
            weight_entry: entry(Kind::Weight).expect("every layer has all projections"),
            bias_entry: entry(Kind::Bias),
            adapter: place.map(|place| adapters.swap_remove(place).1),
            prepacked: None,
        })
    }

    /// Finds anew what the adapter knows of parameters that changed.
    pub(crate) fn refresh(&mut self, device: &D, group: &Group<D>, scratch: &mut AdapterScratch<D>) {
        if let Some(site) = &mut self.adapter {
            site.refresh(device, &self.weight, group, scratch);
        }
    }

    /// Prepacks the matrix with what its adapter adds, where that is one matrix.
    pub(crate) fn prepack(&mut self, device: &D, group: Option<&Group<D>>) {
        let low_rank = match (self.adapter(group, Mode::NoGrad), group) {
            (Some(site), Some(group)) => site.low_rank(group).map(Some),
            _ => Some(None),
        };
        self.prepacked = low_rank.and_then(|low_rank| device.prepack(&self.weight, low_rank));
    }

    /// Forgets what was prepacked.
    pub(crate) fn unpack(&mut self) {
        self.prepacked = None;
    }

    /// Turns parameters among these that a folder has in another form into that.
    pub(crate) fn export(&self, device: &D, family: &Family, parameters: &mut [HostTensor]) {
        if let Some(site) = &self.adapter {
            site.export(device, family, self.layer, self.projection, parameters);
        }
    }

    /// Copies matrix and bias to their places among the layer's master copies.
    pub(crate) fn copy_weights(&self, device: &D, entries: &[Entry], values: &mut D::Floats) {
        device.decode(&self.weight, values, entries[self.weight_entry].offset);
        if let (Some(bias), Some(entry)) = (&self.bias, self.bias_entry) {
            device.copy(bias, values, entries[entry].offset, self.outputs);
        }
    }

    /// The matrix: its master copy if it ever trained, else the file's.
    fn matrix<'a>(&'a self, group: Option<&'a Group<D>>) -> BMatrix<'a, D> {
        let master = group.and_then(|group| group.master(self.weight_entry));
        master.map_or(BMatrix::Frozen(&self.weight), BMatrix::Master)
    }

    /// What the outputs have added, likewise.
    fn bias<'a>(&'a self, group: Option<&'a Group<D>>) -> Option<(&'a D::Floats, usize)> {
        let master = group.zip(self.bias_entry).and_then(|(group, entry)| group.master_vector(entry));
        master.or(self.bias.as_ref().map(|bias| (bias, 0)))
    }

    /// The adapter if it computes anything: as the identity it adds nothing, and nothing to the input gradient.
    fn adapter(&self, group: Option<&Group<D>>, mode: Mode) -> Option<&Site<D>> {
        let group = group?;
        if group.is_identity && mode != Mode::Training { None } else { self.adapter.as_ref() }
    }

    fn call<'a>(&'a self, pass: &Pass<'a, D>, rows: RowSet) -> Call<'a, D> {
        let dropout = pass.dropout.map(|Dropout { key, probability }| {
            let key = mix_key(&[key, self.layer as u64, self.projection as u64]);
            Dropout { key, probability }
        });
        Call {
            device: pass.device,
            weight: &self.weight,
            bias: self.bias.as_ref().map(|bias| (bias, 0)),
            rows: pass.rows.count(rows),
            set: rows,
            layout: pass.rows.layout,
            dropout,
            factor: pass.factor,
            training: pass.mode == Mode::Training,
        }
    }

    /// `out = input · Wᵀ + bias`, with its adapter: `[rows, outputs]`.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        input: LinearInput<D>,
        saved: &mut LinearSaved<D>,
        scratch: &mut AdapterScratch<D>,
        out: Output<D>,
    ) {
        let LinearInput { values, rows } = input;
        let prepacked = self.prepacked.as_ref().filter(|_| pass.factor == 1.0);
        let matrix = match prepacked {
            Some(prepacked) => BMatrix::Prepacked(&self.weight, prepacked),
            None => {
                let site = self.adapter(group, pass.mode);
                if let (Some(site), Some(group), Some(saved)) = (site, group, saved.adapter.as_mut()) {
                    let call = self.call(pass, rows);
                    return site.forward(&call, group, values, saved, scratch, out);
                }
                self.matrix(group)
            }
        };
        let epilogue = Epilogue { scale: 1.0, bias: self.bias(group) };
        pass.device.gemm(
            &[Term::forward(values, matrix)],
            epilogue,
            pass.rows.count(rows),
            self.outputs,
            out,
        );
    }

    /// Adds the gradients of the adapter or of the weights, given that of the output; leaves in the scratch what the
    /// input's needs.
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        group: Option<&mut Group<D>>,
        flow: Flow<D>,
        rows: RowSet,
        saved: &LinearSaved<D>,
        scratch: LinearScratch<D>,
    ) {
        let LinearScratch { adapters, gradients } = scratch;
        let Some(group) = group else { return };
        if group.are_masters() {
            if pass.mode == Mode::Training {
                let rows = pass.rows.count(rows);
                self.weight_backward(pass.device, group, flow, rows, &mut adapters.transposed);
            }
            return;
        }
        if let (Some(site), Some(saved)) = (self.adapter(Some(group), pass.mode), &saved.adapter) {
            let call = self.call(pass, rows);
            site.backward(&call, group, flow, saved, adapters, gradients);
        }
    }

    /// Adds the gradients of matrix and bias: `output gradientᵀ · input`, and the output gradient's column sums.
    fn weight_backward(
        &self,
        device: &D,
        group: &mut Group<D>,
        Flow { input, out_gradient }: Flow<D>,
        rows: usize,
        transposed: &mut D::Operands,
    ) {
        let offset = group.master_gradient(self.weight_entry).1;
        let output = (out_gradient, self.outputs);
        group.add_outer(device, offset, rows, output, (input, self.inputs), transposed);
        if let Some(entry) = self.bias_entry {
            let (gradient, offset) = group.master_gradient(entry);
            device.add_column_sums(out_gradient, rows, self.outputs, gradient, offset);
        }
    }

    /// Adds the summands of the input's gradient: the matrix's, and its adapter's.
    pub(crate) fn input_gradient<'a, const N: usize>(
        &'a self,
        pass: &Pass<'a, D>,
        group: Option<&'a Group<D>>,
        out_gradient: &'a D::Operands,
        saved: &'a LinearSaved<D>,
        gradients: &'a SiteGradients<D>,
        terms: &mut ArrayVec<Term<'a, D>, N>,
    ) {
        let site = self.adapter(group, pass.mode);
        if let (Some(site), Some(group), Some(saved)) = (site, group, &saved.adapter) {
            let call = self.call(pass, pass.rows.set);
            site.input_gradient(&call, group, out_gradient, saved, gradients, terms);
        } else {
            terms.push(Term::backward(out_gradient, self.matrix(group)));
        }
    }

    /// What is left to do once the summands are added up, of an adapter that scales its projection's input.
    ///
    /// # Shapes
    /// `input`, `gradient`: `[rows, inputs]`.
    pub(crate) fn finish_input_gradient(
        &self,
        pass: &Pass<D>,
        group: Option<&mut Group<D>>,
        input: LinearInput<D>,
        scratch: &mut AdapterScratch<D>,
        gradient: &mut D::Operands,
    ) {
        let LinearInput { values, rows } = input;
        if let (Some(site), Some(group)) = (self.adapter(group.as_deref(), pass.mode), group) {
            let call = self.call(pass, rows);
            site.finish_input_gradient(&call, group, values, scratch, gradient);
        }
    }
}
