//! What is compared.

use super::PRODUCTS;

/// One comparison.
#[derive(Debug)]
pub struct Case {
    /// Its name on the command line and in the results.
    pub name: &'static str,
    /// What goes through the model.
    pub examples: Examples,
    /// Which layers train.
    pub layers: Layers,
    /// The other side.
    pub peer: Peer,
    /// irtune's precision, where it isn't left to the machine.
    pub precision: Option<&'static str>,
    /// Steps that are timed; all that the examples give when `None`.
    pub steps: Option<usize>,
    /// Steps before the clock starts.
    pub warmup_steps: usize,
    /// Whether there is one pair only, because the peer is slow.
    pub once: bool,
    /// Whether irtune's batches hold related pairs; PyTorch's hold pairs of like lengths in any case.
    pub related: bool,
    /// Tokens that irtune shortens longer examples to, around their change; PyTorch's stay whole.
    pub max_length: Option<usize>,
    /// What is compared.
    pub measure: Measure,
}

/// What goes through the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Examples {
    /// Random ids, 112 an example.
    Dense,
    /// The corpus's training pairs, trained on, grouped by length.
    Train,
    /// The same in the order of a run's first epoch, of which the first batch is an ordinary one.
    First,
    /// The corpus's test pairs, classified.
    Test,
}

/// Which layers train; both sides train the same ones in the same step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layers {
    /// All, or none when classifying.
    All,
    /// Those that irtune's method `ir` chose.
    Chosen,
    /// So many, drawn every so many steps.
    Drawn { count: usize, every: usize },
    /// The highest ones.
    Top { count: usize },
}

/// The other side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Peer {
    /// PyTorch in the setting that is fastest here.
    Best,
    /// PyTorch in one setting.
    Setting(&'static str),
    /// llama.cpp.
    Llama,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Examples a second, more is better.
    Speed,
    /// Tokens of the examples a second, where both sides meet the same pairs in other orders; more is better.
    Tokens,
    /// From the start of the process to the end of its first step, less is better.
    FirstStep,
}

/// PyTorch's settings, as `train_peer.py` names them, the portable one first.
pub const SETTINGS: [&str; 5] =
    ["float32", "float32+bfloat16-products", "bfloat16", "bfloat16+float32-adapters", "autocast"];

const TRAINING: Case = Case {
    name: "",
    examples: Examples::Train,
    layers: Layers::All,
    peer: Peer::Best,
    precision: None,
    steps: Some(20),
    warmup_steps: 1,
    once: false,
    related: false,
    max_length: None,
    measure: Measure::Speed,
};

/// Tokens of a shortened example, the 43 of the prompt around the pair included.
const SHORT: usize = 80;

/// Every comparison of whole steps.
pub const CASES: [Case; 14] = [
    Case { name: "dense", examples: Examples::Dense, steps: Some(5), ..TRAINING },
    Case {
        name: "dense-f32",
        examples: Examples::Dense,
        peer: Peer::Setting("float32"),
        precision: Some("f32"),
        steps: Some(5),
        ..TRAINING
    },
    Case { name: "ir", layers: Layers::Chosen, ..TRAINING },
    Case { name: "ir-int8", layers: Layers::Chosen, precision: Some("int8"), ..TRAINING },
    Case {
        name: "ir-int8-related",
        layers: Layers::Chosen,
        precision: Some("int8"),
        related: true,
        measure: Measure::Tokens,
        ..TRAINING
    },
    Case {
        name: "ir-int8-short",
        layers: Layers::Chosen,
        precision: Some("int8"),
        max_length: Some(SHORT),
        ..TRAINING
    },
    Case { name: "lisa", layers: Layers::Drawn { count: 2, every: 20 }, steps: Some(39), ..TRAINING },
    Case { name: "top8", layers: Layers::Top { count: 8 }, ..TRAINING },
    Case {
        name: "published",
        layers: Layers::Chosen,
        peer: Peer::Setting("published"),
        steps: Some(5),
        once: true,
        ..TRAINING
    },
    Case { name: "inference", examples: Examples::Test, steps: None, ..TRAINING },
    Case {
        name: "inference-int8",
        examples: Examples::Test,
        precision: Some("int8"),
        steps: None,
        ..TRAINING
    },
    Case {
        name: "inference-int8-short",
        examples: Examples::Test,
        precision: Some("int8"),
        max_length: Some(SHORT),
        steps: None,
        ..TRAINING
    },
    Case {
        name: "start",
        examples: Examples::First,
        layers: Layers::Chosen,
        steps: Some(1),
        warmup_steps: 0,
        measure: Measure::FirstStep,
        ..TRAINING
    },
    Case {
        name: "llama",
        examples: Examples::Test,
        peer: Peer::Llama,
        steps: Some(3),
        once: true,
        ..TRAINING
    },
];

/// The names of all cases.
pub fn names() -> Vec<&'static str> {
    CASES.iter().map(|case| case.name).chain([PRODUCTS]).collect()
}

impl Case {
    /// The steps that are timed.
    pub fn steps(&self, quick: bool) -> Option<usize> {
        if quick { Some(self.steps.unwrap_or(2).min(2)) } else { self.steps }
    }

    /// The settings of PyTorch that are tried.
    pub fn settings(&self, quick: bool) -> &'static [&'static str] {
        match self.examples {
            _ if quick => &SETTINGS[..2],
            // Adapters are merged, so that how they would compute makes no difference.
            Examples::Test => &SETTINGS[..3],
            Examples::Dense | Examples::Train | Examples::First => &SETTINGS,
        }
    }
}
