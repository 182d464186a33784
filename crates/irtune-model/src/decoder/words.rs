//! Classification by the base's own language-model head: how likely each label's words are after a prompt.
//!
//! A prompt is computed once for all labels: its last row says the first token of every label's words, and words of
//! several tokens branch off it, each branch without its last token, after which nothing is asked. Only these rows are
//! multiplied with the vocabulary, a few at a time.

use std::mem;

use irtune_device::{BMatrix, Device, Epilogue, Output, Term};

use crate::{
    base::Base,
    batch::{PackedBatch, Run, geometry::Geometry},
    error::ModelError,
};

use super::Decoder;

/// Rows whose logits over the vocabulary are held at once.
const CHUNK: usize = 32;

/// A row that is asked how likely a token is.
struct Ask {
    /// Among the rows that are read after the last layer.
    row: usize,
    token: u32,
    example: usize,
    label: usize,
    /// Of the token in its words' mean.
    share: f64,
}

/// The labels' words, and what their likelihoods are computed in.
pub(super) struct Words<D: Device> {
    /// By label.
    tokens: Vec<Vec<u32>>,
    /// `[vocabulary, hidden]`
    head: D::Weight,
    vocabulary: usize,
    hidden: usize,
    /// Memory of the last batch with its words.
    batch: PackedBatch,
    /// By row.
    asks: Vec<Ask>,
    /// 0, 1, 2 …: the rows of a chunk are a stretch of it.
    numbers: Vec<u32>,
    /// `[chunk]`
    targets: Vec<u32>,
    factors: Vec<f64>,
    log_sums: Vec<f64>,
    /// `[chunk, hidden]`
    rows: D::Floats,
    rounded: D::Operands,
    /// `[chunk, vocabulary]`
    logits: D::Floats,
    /// `[chunk, vocabulary]`, empty without training.
    gradient: D::Operands,
    /// Sums over the tokens of each example's labels.
    sums: Vec<f64>,
}

impl<D: Device> Words<D> {
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
        Ok(Self {
            tokens,
            head: device.weight(base.weights.matrix(&head)?)?,
            vocabulary,
            hidden,
            batch: PackedBatch::default(),
            asks: Vec::new(),
            numbers: Vec::new(),
            targets: Vec::with_capacity(CHUNK),
            factors: Vec::with_capacity(CHUNK),
            log_sums: vec![0.0; CHUNK],
            rows: device.floats(CHUNK * hidden),
            rounded: device.operands(CHUNK * hidden),
            logits: device.floats(CHUNK * vocabulary),
            gradient: device.operands(if training { CHUNK * vocabulary } else { 0 }),
            sums: Vec::new(),
        })
    }

    /// The prompts with the words of every label, or only of each example's own.
    fn extend(&mut self, prompts: &PackedBatch, targets: Option<&[u32]>) -> PackedBatch {
        let mut batch = mem::take(&mut self.batch);
        batch.tokens.clone_from(&prompts.tokens);
        batch.runs.clone_from(&prompts.runs);
        batch.order.clone_from(&prompts.order);
        self.asks.clear();
        // Rows are numbered by their runs: one for each prompt's end, then those inside words.
        let mut row = prompts.examples();
        for (end_row, (end, &example)) in prompts.ends().zip(&prompts.order).enumerate() {
            let labels = match targets {
                Some(targets) => targets[example] as usize..targets[example] as usize + 1,
                None => 0..self.tokens.len(),
            };
            for label in labels {
                let (words, asks) = (&self.tokens[label], &mut self.asks);
                let share = 1.0 / words.len() as f64;
                let mut ask = |row, token| asks.push(Ask { row, token, example, label, share });
                ask(end_row, words[0]);
                let fed = &words[..words.len() - 1];
                if fed.is_empty() {
                    continue;
                }
                batch.runs[end].shared = true;
                let context = batch.runs[end].context + batch.runs[end].length;
                let (start, length) = (batch.tokens.len(), fed.len());
                batch.tokens.extend_from_slice(fed);
                batch.runs.push(Run {
                    parent: Some(end),
                    start,
                    length,
                    context,
                    shared: false,
                    asked: length,
                });
                for &token in &words[1..] {
                    ask(row, token);
                    row += 1;
                }
            }
        }
        self.asks.sort_unstable_by_key(|ask| (ask.row, ask.label));
        let known = self.numbers.len() as u32;
        self.numbers.extend(known..(row as u32).max(known));
        batch
    }

    /// The logits and their log-sums of `count` rows from `start` on.
    fn compute(&mut self, device: &D, pooled: &D::Floats, start: usize, count: usize) {
        let Self { head, vocabulary, hidden, numbers, log_sums, rows, rounded, logits, .. } = self;
        device.gather_floats(pooled, *hidden, &numbers[start..start + count], rows);
        device.round(rows, count * *hidden, rounded);
        let term = Term::forward(rounded, BMatrix::Frozen(head));
        device.gemm(&[term], Epilogue::PLAIN, count, *vocabulary, Output::Store(logits));
        device.logsumexp(logits, *vocabulary, &mut log_sums[..count]);
    }

    /// Runs `each` on every ask of a chunk with its token's log-likelihood.
    fn answer(&self, device: &D, start: usize, count: usize, mut each: impl FnMut(&Ask, f64)) {
        let first = self.asks.partition_point(|ask| ask.row < start);
        for ask in self.asks[first..].iter().take_while(|ask| ask.row < start + count) {
            let (row, mut logit) = (ask.row - start, [0.0]);
            device.download(&self.logits, row * self.vocabulary + ask.token as usize, &mut logit);
            each(ask, f64::from(logit[0]) - self.log_sums[row]);
        }
    }

    /// The first rows of the chunks that so many rows make, and how many each has.
    fn chunks(rows: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..rows).step_by(CHUNK).map(move |start| (start, CHUNK.min(rows - start)))
    }

    /// Log-likelihoods of all labels' words, `[examples, labels]`.
    fn log_likelihoods(&mut self, device: &D, pooled: &D::Floats, geometry: &Geometry, out: &mut Vec<f32>) {
        let labels = self.tokens.len();
        let mut sums = mem::take(&mut self.sums);
        sums.clear();
        sums.resize(geometry.order.len() * labels, 0.0);
        for (start, count) in Self::chunks(geometry.pooled_rows()) {
            self.compute(device, pooled, start, count);
            self.answer(device, start, count, |ask, value| sums[ask.example * labels + ask.label] += value);
        }
        out.clear();
        out.extend(sums.iter().map(|&sum| sum as f32));
        self.sums = sums;
    }

    /// Sum over the examples of their own words' mean cross-entropy; with a factor, the gradient of the sum times it for
    /// the rows that were read, `[rows, hidden]`, overwritten.
    fn losses(
        &mut self,
        device: &D,
        pooled: &D::Floats,
        rows: usize,
        mut gradient: Option<(f64, &mut D::Floats)>,
    ) -> f64 {
        let mut loss = 0.0;
        if let Some((_, out)) = &mut gradient {
            device.clear(out, 0, rows * self.hidden);
        }
        for (start, count) in Self::chunks(rows) {
            self.compute(device, pooled, start, count);
            self.answer(device, start, count, |ask, value| loss -= ask.share * value);
            let Some((factor, out)) = gradient.as_mut() else { continue };
            let Self { head, vocabulary, hidden, asks, targets, factors, log_sums, logits, .. } = self;
            // With each example's own words alone, every row is asked for one token.
            let asks = &asks[start..start + count];
            targets.clear();
            targets.extend(asks.iter().map(|ask| ask.token));
            factors.clear();
            factors.extend(asks.iter().map(|ask| *factor * ask.share));
            device.token_gradient(logits, *vocabulary, &log_sums[..count], targets, factors);
            device.round(logits, count * *vocabulary, &mut self.gradient);
            let term = Term::backward(&self.gradient, BMatrix::Frozen(&*head));
            device.gemm(&[term], Epilogue::PLAIN, count, *hidden, Output::Add(&mut **out, start * *hidden));
        }
        loss
    }
}

impl<D: Device> Decoder<D> {
    /// With words, the prompts followed by them; of each example's own label, if targets are given.
    pub(super) fn with_words(
        &mut self,
        prompts: &PackedBatch,
        targets: Option<&[u32]>,
    ) -> Option<PackedBatch> {
        self.words.as_mut().map(|words| words.extend(prompts, targets))
    }

    /// Takes back what [`with_words`](Self::with_words) gave, to be filled again.
    pub(super) fn keep_words(&mut self, batch: Option<PackedBatch>) {
        if let (Some(words), Some(batch)) = (&mut self.words, batch) {
            words.batch = batch;
        }
    }

    /// With words, the log-likelihoods after the last forward; whether there are any.
    pub(super) fn word_logits(&mut self, out: &mut Vec<f32>) -> bool {
        let Some(words) = &mut self.words else { return false };
        words.log_likelihoods(&*self.device, &self.workspace.pooled, &self.geometry, out);
        true
    }

    /// With words, the sum of the losses after the last forward; with a factor, leaves the gradient of the sum times it
    /// where the head's backward leaves its own.
    pub(super) fn word_losses(&mut self, factor: Option<f64>) -> Option<f64> {
        let words = self.words.as_mut()?;
        let gradient = factor.map(|factor| (factor, &mut self.workspace.scratch.stream.picked_gradient));
        Some(words.losses(&*self.device, &self.workspace.pooled, self.geometry.pooled_rows(), gradient))
    }
}
