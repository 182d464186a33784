//! A decoder with adapters and a classification head: the layers' forwards in order, and their backwards in reverse,
//! down to the lowest layer that trains.

mod budget;
mod cosines;
mod evaluate;
mod initialise;
mod options;
mod passes;
mod readings;
mod state;
mod state_cache;
mod train;
mod verbalizer;
pub(crate) mod workspace;

use std::sync::{Arc, Mutex};

use irtune_device::{BatchLayout, Device, DeviceError, HeadShape, LossOptions, RowSet, Targets};

use crate::{
    adapters::{
        Trained,
        site::{self, Sites},
    },
    base::{Base, config::ModelConfig},
    batch::{self, PackedBatch},
    error::ModelError,
    families::{Kind, Role, Rotary, RotaryKind, Variant},
    head::{Head, HeadInput},
    layer::{RotaryTables, Rows, block::Block},
    parameters::{
        WEIGHTS_HEAD_NAME,
        entries::{Entries, Initial},
        group::Group,
        masters::Spare,
    },
    peft::HEAD_NAME,
};

use cosines::Cosines;
use readings::Readings;
use state_cache::StateCache;
use verbalizer::Verbalizer;
use workspace::{Capacity, HeadWidths, Slots, Workspace};

pub use budget::{Budget, BudgetOf};
pub use options::{EngineOptions, TrainingPass};
pub use readings::StepReadings;

/// The engine on a device.
pub(crate) struct Decoder<D: Device> {
    device: Arc<D>,
    base: Arc<Base>,
    trained: Trained,
    labels: usize,
    /// What the classification head reads.
    head_input: HeadInput,
    embedding: D::Weight,
    /// Learned positions, where there are such.
    positions_table: Option<D::Weight>,
    final_gain: D::Floats,
    /// Of a layer norm.
    final_bias: Option<D::Floats>,
    layers: Vec<Block<D>>,
    /// One a layer, empty when only the head trains.
    groups: Vec<Group<D>>,
    head: Group<D>,
    /// Where the layers' own weights train.
    spare: Spare<D>,
    rotary: RotaryPositions<D>,
    /// Positions its tables reach.
    positions: usize,
    batch: Batch<D>,
    cosines: Cosines<D>,
    workspace: Workspace<D>,
    /// Which layers' activations can be kept; none when it only infers.
    slots: Slots,
    cache: Option<StateCache>,
    /// How training counts labels.
    loss: LossOptions,
    /// The label tokens, when the language-model head classifies.
    verbalizer: Option<Verbalizer<D>>,
    readings: Mutex<Readings<D>>,
    /// Logits on their way.
    host: Vec<f32>,
    training: bool,
    /// Whether the layers' matrices are prepacked with their adapters.
    prepacked: bool,
}

/// The angles of every kind of rotary positions that layers have.
struct RotaryPositions<D: Device> {
    main: RotaryTables<D>,
    local: Option<RotaryTables<D>>,
}

impl<D: Device> RotaryPositions<D> {
    fn new(device: &D, config: &ModelConfig, positions: usize) -> Self {
        let tables = |rotary: &Rotary| RotaryTables::new(device, rotary, config.head_size, positions);
        let Variant { rotary, local_rotary, .. } = &config.variant;
        Self { main: tables(rotary), local: local_rotary.as_ref().map(tables) }
    }

    /// Those of a layer.
    fn of(&self, kind: Option<RotaryKind>) -> Option<&RotaryTables<D>> {
        kind.and_then(|kind| match kind {
            RotaryKind::Main => Some(&self.main),
            RotaryKind::Local => self.local.as_ref(),
        })
    }
}

/// The batch of a pass, here and on the device.
struct Batch<D: Device> {
    layout: BatchLayout,
    uploaded: D::Layout,
    /// The examples in the order of their ends: that of the logits.
    order: Vec<usize>,
    /// Numbers that stand for what an edit head reads of each example, in this order.
    edit_keys: Vec<u64>,
}

impl<D: Device> Batch<D> {
    /// The rows of a layer: the last one computes only those that are read.
    fn rows(&self, last: bool) -> Rows<'_, D> {
        let set = if last { RowSet::Read } else { RowSet::All };
        let (queries, tokens) = (self.layout.rows(set), self.layout.rows(RowSet::All));
        Rows { layout: &self.uploaded, set, queries, tokens }
    }

    /// Keys of what is kept: the layer's input, or what the head pools.
    fn kept_keys(&self, pooled: bool, edit: bool) -> &[u64] {
        match (pooled, edit) {
            (true, true) => &self.edit_keys,
            (true, false) => self.layout.keys(RowSet::Read),
            (false, _) => self.layout.keys(RowSet::All),
        }
    }

    /// Rows that are read after the last layer: one an example, or more with an edit head or a verbalizer.
    fn read_rows(&self) -> usize {
        self.layout.rows(RowSet::Read)
    }
}

/// Positions that a table of rotary angles has at first.
const POSITIONS: usize = 512;

impl<D: Device> Decoder<D> {
    pub(crate) fn new(
        device: D,
        base: Arc<Base>,
        trained: Trained,
        head: Head,
        seed: u64,
        options: EngineOptions,
    ) -> Result<Self, ModelError> {
        if let Some(adapter) = trained.adapter() {
            adapter.validate()?;
            adapter.check_base(&base.config)?;
        }
        let Head { labels, input: head_input } = head;
        if labels == 0 {
            return Err(ModelError::NoLabels);
        }
        let config = &base.config;
        let (mut layers, mut groups) = (Vec::new(), Vec::new());
        let mut adapters = match trained.adapter() {
            Some(adapter) => device.run(|| site::every_layers_sites(&device, &base, adapter))?,
            None => Vec::new(),
        }
        .into_iter();
        for index in 0..config.layers {
            let (entries, sites) = adapters.next().unzip();
            groups.extend(entries.map(|entries| Group::new(&device, entries)).transpose()?);
            if trained.is_weights() {
                groups.push(Group::masters(&device, config, index)?);
            }
            layers.push(Block::new(&device, &base, index, sites.unwrap_or_else(Sites::new))?);
        }
        let gain = base.weights.vector(&config.family.outer_name(Role::FinalNorm))?;
        let final_gain = device.filled(&gain)?;
        let final_bias = match config.has_outer(Role::FinalNorm, Kind::Bias) {
            true => {
                let name = config.family.outer_tensor_name(Role::FinalNorm, Kind::Bias);
                Some(device.filled(&base.weights.vector(&name)?)?)
            }
            false => None,
        };
        let positions_table = match config.has_outer(Role::PositionEmbedding, Kind::Weight) {
            true => {
                let name = config.family.outer_name(Role::PositionEmbedding);
                Some(device.weight(base.weights.matrix(&name)?)?)
            }
            false => None,
        };
        let mut entries = Entries::default();
        let name = if trained.is_weights() { WEIGHTS_HEAD_NAME } else { HEAD_NAME };
        let columns = head_input.columns(config.hidden_size);
        entries.matrix(name.to_owned(), labels, columns, Initial::Drawn);
        let head = Group::new(&device, entries.list)?;
        let tokens = options.max_tokens.max(1);
        let budget = Budget::new(BudgetOf {
            config,
            weights: base.weights.resident_bytes(),
            trained: &trained,
            head: &head_input,
            tokens,
            operand_bytes: device.operand_bytes(),
        });
        let slots = if options.training {
            budget.slots(options.memory_bytes)?
        } else {
            Slots { kept: 0, recomputed: 0 }
        };
        let examples = options.max_examples.max(1);
        let read_rows = if head_input.scaling().is_some() { tokens } else { examples };
        let capacity = Capacity { tokens, read_rows, examples, partial_rows: tokens.saturating_mul(2) };
        let widths = HeadWidths::of(&head_input, labels, config.hidden_size);
        let workspace = Workspace::new(&device, config, &trained, widths, capacity, slots)
            .map_err(|error| if options.training { error.out_of(budget.total(slots)) } else { error })?;
        let readings = Mutex::new(Readings::new(&device, config.layers, &groups)?);
        let mut decoder = Self {
            embedding: device.weight(base.weights.matrix(&config.family.outer_name(Role::Embedding))?)?,
            rotary: RotaryPositions::new(&device, config, POSITIONS),
            positions: POSITIONS,
            batch: Batch {
                layout: BatchLayout::default(),
                uploaded: device.layout(),
                order: Vec::new(),
                edit_keys: Vec::new(),
            },
            cosines: Cosines::new(config.hidden_size),
            base: base.clone(),
            device: Arc::new(device),
            labels,
            head_input,
            positions_table,
            final_gain,
            final_bias,
            layers,
            groups,
            head,
            spare: Spare::new(config),
            trained,
            workspace,
            slots,
            cache: None,
            loss: LossOptions::default(),
            verbalizer: None,
            readings,
            host: Vec::new(),
            training: options.training,
            prepacked: false,
        };
        decoder.initialise(seed);
        Ok(decoder)
    }

    /// Checks a batch, makes room for it and uploads its layout; with `targets` also those of its rows.
    fn prepare(&mut self, batch: &PackedBatch, targets: Option<Targets<'_>>) -> Result<(), ModelError> {
        let config = &self.base.config;
        if let Some(&token) = batch.tokens.iter().find(|&&token| token as usize >= config.vocabulary_size) {
            return Err(ModelError::TokenOutOfRange { token, vocabulary_size: config.vocabulary_size });
        }
        self.check_changes(batch)?;
        let Batch { layout, uploaded, order, edit_keys } = &mut self.batch;
        order.clone_from(&batch.order);
        batch::layout::fill(layout, batch);
        if let HeadInput::Edit(scaling) = &self.head_input {
            let numbers = &mut layout.pooling.numbers;
            layout.pooling.given = scaling.len();
            numbers.clear();
            numbers
                .extend(order.iter().flat_map(|&example| scaling.standardised(batch.counters_of(example))));
            edit_keys.clear();
            let ends = batch.ends().map(|end| layout.segments[end].first_key + layout.segments[end].keys - 1);
            edit_keys.extend(ends.zip(&*order).map(|(row, &one)| batch.change_key(layout.keys[row], one)));
        }
        layout.classes.clear();
        layout.distributions.clear();
        layout.labels.clear();
        layout.picks.clear();
        let labels = self.labels;
        let rows = |values: &[f32], out: &mut Vec<f32>| {
            out.extend(order.iter().flat_map(|&example| &values[example * labels..][..labels]));
        };
        match (&self.verbalizer, targets) {
            (Some(verbalizer), _) => verbalizer.fill(layout),
            (None, Some(Targets::Classes(classes))) => {
                layout.classes.extend(order.iter().map(|&example| classes[example]));
            }
            (None, Some(Targets::Distributions(shares))) => rows(shares, &mut layout.distributions),
            (None, Some(Targets::Labels(given))) => rows(given, &mut layout.labels),
            (None, None) => {}
        }
        self.device.upload_layout(layout, uploaded);
        let longest = layout.longest();
        config.check_length(longest)?;
        if longest > self.positions {
            self.positions = longest.next_power_of_two();
            self.rotary = RotaryPositions::new(&*self.device, config, self.positions);
        }
        let needed = Capacity {
            tokens: layout.rows(RowSet::All),
            read_rows: layout.rows(RowSet::Read),
            examples: order.len(),
            partial_rows: layout.partial_rows(),
        };
        self.make_room(needed)
    }

    /// Checks that a batch says what changed if, and only if, that is read.
    fn check_changes(&self, batch: &PackedBatch) -> Result<(), ModelError> {
        match (&self.head_input, batch.counters()) {
            // A batch with label tokens holds no changes, and a head that takes no part reads none.
            (HeadInput::Pooled, None) => Ok(()),
            (HeadInput::Pooled, Some(_)) => Err(ModelError::UnreadChanges),
            (HeadInput::Edit(_), None) => Err(ModelError::NoChanges),
            (HeadInput::Edit(scaling), Some(given)) if given != scaling.len() => {
                Err(ModelError::Counters { given, expected: scaling.len() })
            }
            (HeadInput::Edit(_), Some(_)) => Ok(()),
        }
    }

    /// Makes the workspace large enough.
    fn make_room(&mut self, needed: Capacity) -> Result<(), ModelError> {
        let (config, capacity) = (&self.base.config, self.workspace.capacity);
        if needed.tokens > capacity.tokens
            || needed.examples > capacity.examples
            || needed.read_rows > capacity.read_rows
        {
            let (union, slots) = (capacity.union(needed), self.slots);
            let widths = HeadWidths::of(&self.head_input, self.labels, config.hidden_size);
            let sized =
                |capacity| Workspace::new(&*self.device, config, &self.trained, widths, capacity, slots);
            // The old one goes before the new one comes.
            self.workspace = sized(Capacity::default())?;
            let budget = Budget::new(BudgetOf {
                config,
                weights: self.base.weights.resident_bytes(),
                trained: &self.trained,
                head: &self.head_input,
                tokens: union.tokens,
                operand_bytes: self.device.operand_bytes(),
            });
            let training = self.training;
            let named = |error: DeviceError| if training { error.out_of(budget.total(slots)) } else { error };
            self.workspace = sized(union).map_err(named)?;
        } else if needed.partial_rows > capacity.partial_rows {
            // All others may be in use already, and would be resident once more.
            self.workspace.grow_partial_rows(&*self.device, config, needed.partial_rows)?;
        }
        Ok(())
    }

    fn head_shape(&self) -> HeadShape {
        HeadShape {
            examples: self.batch.order.len(),
            width: self.head_input.columns(self.base.config.hidden_size),
            labels: self.labels,
        }
    }

    fn groups(&self) -> impl Iterator<Item = &Group<D>> {
        self.groups.iter().chain(self.verbalizer.is_none().then_some(&self.head))
    }
}
