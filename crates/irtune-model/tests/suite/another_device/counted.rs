//! A device around another one: it hands everything on, and counts what crosses the seam.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use irtune_device::{
    Activation, AdamW, AdapterOps, Attention, AttentionGradients, AttentionInputs, AttentionOutputs, BMatrix,
    BatchLayout, CrossEntropy, DecoderOps, Device, DeviceError, DoraMatrix, DoraNorms, DoraScratch, Epilogue,
    FloatMatrix, FrozenMatrix, Gate, Gemm, HeadShape, Losses, LowRank, MaskRef, Memory, Norm, NormInput,
    Optimizer, OptimizerState, Output, PickRows, RotaryTable, RowSet, Side, Slot, Term,
};

/// How often each kind of thing was asked for.
#[derive(Debug, Default)]
pub struct Counts {
    /// Operations on buffers.
    pub operations: AtomicUsize,
    /// Layouts that were uploaded.
    pub layouts: AtomicUsize,
    /// Values that were uploaded beside layouts.
    pub uploads: AtomicUsize,
    /// Reads of results.
    pub reads: AtomicUsize,
    /// Downloads of values.
    pub downloads: AtomicUsize,
}

impl Counts {
    /// Layouts, uploads, reads and downloads.
    pub fn crossings(&self) -> [usize; 4] {
        [&self.layouts, &self.uploads, &self.reads, &self.downloads].map(|count| count.load(Relaxed))
    }
}

/// A device around `inner`.
pub struct Counted<D> {
    pub inner: D,
    pub counts: Arc<Counts>,
}

impl<D: Device> Counted<D> {
    fn operation(&self) -> &D {
        self.counts.operations.fetch_add(1, Relaxed);
        &self.inner
    }
}

fn slot<'a, D: Device>(slot: Slot<'a, Counted<D>>) -> Slot<'a, D> {
    Slot { scalars: slot.scalars, at: slot.at }
}

fn mask<'a, D: Device>(mask: &MaskRef<'a, Counted<D>>) -> MaskRef<'a, D> {
    MaskRef { words: mask.words, scale: mask.scale }
}

fn floats<'a, D: Device>(matrix: &FloatMatrix<'a, Counted<D>>) -> FloatMatrix<'a, D> {
    let &FloatMatrix { values, offset, rows, columns } = matrix;
    FloatMatrix { values, offset, rows, columns }
}

fn term<'a, D: Device>(term: &Term<'a, Counted<D>>) -> Term<'a, D> {
    let b = match &term.b {
        BMatrix::Frozen(weight) => BMatrix::Frozen(*weight),
        BMatrix::Trained(matrix) => BMatrix::Trained(floats(matrix)),
        BMatrix::Master(matrix) => BMatrix::Master(floats(matrix)),
        BMatrix::Operands(values, rows, columns) => BMatrix::Operands(*values, *rows, *columns),
        BMatrix::Prepacked(weight, prepacked) => BMatrix::Prepacked(*weight, *prepacked),
    };
    Term { a: term.a, b, side: term.side, mask: term.mask.as_ref().map(mask) }
}

fn output<'a, D: Device>(out: Output<'a, Counted<D>>) -> Output<'a, D> {
    match out {
        Output::Operands(values) => Output::Operands(values),
        Output::Store(values) => Output::Store(values),
        Output::Add(values, offset) => Output::Add(values, offset),
    }
}

fn norm<'a, D: Device>(norm: Norm<'a, Counted<D>>) -> Norm<'a, D> {
    let Norm { gain, offset, width, epsilon, plus } = norm;
    Norm { gain, offset, width, epsilon, plus }
}

fn norm_input<'a, D: Device, I>(input: NormInput<'a, Counted<D>, I>) -> NormInput<'a, D, I> {
    NormInput { values: input.values, rstd: input.rstd, rows: input.rows }
}

fn attention<'a, D: Device>(attention: Attention<'a, Counted<D>>) -> Attention<'a, D> {
    let Attention { heads, key_value_heads, head_size, scores, layout, queries } = attention;
    Attention { heads, key_value_heads, head_size, scores, layout, queries }
}

fn inputs<'a, D: Device>(inputs: &AttentionInputs<'a, Counted<D>>) -> AttentionInputs<'a, D> {
    AttentionInputs { queries: inputs.queries, keys: inputs.keys, values: inputs.values }
}

fn dora<'a, D: Device>(matrix: DoraMatrix<'a, Counted<D>>) -> DoraMatrix<'a, D> {
    DoraMatrix { frozen: matrix.frozen, values: matrix.values, place: matrix.place }
}

/// Lends what DoRA keeps to the inner device.
fn with_norms<D: Device>(norms: &mut DoraNorms<Counted<D>>, work: impl FnOnce(&mut DoraNorms<D>)) {
    let DoraNorms { squares, norms, factors, excess } = norms;
    let mut lent = DoraNorms {
        squares: std::mem::take(squares),
        norms: std::mem::take(norms),
        factors: std::mem::take(factors),
        excess: std::mem::take(excess),
    };
    work(&mut lent);
    (*squares, *norms, *factors, *excess) = (lent.squares, lent.norms, lent.factors, lent.excess);
}

/// Lends DoRA's working memory to the inner device.
fn with_scratch<D: Device>(scratch: &mut DoraScratch<Counted<D>>, work: impl FnOnce(&mut DoraScratch<D>)) {
    let DoraScratch { cross, own, scaled, square, quotients } = scratch;
    let mut lent = DoraScratch {
        cross: std::mem::take(cross),
        own: std::mem::take(own),
        scaled: std::mem::take(scaled),
        square: std::mem::take(square),
        quotients: std::mem::take(quotients),
    };
    work(&mut lent);
    (*cross, *own, *scaled, *square, *quotients) =
        (lent.cross, lent.own, lent.scaled, lent.square, lent.quotients);
}

fn picks<'a, D: Device>(picks: PickRows<'a, Counted<D>>) -> PickRows<'a, D> {
    let PickRows { layout, picks, first_row, columns, cap } = picks;
    PickRows { layout, picks, first_row, columns, cap }
}

impl<D: Device> Memory for Counted<D> {
    type Operands = D::Operands;
    type Floats = D::Floats;
    type Words = D::Words;
    type Weight = D::Weight;
    type Scalars = D::Scalars;
    type Layout = D::Layout;
    type Rotary = D::Rotary;
    type Prepacked = D::Prepacked;

    fn precision(&self) -> &'static str {
        self.inner.precision()
    }

    fn operand_bytes(&self) -> usize {
        self.inner.operand_bytes()
    }

    fn threads(&self) -> usize {
        self.inner.threads()
    }

    fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.inner.run(work)
    }

    fn end_pass(&self) {
        self.inner.end_pass();
    }

    fn weight(&self, matrix: FrozenMatrix) -> Result<D::Weight, DeviceError> {
        self.inner.weight(matrix)
    }

    fn operands(&self, rows: usize, columns: usize) -> Result<D::Operands, DeviceError> {
        self.inner.operands(rows, columns)
    }

    fn floats(&self, rows: usize, columns: usize) -> Result<D::Floats, DeviceError> {
        self.inner.floats(rows, columns)
    }

    fn words(&self, rows: usize, columns: usize) -> Result<D::Words, DeviceError> {
        self.inner.words(rows, columns)
    }

    fn scalars(&self, length: usize) -> Result<D::Scalars, DeviceError> {
        self.inner.scalars(length)
    }

    fn zero(&self, to: Slot<Self>) {
        self.operation().zero(slot(to));
    }

    fn read(&self, from: &D::Scalars, to: &mut [f64]) {
        self.counts.reads.fetch_add(1, Relaxed);
        self.inner.read(from, to);
    }

    fn layout(&self) -> D::Layout {
        self.inner.layout()
    }

    fn upload_layout(&self, from: &BatchLayout, to: &mut D::Layout) {
        self.counts.layouts.fetch_add(1, Relaxed);
        self.inner.upload_layout(from, to);
    }

    fn rotary_table(&self, table: RotaryTable) -> D::Rotary {
        self.inner.rotary_table(table)
    }

    fn upload(&self, from: &[f32], to: &mut D::Floats, offset: usize) {
        self.counts.uploads.fetch_add(1, Relaxed);
        self.inner.upload(from, to, offset);
    }

    fn download(&self, from: &D::Floats, offset: usize, to: &mut [f32]) {
        self.counts.downloads.fetch_add(1, Relaxed);
        self.inner.download(from, offset, to);
    }

    fn copy(&self, from: &D::Floats, to: &mut D::Floats, offset: usize, length: usize) {
        self.operation().copy(from, to, offset, length);
    }

    fn decode(&self, weight: &D::Weight, to: &mut D::Floats, offset: usize) {
        self.operation().decode(weight, to, offset);
    }

    fn clear(&self, values: &mut D::Floats, offset: usize, length: usize) {
        self.operation().clear(values, offset, length);
    }
}

impl<D: Device> Gemm for Counted<D> {
    fn gemm(
        &self,
        terms: &[Term<Self>],
        epilogue: Epilogue<Self>,
        rows: usize,
        columns: usize,
        out: Output<Self>,
    ) {
        let terms: Vec<Term<D>> = terms.iter().map(term).collect();
        let epilogue = Epilogue { scale: epilogue.scale, bias: epilogue.bias };
        self.operation().gemm(&terms, epilogue, rows, columns, output(out));
    }

    fn prepacked_bytes(&self, outputs: usize, inputs: usize) -> Option<usize> {
        self.inner.prepacked_bytes(outputs, inputs)
    }

    fn prepack(&self, weight: &D::Weight, low_rank: Option<LowRank<Self>>) -> Option<D::Prepacked> {
        let low_rank =
            low_rank.map(|LowRank { values, a, b, rank, scaling }| LowRank { values, a, b, rank, scaling });
        self.operation().prepack(weight, low_rank)
    }

    fn transpose(&self, input: &D::Operands, rows: usize, columns: usize, out: &mut D::Operands) {
        self.operation().transpose(input, rows, columns, out);
    }

    fn add_column_sums(
        &self,
        input: &D::Operands,
        rows: usize,
        columns: usize,
        out: &mut D::Floats,
        offset: usize,
    ) {
        self.operation().add_column_sums(input, rows, columns, out, offset);
    }

    fn round(&self, input: &D::Floats, offset: usize, length: usize, out: &mut D::Operands) {
        self.operation().round(input, offset, length, out);
    }
}

impl<D: Device> DecoderOps for Counted<D> {
    fn embed(&self, table: &D::Weight, layout: &D::Layout, factor: f32, out: &mut D::Floats) {
        self.operation().embed(table, layout, factor, out);
    }

    fn gather(&self, input: &D::Operands, width: usize, layout: &D::Layout, out: &mut D::Operands) {
        self.operation().gather(input, width, layout, out);
    }

    fn gather_floats(&self, input: &D::Floats, width: usize, layout: &D::Layout, out: &mut D::Floats) {
        self.operation().gather_floats(input, width, layout, out);
    }

    fn scatter_floats(&self, input: &D::Floats, width: usize, layout: &D::Layout, out: &mut D::Floats) {
        self.operation().scatter_floats(input, width, layout, out);
    }

    fn add_rows(&self, input: &D::Floats, width: usize, layout: &D::Layout, out: &mut D::Floats) {
        self.operation().add_rows(input, width, layout, out);
    }

    fn add_mean_cosine(
        &self,
        input: &D::Floats,
        output: &D::Floats,
        width: usize,
        layout: &D::Layout,
        rows: RowSet,
        out: Slot<Self>,
    ) {
        self.operation().add_mean_cosine(input, output, width, layout, rows, slot(out));
    }

    fn rms_norm(
        &self,
        of: Norm<Self>,
        input: &D::Floats,
        rows: usize,
        out: &mut D::Operands,
        rstd: &mut D::Floats,
    ) {
        self.operation().rms_norm(norm(of), input, rows, out, rstd);
    }

    fn rms_norm_floats(
        &self,
        of: Norm<Self>,
        input: &D::Floats,
        rows: usize,
        out: &mut D::Floats,
        rstd: &mut D::Floats,
    ) {
        self.operation().rms_norm_floats(norm(of), input, rows, out, rstd);
    }

    fn rms_norm_add(
        &self,
        of: Norm<Self>,
        input: &D::Floats,
        rows: usize,
        out: &mut D::Floats,
        rstd: &mut D::Floats,
    ) {
        self.operation().rms_norm_add(norm(of), input, rows, out, rstd);
    }

    fn add_scaled(&self, input: &D::Floats, factor: f32, length: usize, out: &mut D::Floats) {
        self.operation().add_scaled(input, factor, length, out);
    }

    fn copy_operands(&self, input: &D::Operands, length: usize, out: &mut D::Operands) {
        self.operation().copy_operands(input, length, out);
    }

    fn rms_norm_recompute(&self, of: Norm<Self>, input: NormInput<Self, D::Operands>, out: &mut D::Operands) {
        self.operation().rms_norm_recompute(norm(of), norm_input(input), out);
    }

    fn rms_norm_backward(
        &self,
        of: Norm<Self>,
        input: NormInput<Self, D::Operands>,
        out_gradient: &D::Floats,
        gradient: &mut D::Floats,
    ) {
        self.operation().rms_norm_backward(norm(of), norm_input(input), out_gradient, gradient);
    }

    fn rms_norm_floats_backward(
        &self,
        of: Norm<Self>,
        input: NormInput<Self, D::Floats>,
        out_gradient: &D::Floats,
        gradient: &mut D::Floats,
    ) {
        self.operation().rms_norm_floats_backward(norm(of), norm_input(input), out_gradient, gradient);
    }

    fn rms_norm_gain_backward(
        &self,
        of: Norm<Self>,
        input: NormInput<Self, D::Operands>,
        out_gradient: &D::Floats,
        gradient: &mut D::Floats,
        offset: usize,
    ) {
        let inner = self.operation();
        inner.rms_norm_gain_backward(norm(of), norm_input(input), out_gradient, gradient, offset);
    }

    fn rms_norm_operands(
        &self,
        of: Norm<Self>,
        input: &D::Operands,
        rows: usize,
        out: &mut D::Operands,
        rstd: &mut D::Floats,
    ) {
        self.operation().rms_norm_operands(norm(of), input, rows, out, rstd);
    }

    fn rms_norm_operands_backward(
        &self,
        of: Norm<Self>,
        input: NormInput<Self, D::Operands>,
        gradient: &mut D::Operands,
    ) {
        self.operation().rms_norm_operands_backward(norm(of), norm_input(input), gradient);
    }

    fn rms_norm_operands_gain_backward(
        &self,
        of: Norm<Self>,
        input: NormInput<Self, D::Operands>,
        out_gradient: &D::Operands,
        gradient: &mut D::Floats,
        offset: usize,
    ) {
        let inner = self.operation();
        inner.rms_norm_operands_gain_backward(norm(of), norm_input(input), out_gradient, gradient, offset);
    }

    fn rotary(
        &self,
        values: &mut D::Operands,
        columns: usize,
        table: &D::Rotary,
        layout: &D::Layout,
        rows: RowSet,
        side: Side,
    ) {
        self.operation().rotary(values, columns, table, layout, rows, side);
    }

    fn attention(
        &self,
        of: Attention<Self>,
        from: &AttentionInputs<Self>,
        out: &mut D::Operands,
        logsumexp: &mut D::Floats,
    ) {
        self.operation().attention(attention(of), &inputs(from), out, logsumexp);
    }

    fn attention_backward(
        &self,
        of: Attention<Self>,
        from: &AttentionInputs<Self>,
        outputs: AttentionOutputs<Self>,
        out_gradient: &D::Operands,
        gradients: AttentionGradients<Self>,
    ) {
        let outputs = AttentionOutputs { out: outputs.out, logsumexp: outputs.logsumexp };
        let AttentionGradients { queries, keys, values, partial } = gradients;
        let gradients = AttentionGradients { queries, keys, values, partial };
        let inner = self.operation();
        inner.attention_backward(attention(of), &inputs(from), outputs, out_gradient, gradients);
    }

    fn gated(&self, kind: Gate, gate: &D::Operands, up: &D::Operands, length: usize, out: &mut D::Operands) {
        self.operation().gated(kind, gate, up, length, out);
    }

    fn gated_backward(
        &self,
        kind: Gate,
        out_gradient: &D::Operands,
        length: usize,
        gate: &mut D::Operands,
        up: &mut D::Operands,
    ) {
        self.operation().gated_backward(kind, out_gradient, length, gate, up);
    }
}

impl<D: Device> AdapterOps for Counted<D> {
    fn draw_mask(
        &self,
        site: u64,
        layout: &D::Layout,
        rows: RowSet,
        columns: usize,
        dropout: f32,
        out: &mut D::Words,
    ) {
        self.operation().draw_mask(site, layout, rows, columns, dropout, out);
    }

    fn apply_mask(
        &self,
        input: &D::Operands,
        rows: usize,
        columns: usize,
        of: MaskRef<Self>,
        out: &mut D::Operands,
    ) {
        self.operation().apply_mask(input, rows, columns, mask(&of), out);
    }

    fn subtract(&self, left: &D::Operands, right: &D::Operands, length: usize, out: &mut D::Operands) {
        self.operation().subtract(left, right, length, out);
    }

    fn scale_columns(
        &self,
        input: &D::Operands,
        factors: Option<(&D::Floats, usize)>,
        addend: Option<&D::Floats>,
        rows: usize,
        columns: usize,
        out: Output<Self>,
    ) {
        self.operation().scale_columns(input, factors, addend, rows, columns, output(out));
    }

    fn add_column_products(
        &self,
        left: &D::Operands,
        right: &D::Operands,
        rows: usize,
        columns: usize,
        out: &mut D::Floats,
        offset: usize,
    ) {
        self.operation().add_column_products(left, right, rows, columns, out, offset);
    }

    fn activate(
        &self,
        activation: Activation,
        input: &D::Operands,
        factor: f32,
        length: usize,
        out: &mut D::Operands,
    ) {
        self.operation().activate(activation, input, factor, length, out);
    }

    fn activate_backward(
        &self,
        activation: Activation,
        input: &D::Operands,
        factor: f32,
        length: usize,
        gradient: &mut D::Operands,
    ) {
        self.operation().activate_backward(activation, input, factor, length, gradient);
    }

    fn dora_norms(
        &self,
        matrix: DoraMatrix<Self>,
        norms: &mut DoraNorms<Self>,
        scratch: &mut DoraScratch<Self>,
    ) {
        let inner = self.operation();
        with_norms(norms, |norms| {
            with_scratch(scratch, |scratch| inner.dora_norms(dora(matrix), norms, scratch));
        });
    }

    fn dora_norms_backward(
        &self,
        matrix: DoraMatrix<Self>,
        norms: &DoraNorms<Self>,
        factor_gradient: &D::Floats,
        detached: bool,
        scratch: &mut DoraScratch<Self>,
        gradient: &mut D::Floats,
    ) {
        // What is only read is copied: nothing can be lent from behind a shared reference.
        let copy = |values: &D::Floats| {
            let length = matrix.place.outputs;
            let mut copied = self.inner.floats(length, 1).expect("room");
            self.inner.copy(values, &mut copied, 0, length);
            copied
        };
        let norms = DoraNorms {
            squares: copy(&norms.squares),
            norms: copy(&norms.norms),
            factors: copy(&norms.factors),
            excess: copy(&norms.excess),
        };
        let inner = self.operation();
        with_scratch(scratch, |scratch| {
            inner.dora_norms_backward(dora(matrix), &norms, factor_gradient, detached, scratch, gradient);
        });
    }
}

impl<D: Device> Losses for Counted<D> {
    fn pool(&self, rows: &D::Floats, width: usize, layout: &D::Layout, out: &mut D::Floats) {
        self.operation().pool(rows, width, layout, out);
    }

    fn pool_backward(
        &self,
        out_gradient: &D::Floats,
        width: usize,
        layout: &D::Layout,
        rows_gradient: &mut D::Floats,
    ) {
        self.operation().pool_backward(out_gradient, width, layout, rows_gradient);
    }

    fn head(&self, pooled: &D::Floats, head: &D::Floats, shape: HeadShape, logits: &mut D::Floats) {
        self.operation().head(pooled, head, shape, logits);
    }

    fn head_backward(
        &self,
        pooled: &D::Floats,
        head: &D::Floats,
        shape: HeadShape,
        logits_gradient: &D::Floats,
        pooled_gradient: &mut D::Floats,
        head_gradient: Option<&mut D::Floats>,
    ) {
        let inner = self.operation();
        inner.head_backward(pooled, head, shape, logits_gradient, pooled_gradient, head_gradient);
    }

    fn cross_entropy(
        &self,
        logits: &D::Floats,
        loss: CrossEntropy<Self>,
        gradient: &mut D::Floats,
        out: Slot<Self>,
    ) {
        let CrossEntropy { layout, labels, options, factor } = loss;
        let loss = CrossEntropy { layout, labels, options, factor };
        self.operation().cross_entropy(logits, loss, gradient, slot(out));
    }

    fn cap(&self, logits: &mut D::Floats, length: usize, cap: f32) {
        self.operation().cap(logits, length, cap);
    }

    fn logsumexp(&self, logits: &D::Floats, rows: usize, columns: usize, out: &mut D::Scalars) {
        self.operation().logsumexp(logits, rows, columns, out);
    }

    fn pick(&self, logits: &D::Floats, logsumexp: &D::Scalars, of: PickRows<Self>, out: Slot<Self>) {
        self.operation().pick(logits, logsumexp, picks(of), slot(out));
    }

    fn token_loss(&self, logits: &D::Floats, logsumexp: &D::Scalars, of: PickRows<Self>, out: Slot<Self>) {
        self.operation().token_loss(logits, logsumexp, picks(of), slot(out));
    }

    fn token_gradient(
        &self,
        logits: &mut D::Floats,
        logsumexp: &D::Scalars,
        of: PickRows<Self>,
        factor: f64,
    ) {
        self.operation().token_gradient(logits, logsumexp, picks(of), factor);
    }
}

impl<D: Device> Optimizer for Counted<D> {
    fn adamw(&self, settings: &AdamW, count: u64, state: OptimizerState<Self>) {
        let OptimizerState { values, gradient, first, second, stretches } = state;
        let state = OptimizerState { values, gradient, first, second, stretches };
        self.operation().adamw(settings, count, state);
    }

    fn sums_of_squares(&self, values: &D::Floats, ranges: &[Range<usize>], out: Slot<Self>) {
        self.operation().sums_of_squares(values, ranges, slot(out));
    }

    fn scale(&self, values: &mut D::Floats, factor: f32) {
        self.operation().scale(values, factor);
    }
}
