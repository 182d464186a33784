//! The projections of queries, keys and values: three matrices, or one whose outputs lie side by side.
//!
//! A fused matrix is one module to adapters, as it is to PEFT: one `A` reads the input, and the rows of `B` are those of
//! queries, keys and values. Its output is split by copying, some 2 bytes a value beside the 2 · hidden operations that
//! made it. In the last layer it makes the queries of all rows, of which those that are read go on.
//!
//! # Source
//! `Phi3Attention` and `GPT2Attention` of transformers.

use arrayvec::ArrayVec;
use irtune_device::{Columns, Device, DeviceError, Epilogue, Output, RowSet, Term};

use super::{
    Pass,
    linear::{Linear, LinearInput, LinearSaved, LinearScratch},
    scratch::{StreamScratch, site_gradients},
};
use crate::{
    adapters::{
        Trained,
        site::{AdapterScratch, Flow, INPUT_TERMS, Site, SiteGradients},
    },
    base::{Base, config::ModelConfig},
    error::ModelError,
    families::Projection,
    parameters::group::Group,
};

/// The projections of a layer's queries, keys and values.
pub(crate) enum QueryKeyValue<D: Device> {
    Separate(Box<[Linear<D>; 3]>),
    Fused(Linear<D>),
}

/// What their forward leaves for their backward.
pub(crate) enum QueryKeyValueSaved<D: Device> {
    Separate([LinearSaved<D>; 3]),
    Fused(LinearSaved<D>),
}

/// Memory that every layer's projections use in turn.
pub(crate) struct QueryKeyValueScratch<D: Device> {
    gradients: Vec<SiteGradients<D>>,
    /// `[tokens, queries + keys + values]` of a fused projection: its output, later its gradient.
    wide: D::Operands,
    /// `[tokens, queries]`: the queries of all rows.
    all_queries: D::Operands,
}

/// The input of the projections: all rows, and those of the queries.
pub(crate) struct ProjectionInput<'a, D: Device> {
    pub(crate) all: &'a D::Operands,
    pub(crate) query: &'a D::Operands,
}

const SEPARATE: [Projection; 3] = [Projection::QProj, Projection::KProj, Projection::VProj];

/// Where queries, keys and values lie in a fused output.
fn columns(config: &ModelConfig) -> [Columns; 3] {
    let (query, key) = (config.query_size(), config.key_value_size());
    let part = |first, count| Columns { of: query + 2 * key, first, count };
    [part(0, query), part(query, key), part(query + key, key)]
}

impl<D: Device> QueryKeyValueSaved<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let linear = |projection| LinearSaved::new(device, config, trained.adapter(), projection, tokens);
        if config.layer(0).fused_attention {
            return Ok(Self::Fused(linear(Projection::QkvProj)?));
        }
        let [query, key, value] = SEPARATE.map(linear);
        Ok(Self::Separate([query?, key?, value?]))
    }
}

impl<D: Device> QueryKeyValueScratch<D> {
    /// For so many tokens.
    pub(crate) fn new(
        device: &D,
        config: &ModelConfig,
        trained: &Trained,
        tokens: usize,
    ) -> Result<Self, DeviceError> {
        let fused = config.layer(0).fused_attention;
        let projections = if fused { &[Projection::QkvProj][..] } else { &SEPARATE };
        let gradients = projections.iter();
        let gradients = gradients.map(|&one| site_gradients(device, config, trained, one, tokens));
        let [query, ..] = columns(config);
        let (wide, queries) = if fused { (query.of, query.count) } else { (0, 0) };
        Ok(Self {
            gradients: gradients.collect::<Result<_, _>>()?,
            wide: device.operands(tokens, wide)?,
            all_queries: device.operands(tokens, queries)?,
        })
    }
}

impl<D: Device> QueryKeyValue<D> {
    /// Those of a layer, with their adapters.
    ///
    /// # Errors
    /// When the base lacks a tensor.
    pub(crate) fn new(
        device: &D,
        base: &Base,
        layer: usize,
        adapters: &mut Vec<(Projection, Site<D>)>,
    ) -> Result<Self, ModelError> {
        let mut linear = |projection| Linear::new(device, base, layer, projection, adapters);
        if base.config.layer(layer).fused_attention {
            return Ok(Self::Fused(linear(Projection::QkvProj)?));
        }
        let [query, key, value] = SEPARATE.map(linear);
        Ok(Self::Separate(Box::new([query?, key?, value?])))
    }

    /// The projections themselves.
    pub(crate) fn linears(&self) -> &[Linear<D>] {
        match self {
            Self::Separate(linears) => &linears[..],
            Self::Fused(linear) => std::slice::from_ref(linear),
        }
    }

    /// The projections themselves, to be changed.
    pub(crate) fn linears_mut(&mut self) -> &mut [Linear<D>] {
        match self {
            Self::Separate(linears) => &mut linears[..],
            Self::Fused(linear) => std::slice::from_mut(linear),
        }
    }

    /// From the norm's output to queries, keys and values.
    pub(crate) fn forward(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        input: ProjectionInput<D>,
        saved: &mut QueryKeyValueSaved<D>,
        (scratch, adapters): (&mut QueryKeyValueScratch<D>, &mut AdapterScratch<D>),
        [query, key, value]: [&mut D::Operands; 3],
    ) {
        let ProjectionInput { all, query: query_input } = input;
        let Pass { device, config, rows, .. } = pass;
        match (self, saved) {
            (Self::Separate(linears), QueryKeyValueSaved::Separate(saved)) => {
                let inputs = [(query_input, rows.set), (all, RowSet::All), (all, RowSet::All)];
                let outs = [query, key, value];
                for (((linear, saved), (values, rows)), out) in
                    linears.iter().zip(saved).zip(inputs).zip(outs)
                {
                    let input = LinearInput { values, rows };
                    linear.forward(pass, group, input, saved, adapters, Output::Operands(out));
                }
            }
            (Self::Fused(linear), QueryKeyValueSaved::Fused(saved)) => {
                let QueryKeyValueScratch { wide, all_queries, .. } = scratch;
                let input = LinearInput { values: all, rows: RowSet::All };
                linear.forward(pass, group, input, saved, adapters, Output::Operands(&mut *wide));
                let [of_query, of_key, of_value] = columns(config);
                if rows.are_picked() {
                    device.split_columns(wide, rows.tokens, of_query, all_queries);
                    device.gather(all_queries, of_query.count, rows.layout, query);
                } else {
                    device.split_columns(wide, rows.tokens, of_query, query);
                }
                device.split_columns(wide, rows.tokens, of_key, key);
                device.split_columns(wide, rows.tokens, of_value, value);
            }
            _ => unreachable!("what is kept is of the same kind"),
        }
    }

    /// Gradients of the parameters, given those of queries, keys and values.
    pub(crate) fn backward(
        &self,
        pass: &Pass<D>,
        mut group: Option<&mut Group<D>>,
        input: ProjectionInput<D>,
        saved: &QueryKeyValueSaved<D>,
        (scratch, adapters): (&mut QueryKeyValueScratch<D>, &mut AdapterScratch<D>),
        [query, key, value]: [&D::Operands; 3],
    ) {
        let ProjectionInput { all, query: query_input } = input;
        let Pass { device, config, rows, .. } = pass;
        match (self, saved) {
            (Self::Separate(linears), QueryKeyValueSaved::Separate(saved)) => {
                let inputs = [(query_input, rows.set), (all, RowSet::All), (all, RowSet::All)];
                let gradients = [query, key, value].into_iter().zip(&mut scratch.gradients);
                for (((linear, saved), (input, rows)), (out_gradient, gradients)) in
                    linears.iter().zip(saved).zip(inputs).zip(gradients)
                {
                    let flow = Flow { input, out_gradient };
                    let work = LinearScratch { adapters: &mut *adapters, gradients };
                    linear.backward(pass, group.as_deref_mut(), flow, rows, saved, work);
                }
            }
            (Self::Fused(linear), QueryKeyValueSaved::Fused(saved)) => {
                let QueryKeyValueScratch { gradients, wide, all_queries } = scratch;
                let [of_query, of_key, of_value] = columns(config);
                if rows.are_picked() {
                    device.scatter(query, of_query.count, rows.layout, all_queries);
                    device.join_columns(all_queries, rows.tokens, of_query, wide);
                } else {
                    device.join_columns(query, rows.tokens, of_query, wide);
                }
                device.join_columns(key, rows.tokens, of_key, wide);
                device.join_columns(value, rows.tokens, of_value, wide);
                let flow = Flow { input: all, out_gradient: &*wide };
                let work = LinearScratch { adapters, gradients: &mut gradients[0] };
                linear.backward(pass, group, flow, RowSet::All, saved, work);
            }
            _ => unreachable!("what is kept is of the same kind"),
        }
    }

    /// The gradient of the norm's output, after [`QueryKeyValue::backward`] with the same gradients.
    pub(crate) fn input_gradient(
        &self,
        pass: &Pass<D>,
        group: Option<&Group<D>>,
        saved: &QueryKeyValueSaved<D>,
        scratch: &QueryKeyValueScratch<D>,
        [query_gradient, key_gradient, value_gradient]: [&D::Operands; 3],
        stream: &mut StreamScratch<D>,
    ) {
        let Pass { device, config, rows, .. } = pass;
        let StreamScratch { normed_gradient, picked_gradient, .. } = stream;
        let hidden = config.hidden_size;
        let mut terms = ArrayVec::<Term<D>, { 3 * INPUT_TERMS }>::new();
        match (self, saved) {
            (Self::Separate(linears), QueryKeyValueSaved::Separate(kept)) => {
                let [query, key, value] = &**linears;
                let [of_query, of_key, of_value] = &scratch.gradients[..] else {
                    unreachable!("three projections")
                };
                if !rows.are_picked() {
                    query.input_gradient(pass, group, query_gradient, &kept[0], of_query, &mut terms);
                }
                key.input_gradient(pass, group, key_gradient, &kept[1], of_key, &mut terms);
                value.input_gradient(pass, group, value_gradient, &kept[2], of_value, &mut terms);
                let out = Output::Store(&mut *normed_gradient);
                device.gemm(&terms, Epilogue::PLAIN, rows.tokens, hidden, out);
                if rows.are_picked() {
                    terms.clear();
                    query.input_gradient(pass, group, query_gradient, &kept[0], of_query, &mut terms);
                    let out = Output::Store(&mut *picked_gradient);
                    device.gemm(&terms, Epilogue::PLAIN, rows.queries, hidden, out);
                    device.add_rows(picked_gradient, hidden, rows.layout, normed_gradient);
                }
            }
            (Self::Fused(linear), QueryKeyValueSaved::Fused(kept)) => {
                let gradients = &scratch.gradients[0];
                linear.input_gradient(pass, group, &scratch.wide, kept, gradients, &mut terms);
                device.gemm(&terms, Epilogue::PLAIN, rows.tokens, hidden, Output::Store(normed_gradient));
            }
            _ => unreachable!("what is kept is of the same kind"),
        }
    }
}
