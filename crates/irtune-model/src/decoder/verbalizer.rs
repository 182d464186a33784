//! Classification by the base's own language-model head: how likely each label's tokens are after a prompt.
//!
//! A verbalizer says each label in tokens. A prompt is computed once for all labels. Its last row tells the first token
//! of every label; labels of several tokens branch off it, each branch without its last token, after which nothing is
//! asked. Only these rows are multiplied with the vocabulary, a few at a time.
//!
//! # Source
//! Schick & Schütze, "Exploiting Cloze Questions for Few Shot Text Classification", 2021 (verbalizers).

use std::{mem, ops::Range};

use irtune_device::{
    BMatrix, BatchLayout, Device, DeviceError, Epilogue, Output, Pick, PickRows, Segment, Slot, Term,
};

use crate::{base::Base, batch::PackedBatch, error::ModelError, families::Variant};

use super::Decoder;

/// Rows whose logits over the vocabulary are held at once.
const CHUNK: usize = 32;

/// What a log-likelihood belongs to.
struct Ask {
    pick: Pick,
    example: usize,
    label: usize,
}

/// The labels' tokens, and what their likelihoods are computed in.
pub(super) struct Verbalizer<D: Device> {
    /// By label.
    tokens: Vec<Vec<u32>>,
    /// What logits are multiplied by, and then bent to stay below.
    scale: f32,
    cap: Option<f32>,
    /// `[vocabulary, hidden]`
    head: D::Weight,
    vocabulary: usize,
    hidden: usize,
    /// Memory of the last batch with its label tokens.
    batch: PackedBatch,
    /// By row.
    asks: Vec<Ask>,
    /// Rows of the batch that are read.
    rows: usize,
    /// `[chunk]`
    logsumexp: D::Scalars,
    /// `[chunk, hidden]`
    rounded: D::Operands,
    /// `[chunk, vocabulary]`
    logits: D::Floats,
    /// `[chunk, vocabulary]`, empty without training.
    gradient: D::Operands,
    /// Log-likelihoods of all asks, on the device, on the host, and how many fit.
    found: D::Scalars,
    host: Vec<f64>,
    capacity: usize,
    /// Sums over the tokens of each example's labels.
    sums: Vec<f64>,
}

impl<D: Device> Verbalizer<D> {
    pub(super) fn new(
        device: &D,
        base: &Base,
        tokens: Vec<Vec<u32>>,
        labels: usize,
        training: bool,
    ) -> Result<Self, ModelError> {
        let (vocabulary, hidden) = (base.config.vocabulary_size, base.config.hidden_size);
        if tokens.len() != labels {
            return Err(ModelError::Words { given: tokens.len(), labels });
        }
        if let Some(label) = tokens.iter().position(Vec::is_empty) {
            return Err(ModelError::NoWords { label });
        }
        if let Some(&token) = tokens.iter().flatten().find(|&&token| token as usize >= vocabulary) {
            return Err(ModelError::TokenOutOfRange { token, vocabulary_size: vocabulary });
        }
        let head = base.weights.language_head(&base.config)?;
        let Variant { logit_divisor, logit_cap, .. } = base.config.variant;
        Ok(Self {
            tokens,
            scale: 1.0 / logit_divisor,
            cap: logit_cap,
            head: device.weight(base.weights.matrix(&head)?)?,
            vocabulary,
            hidden,
            batch: PackedBatch::default(),
            asks: Vec::new(),
            rows: 0,
            logsumexp: device.scalars(CHUNK)?,
            rounded: device.operands(CHUNK, hidden)?,
            logits: device.floats(CHUNK, vocabulary)?,
            gradient: device.operands(if training { CHUNK } else { 0 }, vocabulary)?,
            found: D::Scalars::default(),
            host: Vec::new(),
            capacity: 0,
            sums: Vec::new(),
        })
    }

    /// The prompts with the words of every label, or only of each example's own.
    fn extend(&mut self, prompts: &PackedBatch, targets: Option<&[u32]>) -> PackedBatch {
        let mut batch = mem::take(&mut self.batch);
        batch.tokens.clone_from(&prompts.tokens);
        batch.segments.clone_from(&prompts.segments);
        batch.order.clone_from(&prompts.order);
        self.asks.clear();
        // Rows are numbered by their segments: one for each prompt's end, then those inside words.
        let mut row = prompts.examples();
        for (end_row, (end, &example)) in prompts.ends().zip(&prompts.order).enumerate() {
            let labels = match targets {
                Some(targets) => targets[example] as usize..targets[example] as usize + 1,
                None => 0..self.tokens.len(),
            };
            for label in labels {
                let (words, asks) = (&self.tokens[label], &mut self.asks);
                let share = 1.0 / words.len() as f64;
                let mut ask = |row: usize, token| {
                    asks.push(Ask { pick: Pick { row: row as u32, token, share }, example, label });
                };
                ask(end_row, words[0]);
                let fed = &words[..words.len() - 1];
                if fed.is_empty() {
                    continue;
                }
                batch.segments[end].shared = true;
                let (context, first_key) = (batch.segments[end].reach(), batch.tokens.len());
                batch.tokens.extend_from_slice(fed);
                batch.segments.push(Segment {
                    first_query: 0,
                    queries: fed.len(),
                    first_key,
                    keys: fed.len(),
                    parent: Some(end),
                    context,
                    shared: false,
                    first_partial: 0,
                });
                for &token in &words[1..] {
                    ask(row, token);
                    row += 1;
                }
            }
        }
        self.asks.sort_unstable_by_key(|ask| (ask.pick.row, ask.label));
        self.rows = row;
        batch.number();
        batch
    }

    /// Writes the picks of the last batch with its words to a layout.
    pub(super) fn fill(&self, layout: &mut BatchLayout) {
        layout.picks.extend(self.asks.iter().map(|ask| ask.pick));
    }

    /// The logits and their logsumexp of `count` rows from `start` on; which picks are theirs.
    fn compute(&mut self, device: &D, pooled: &D::Floats, start: usize, count: usize) -> Range<usize> {
        let Self { head, vocabulary, hidden, logsumexp, rounded, logits, asks, scale, cap, .. } = self;
        device.round(pooled, start * *hidden, count * *hidden, rounded);
        let term = Term::forward(rounded, BMatrix::Frozen(head));
        device.gemm(&[term], Epilogue::scaled(*scale), count, *vocabulary, Output::Store(logits));
        if let Some(cap) = *cap {
            device.cap(logits, count * *vocabulary, cap);
        }
        device.logsumexp(logits, count, *vocabulary, logsumexp);
        let before = |row: usize| asks.partition_point(|ask| (ask.pick.row as usize) < row);
        before(start)..before(start + count)
    }

    /// The first rows of the chunks that so many rows make, and how many each has.
    fn chunks(rows: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..rows).step_by(CHUNK).map(move |start| (start, CHUNK.min(rows - start)))
    }

    /// Log-likelihoods of all labels' words, `[examples, labels]`.
    pub(super) fn log_likelihoods(
        &mut self,
        device: &D,
        layout: &D::Layout,
        pooled: &D::Floats,
        examples: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), DeviceError> {
        if self.asks.len() > self.capacity {
            self.capacity = self.asks.len();
            self.found = device.scalars(self.capacity)?;
        }
        for (first_row, count) in Self::chunks(self.rows) {
            let picks = self.compute(device, pooled, first_row, count);
            let (at, columns, cap) = (picks.start, self.vocabulary, self.cap);
            let picks = PickRows { layout, picks, first_row, columns, cap };
            let out = Slot { scalars: &mut self.found, at };
            device.pick(&self.logits, &self.logsumexp, picks, out);
        }
        self.host.resize(self.asks.len(), 0.0);
        device.read(&self.found, &mut self.host);
        let labels = self.tokens.len();
        self.sums.clear();
        self.sums.resize(examples * labels, 0.0);
        for (ask, value) in self.asks.iter().zip(&self.host) {
            self.sums[ask.example * labels + ask.label] += value;
        }
        out.clear();
        out.extend(self.sums.iter().map(|&sum| sum as f32));
        Ok(())
    }

    /// Adds to a result the sum over the examples of their own words' mean cross-entropy; with a factor, the gradient of
    /// the sum times it for the rows that were read, `[rows, hidden]`, overwritten.
    pub(super) fn losses(
        &mut self,
        device: &D,
        layout: &D::Layout,
        pooled: &D::Floats,
        mut gradient: Option<(f64, &mut D::Floats)>,
        out: Slot<D>,
    ) {
        let Slot { scalars, at } = out;
        if let Some((_, out)) = &mut gradient {
            device.clear(out, 0, self.rows * self.hidden);
        }
        for (first_row, count) in Self::chunks(self.rows) {
            let picks = self.compute(device, pooled, first_row, count);
            let Self { head, vocabulary, hidden, logsumexp, logits, gradient: rounded, scale, cap, .. } =
                self;
            let (columns, cap) = (*vocabulary, *cap);
            let rows = || PickRows { layout, picks: picks.clone(), first_row, columns, cap };
            device.token_loss(logits, logsumexp, rows(), Slot { scalars: &mut *scalars, at });
            let Some((factor, out)) = gradient.as_mut() else { continue };
            // With each example's own words alone, every row is asked for one token.
            device.token_gradient(logits, logsumexp, rows(), *factor);
            device.round(logits, 0, count * columns, rounded);
            let term = Term::backward(&*rounded, BMatrix::Frozen(&*head));
            let out = Output::Add(&mut **out, first_row * *hidden);
            device.gemm(&[term], Epilogue::scaled(*scale), count, *hidden, out);
        }
    }
}

impl<D: Device> Decoder<D> {
    /// With a verbalizer, the prompts followed by label tokens; of each example's own label, if targets are given.
    pub(super) fn with_label_tokens(
        &mut self,
        prompts: &PackedBatch,
        targets: Option<&[u32]>,
    ) -> Option<PackedBatch> {
        self.verbalizer.as_mut().map(|verbalizer| verbalizer.extend(prompts, targets))
    }

    /// Takes back what [`with_label_tokens`](Self::with_label_tokens) gave, to be filled again.
    pub(super) fn keep_label_tokens(&mut self, batch: Option<PackedBatch>) {
        if let (Some(verbalizer), Some(batch)) = (&mut self.verbalizer, batch) {
            verbalizer.batch = batch;
        }
    }
}
