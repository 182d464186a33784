//! A projection's adapter inside a layer: the three things a layer's forward and backward ask of it, whatever its kind.

use arrayvec::ArrayVec;
use irtune_device::{
    BMatrix, Device, DeviceError, DoraScratch, Epilogue, LowRank, MaskRef, Output, RowSet, Term,
};
use rayon::prelude::*;

use super::{
    bottleneck::BottleneckSite,
    config::{AdapterConfig, Widths},
    dora::DoraSite,
    ia3::Ia3Site,
    lora::LoraSite,
    trained::Trained,
};
use crate::{
    base::{Base, config::ModelConfig, weights::WeightError},
    families::{Family, Projection},
    host_tensor::HostTensor,
    parameters::{
        entries::{Entries, Entry},
        group::Group,
        masters,
    },
};

/// Most summands that a projection's input gradient has: the frozen matrix's once or (DoRA under dropout) twice, and its
/// adapter's, with PiSSA's start once more.
pub(crate) const INPUT_TERMS: usize = 3;

/// One projection's adapter: where its parameters are in its layer's group, and what is known beside them.
pub(crate) enum Site<D: Device> {
    Lora(LoraSite<D>),
    Dora(DoraSite<D>),
    Bottleneck(BottleneckSite),
    Ia3(Ia3Site),
}

/// Why a layer's adapters can't be made.
#[derive(Debug)]
pub(crate) enum SiteError {
    /// The base lacks a matrix.
    Weight(WeightError),
    /// The device has no room for what an adapter knows.
    Device(DeviceError),
}

impl From<WeightError> for SiteError {
    fn from(error: WeightError) -> Self {
        Self::Weight(error)
    }
}

impl From<DeviceError> for SiteError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

/// The adapters of one layer.
pub(crate) type Sites<D> = Vec<(Projection, Site<D>)>;

/// The entries of a layer's group, and its adapters.
pub(crate) type LayerSites<D> = (Vec<Entry>, Sites<D>);

/// The sites of every layer with the entries of its group, made on all threads: what adapters have to know of the frozen
/// matrices takes a while.
///
/// # Errors
/// As [`layer_sites`].
pub(crate) fn every_layers_sites<D: Device>(
    device: &D,
    base: &Base,
    adapter: &AdapterConfig,
) -> Result<Vec<LayerSites<D>>, SiteError> {
    let layers = (0..base.config.layers).into_par_iter();
    let made: Vec<_> = layers.map(|layer| layer_sites(device, base, adapter, layer)).collect();
    // One after the other, so that the first error is always the same.
    made.into_iter().collect()
}

/// The sites of one layer, and the entries of its group.
///
/// # Errors
/// When the base lacks a matrix, or the device has no room.
pub(crate) fn layer_sites<D: Device>(
    device: &D,
    base: &Base,
    adapter: &AdapterConfig,
    layer: usize,
) -> Result<LayerSites<D>, SiteError> {
    let (mut entries, mut sites) = (Entries::default(), Sites::new());
    let family = base.config.family;
    for &projection in adapter.target_modules() {
        let weight = base.weights.get(&family.weight_name(layer, projection))?;
        let adapter = &*adapter.of_module(&base.config, layer, projection);
        let names: Vec<String> = adapter
            .tensors(&base.config, layer, projection)
            .iter()
            .map(|(part, _)| family.adapter_name(layer, projection, part))
            .collect();
        let shape = (weight.rows, weight.columns);
        let site = match adapter {
            AdapterConfig::Lora(lora) => Site::Lora(lora.site(device, &mut entries, &names, &weight)?),
            AdapterConfig::Dora(dora) => Site::Dora(dora.site(device, &mut entries, &names, &weight)?),
            AdapterConfig::Bottleneck(bottleneck) => {
                Site::Bottleneck(bottleneck.site(&mut entries, &names, shape))
            }
            AdapterConfig::Ia3(_) => Site::Ia3(Ia3Site::new(&mut entries, &names, projection, shape)),
        };
        sites.push((projection, site));
    }
    Ok((entries.list, sites))
}

/// Key and probability of a pass's dropout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropout {
    pub(crate) key: u64,
    pub(crate) probability: f32,
}

/// A projection in a pass, as its adapter sees it.
pub(crate) struct Call<'a, D: Device> {
    pub(crate) device: &'a D,
    /// The frozen matrix.
    pub(crate) weight: &'a D::Weight,
    /// What is added to the projection's output, with or without an adapter.
    pub(crate) bias: Option<(&'a D::Floats, usize)>,
    pub(crate) rows: usize,
    /// Which rows of the batch they are.
    pub(crate) set: RowSet,
    pub(crate) layout: &'a D::Layout,
    /// In training, when something is dropped; its key is the projection's.
    pub(crate) dropout: Option<Dropout>,
    /// What the adapter adds is multiplied by this; other than 1 in evaluation only.
    pub(crate) factor: f32,
    /// Whether the adapter's gradients are wanted.
    pub(crate) training: bool,
}

/// A projection's input with the gradient of its output, `[rows, inputs]` and `[rows, outputs]`.
pub(crate) struct Flow<'a, D: Device> {
    pub(crate) input: &'a D::Operands,
    pub(crate) out_gradient: &'a D::Operands,
}

/// A part of an output, scaled column by column: `factors ∘ part`, with factors of 1 where there are none.
pub(crate) struct ScaledPart<'a, D: Device> {
    pub(crate) factors: Option<(&'a D::Floats, usize)>,
    pub(crate) part: &'a D::Operands,
    pub(crate) columns: usize,
    /// Added to every row as it is.
    pub(crate) bias: Option<(&'a D::Floats, usize)>,
}

impl<'a, D: Device> Call<'a, D> {
    /// The summand of the frozen matrix in a forward.
    pub(crate) fn frozen<'b>(&self, input: &'b D::Operands) -> Term<'b, D>
    where
        'a: 'b,
    {
        Term::forward(input, BMatrix::Frozen(self.weight))
    }

    /// That of the input gradient.
    pub(crate) fn frozen_backward<'b>(&self, out_gradient: &'b D::Operands) -> Term<'b, D>
    where
        'a: 'b,
    {
        Term::backward(out_gradient, BMatrix::Frozen(self.weight))
    }

    /// The mask, when something is dropped.
    pub(crate) fn mask<'b>(&self, saved: &'b SavedAdapter<D>) -> Option<MaskRef<'b, D>> {
        let kept = |dropout: Dropout| 1.0 / (1.0 - dropout.probability);
        self.dropout.map(|dropout| MaskRef { words: &saved.mask, scale: kept(dropout) })
    }

    /// The term through the dropout that the input went through.
    pub(crate) fn masked<'b>(&self, term: Term<'b, D>, saved: &'b SavedAdapter<D>) -> Term<'b, D> {
        Term { mask: self.mask(saved), ..term }
    }

    /// `input` after dropout, in `dropped` if anything is dropped.
    pub(crate) fn dropped<'b>(
        &self,
        input: &'b D::Operands,
        columns: usize,
        saved: &SavedAdapter<D>,
        dropped: &'b mut D::Operands,
    ) -> &'b D::Operands {
        let Some(mask) = self.mask(saved) else { return input };
        self.device.apply_mask(input, self.rows, columns, mask, dropped);
        dropped
    }

    /// The sums with the projection's bias.
    pub(crate) fn biased(&self) -> Epilogue<'a, D> {
        Epilogue { scale: 1.0, bias: self.bias }
    }

    /// `out = scale · (Σ terms + its bias) + factors ∘ part + bias`; without terms only the part and its bias.
    pub(crate) fn combine(
        &self,
        terms: &[Term<D>],
        epilogue: Epilogue<D>,
        ScaledPart { factors, part, columns, bias }: ScaledPart<D>,
        wide: &mut D::Floats,
        out: Output<D>,
    ) {
        let (device, rows) = (self.device, self.rows);
        let alone = Epilogue { scale: 1.0, bias };
        match out {
            Output::Add(values, offset) => {
                if !terms.is_empty() {
                    device.gemm(terms, epilogue, rows, columns, Output::Add(&mut *values, offset));
                }
                if bias.is_some() {
                    device.gemm(&[], alone, rows, columns, Output::Add(&mut *values, offset));
                }
                device.scale_columns(part, factors, None, rows, columns, Output::Add(values, offset));
            }
            Output::Store(values) => {
                device.clear(values, 0, rows * columns);
                let part = ScaledPart { factors, part, columns, bias };
                self.combine(terms, epilogue, part, wide, Output::Add(values, 0));
            }
            Output::Operands(out) => {
                if !terms.is_empty() {
                    device.gemm(terms, epilogue, rows, columns, Output::Store(&mut *wide));
                }
                match (bias, terms) {
                    (None, _) => {}
                    (Some(_), []) => device.gemm(&[], alone, rows, columns, Output::Store(&mut *wide)),
                    (Some(_), _) => device.gemm(&[], alone, rows, columns, Output::Add(&mut *wide, 0)),
                }
                let addend = (!terms.is_empty() || bias.is_some()).then_some(&*wide);
                device.scale_columns(part, factors, addend, rows, columns, Output::Operands(out));
            }
        }
    }
}

/// What an adapter's forward leaves for its backward; empty what its kind has no use for.
pub(crate) struct SavedAdapter<D: Device> {
    /// `[tokens, inner]`
    pub(crate) inner: D::Operands,
    /// `[tokens, inner]`: of PiSSA's start.
    pub(crate) fixed_inner: D::Operands,
    /// `[tokens, outputs]`
    pub(crate) output: D::Operands,
    /// Bits of `[tokens, masked]`.
    pub(crate) mask: D::Words,
}

impl<D: Device> SavedAdapter<D> {
    /// For so many tokens.
    pub(crate) fn new(device: &D, widths: Widths, tokens: usize, dropout: f32) -> Result<Self, DeviceError> {
        let words = if dropout > 0.0 { widths.masked.div_ceil(32) } else { 0 };
        Ok(Self {
            inner: device.operands(tokens, widths.inner)?,
            fixed_inner: device.operands(tokens, widths.fixed_inner)?,
            output: device.operands(tokens, widths.output)?,
            mask: device.words(tokens, words)?,
        })
    }
}

/// What a projection's backward leaves for the input's gradient; empty what the adapter's kind has no use for.
pub(crate) struct SiteGradients<D: Device> {
    /// `[tokens, inner]`
    pub(crate) inner: D::Operands,
    /// `[tokens, inner]`: of PiSSA's start.
    pub(crate) fixed_inner: D::Operands,
    /// `[tokens, outputs]`
    pub(crate) out: D::Operands,
}

impl<D: Device> SiteGradients<D> {
    /// For so many tokens.
    pub(crate) fn new(device: &D, widths: Widths, tokens: usize) -> Result<Self, DeviceError> {
        Ok(Self {
            inner: device.operands(tokens, widths.inner)?,
            fixed_inner: device.operands(tokens, widths.fixed_inner)?,
            out: device.operands(tokens, widths.output)?,
        })
    }
}

/// Memory that all adapters use in turn; pages that a kind has no use for are never touched.
pub(crate) struct AdapterScratch<D: Device> {
    /// `[tokens, widest]`: an adapter's input after dropout, or scaled.
    pub(crate) dropped: D::Operands,
    /// `[tokens, widest]`: what dropout took away.
    pub(crate) difference: D::Operands,
    /// `[tokens, widest output]`: in place of the saved one in a layer that doesn't train.
    pub(crate) output: D::Operands,
    /// `[tokens, widest output]`
    pub(crate) wide: D::Floats,
    /// `[tokens, inner]`: after a bottleneck's activation.
    pub(crate) activated: D::Operands,
    /// `[inner, tokens]`, or `[widest output, tokens]` where the layers' own weights train.
    pub(crate) transposed: D::Operands,
    /// `[widest output]`: sums down the columns.
    pub(crate) sums: D::Floats,
    pub(crate) dora: DoraScratch<D>,
}

impl<D: Device> AdapterScratch<D> {
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let adapter = trained.adapter();
        let widths = |projection: Projection| {
            adapter
                .filter(|adapter| adapter.target_modules().contains(&projection))
                .map_or_else(Widths::default, |adapter| adapter.widths(config, projection))
        };
        let widest = |width: fn(Widths) -> usize| {
            config.projections().map(|projection| width(widths(projection))).max().unwrap_or(0)
        };
        let inner = widest(|widths| widths.inner);
        let output = match adapter {
            // Weakened vectors over an input need it too.
            Some(AdapterConfig::Ia3(ia3)) => {
                let outputs = ia3.target_modules.iter().map(|&target| config.projection_shape(target).0);
                outputs.max().unwrap_or(0)
            }
            _ => widest(|widths| widths.output),
        };
        let transposed = if trained.is_weights() { masters::widest_output(config) } else { inner };
        let dora = matches!(adapter, Some(AdapterConfig::Dora(_)));
        let inputs = adapter.map_or(0, |adapter| match adapter {
            AdapterConfig::Ia3(ia3) => {
                let scaled =
                    ia3.target_modules.iter().filter(|&&target| super::Ia3Config::scales_input(target));
                scaled.map(|&target| config.projection_shape(target).1).max().unwrap_or(0)
            }
            _ if adapter.dropout() > 0.0 => widest(|widths| widths.masked),
            _ => 0,
        });
        let difference =
            if dora && adapter.is_some_and(|adapter| adapter.dropout() > 0.0) { inputs } else { 0 };
        Ok(Self {
            dropped: device.operands(tokens, inputs)?,
            difference: device.operands(tokens, difference)?,
            output: device.operands(tokens, output)?,
            wide: device.floats(tokens, output)?,
            activated: device.operands(tokens, inner)?,
            transposed: device.operands(tokens, transposed)?,
            sums: device.floats(output, 1)?,
            dora: if dora {
                DoraScratch::new(device, inner, output)?
            } else {
                DoraScratch::new(device, 0, 0)?
            },
        })
    }
}

impl<D: Device> Site<D> {
    /// The projection with its adapter: `[rows, outputs]` to `out`.
    ///
    /// # Shapes
    /// `input`: `[rows, inputs]`.
    pub(crate) fn forward(
        &self,
        call: &Call<D>,
        group: &Group<D>,
        input: &D::Operands,
        saved: &mut SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        out: Output<D>,
    ) {
        if let Some(Dropout { key, probability }) = call.dropout {
            let columns = match self {
                Site::Lora(lora) => lora.inputs,
                Site::Dora(dora) => dora.lora.inputs,
                Site::Bottleneck(bottleneck) => bottleneck.width,
                Site::Ia3(_) => 0,
            };
            if columns > 0 {
                let (layout, rows) = (call.layout, call.set);
                call.device.draw_mask(key, layout, rows, columns, probability, &mut saved.mask);
            }
        }
        match self {
            Site::Lora(lora) => lora.forward(call, group, input, saved, scratch, out),
            Site::Dora(dora) => dora.forward(call, group, input, saved, scratch, out),
            Site::Bottleneck(bottleneck) => bottleneck.forward(call, group, input, saved, scratch, out),
            Site::Ia3(ia3) => ia3.forward(call, group, input, saved, scratch, out),
        }
    }

    /// Adds the adapter's gradients if they are wanted, given that of the projection's output; leaves what the input's
    /// needs in `gradients`.
    pub(crate) fn backward(
        &self,
        call: &Call<D>,
        group: &mut Group<D>,
        flow: Flow<D>,
        saved: &SavedAdapter<D>,
        scratch: &mut AdapterScratch<D>,
        gradients: &mut SiteGradients<D>,
    ) {
        group.dirty |= call.training;
        match self {
            Site::Lora(lora) => lora.backward(call, group, flow, saved, scratch, gradients),
            Site::Dora(dora) => dora.backward(call, group, flow, saved, scratch, gradients),
            Site::Bottleneck(bottleneck) => bottleneck.backward(call, group, flow, saved, scratch, gradients),
            Site::Ia3(ia3) => ia3.backward(call, group, flow, saved, gradients),
        }
    }

    /// Adds the summands of the projection's input gradient.
    pub(crate) fn input_gradient<'a, const N: usize>(
        &'a self,
        call: &Call<'a, D>,
        group: &'a Group<D>,
        out_gradient: &'a D::Operands,
        saved: &'a SavedAdapter<D>,
        gradients: &'a SiteGradients<D>,
        terms: &mut ArrayVec<Term<'a, D>, N>,
    ) {
        let own = match self {
            Site::Lora(lora) => lora.input_gradient(call, group, out_gradient, saved, gradients),
            Site::Dora(dora) => dora.input_gradient(call, group, out_gradient, saved, gradients),
            Site::Bottleneck(bottleneck) => {
                bottleneck.input_gradient(call, group, out_gradient, saved, gradients)
            }
            Site::Ia3(ia3) => ia3.input_gradient(call, out_gradient, gradients),
        };
        terms.extend(own);
    }

    /// What is left to do once the summands are added up, of an adapter that scales its projection's input.
    ///
    /// # Shapes
    /// `input`, `gradient`: `[rows, inputs]`.
    pub(crate) fn finish_input_gradient(
        &self,
        call: &Call<D>,
        group: &mut Group<D>,
        input: &D::Operands,
        scratch: &mut AdapterScratch<D>,
        gradient: &mut D::Operands,
    ) {
        if let Site::Ia3(ia3) = self {
            ia3.finish_input_gradient(call, group, input, scratch, gradient);
        }
    }

    /// Turns parameters among these that a folder has in another form into that.
    pub(crate) fn export(
        &self,
        device: &D,
        family: &Family,
        layer: usize,
        projection: Projection,
        parameters: &mut [HostTensor],
    ) {
        if let Site::Lora(lora) = self {
            lora.export(device, family, layer, projection, parameters);
        }
    }

    /// What it adds to its matrix, if that is a matrix of low rank.
    pub(crate) fn low_rank<'a>(&self, group: &'a Group<D>) -> Option<LowRank<'a, D>> {
        if let Site::Lora(lora) = self { lora.low_rank(group) } else { None }
    }

    /// Finds anew what is known of parameters that changed.
    pub(crate) fn refresh(
        &mut self,
        device: &D,
        weight: &D::Weight,
        group: &Group<D>,
        scratch: &mut AdapterScratch<D>,
    ) {
        if let Site::Dora(dora) = self {
            dora.refresh(device, weight, group, scratch);
        }
    }
}
