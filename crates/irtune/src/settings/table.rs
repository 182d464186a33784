//! Every setting of a training run: flags, environment variables, file keys and help come from here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use irtune_select::{METHODS, option_names};

/// What kind of value a setting takes when it is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text, paths included.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Switch,
    /// Words separated by commas.
    List,
    /// A whole number or a word.
    IntegerOrWord,
    /// A text; in a file also a table.
    TextOrTable,
    /// A number or a text, which a method reads.
    Plain,
}

/// The heading a setting is listed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Base, files and columns.
    Data,
    /// Which layers train.
    Method,
    /// What is set about the method.
    MethodOptions,
    /// The adapters.
    Adapter,
    /// Optimizer and schedule.
    Optimization,
    /// When to evaluate and save.
    Evaluation,
    /// Where it runs.
    Machine,
}

impl Group {
    /// The heading in `--help`.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Data => "Base and data",
            Self::Method => "Method",
            Self::MethodOptions => "Options of the method",
            Self::Adapter => "Adapters",
            Self::Optimization => "Optimization",
            Self::Evaluation => "Evaluation and checkpoints",
            Self::Machine => "Machine",
        }
    }
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The key in files and `--set`; the flag is the same with dashes.
    pub key: &'static str,
    /// How its text is read.
    pub kind: Kind,
    /// The placeholder in `--help`.
    pub value: &'static str,
    /// One line of help.
    pub help: Cow<'static, str>,
    /// Its heading.
    pub group: Group,
}

impl Setting {
    /// The flag, without its dashes.
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("IRTUNE_{}", self.key.to_ascii_uppercase())
    }
}

const fn entry(
    group: Group,
    key: &'static str,
    kind: Kind,
    value: &'static str,
    help: &'static str,
) -> Setting {
    Setting { key, kind, value, help: Cow::Borrowed(help), group }
}

use Group::{Adapter, Data, Evaluation, Machine, Method, MethodOptions, Optimization};
use Kind::{Integer, IntegerOrWord, List, Number, Plain, Switch, Text, TextOrTable};

/// Every setting, in the order of the help: those that every run has, with the methods' options after the method.
pub static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let mut all: Vec<Setting> = Vec::new();
    for setting in OWN {
        let help = if setting.key == "method" { method_help().into() } else { setting.help.clone() };
        all.push(Setting { help, ..*setting });
        if setting.key == "head_only" {
            all.extend(option_names().into_iter().map(method_option));
        }
    }
    all
});

/// The methods there are, as the help of the setting names them.
pub fn method_help() -> String {
    let names: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
    format!("Which layers train in a step: {}", names.join(", "))
}

/// The setting that stands for an option of this name in every method that has one.
fn method_option(name: &'static str) -> Setting {
    let mut meanings: BTreeMap<(usize, String), Vec<&str>> = BTreeMap::new();
    for (number, method) in METHODS.iter().enumerate() {
        for option in method.options.iter().filter(|option| option.name == name) {
            let what = option.summary.trim_end_matches('.');
            let text = format!("{what} ({}; default {})", option.values, option.default).replace('`', "");
            let same = meanings.iter_mut().find(|((_, other), _)| *other == text);
            match same {
                Some((_, methods)) => methods.push(method.name),
                None => drop(meanings.insert((number, text), vec![method.name])),
            }
        }
    }
    let help: Vec<String> =
        meanings.iter().map(|((_, text), methods)| format!("{}: {text}", methods.join(", "))).collect();
    let help = Cow::Owned(help.join("; "));
    Setting { key: name, kind: Plain, value: "VALUE", help, group: MethodOptions }
}

/// The settings that every run has.
static OWN: &[Setting] = &[
    entry(Data, "base", Text, "BASE", "Base model: a folder, a .gguf file, smollm2, or hf:ORG/NAME"),
    entry(Data, "train", Text, "FILE", "Training pairs (JSONL, CSV or TSV)"),
    entry(
        Data,
        "validation",
        Text,
        "FILE",
        "Validation pairs; without them a part of the training pairs is held out",
    ),
    entry(Data, "test", Text, "FILE", "Test pairs, evaluated once at the end"),
    entry(Data, "out", Text, "DIR", "The run folder to make; must not exist yet"),
    entry(Data, "preset", Text, "NAME", "A known layout of columns: auto, iterater or re3"),
    entry(Data, "original_column", Text, "NAME", "Column of the original text"),
    entry(Data, "revised_column", Text, "NAME", "Column of the revised text"),
    entry(Data, "label_column", Text, "NAME", "Column of the label"),
    entry(Data, "group_column", Text, "NAME", "Column of the document; its pairs stay together in a split"),
    entry(Data, "id_column", Text, "NAME", "Column of the pair's own name, kept in predictions"),
    entry(Data, "drop_labels", List, "LIST", "Labels whose pairs are left out"),
    entry(Data, "prompt", Text, "PROMPT", "instruction, pair, or the path of a template file"),
    entry(
        Data,
        "max_length",
        Integer,
        "TOKENS",
        "Longest example; longer pairs are shortened around what changed",
    ),
    entry(Data, "validation_fraction", Number, "SHARE", "Share held out when there is no validation file"),
    entry(
        Data,
        "train_size",
        Integer,
        "N",
        "Train on so many pairs, labels in proportion, drawn by the seed",
    ),
    entry(
        Data,
        "fold",
        Text,
        "PART/PARTS",
        "The part of the training pairs to test on, by document, such as 2/5",
    ),
    entry(Method, "method", Text, "METHOD", ""),
    entry(Method, "train_head", Switch, "BOOL", "Whether the classification head trains"),
    entry(Method, "head_only", Switch, "BOOL", "Train the classification head alone, without adapters"),
    entry(
        Method,
        "objective",
        Text,
        "OBJECTIVE",
        "What learns to tell the labels: head (a new one), or words (the base's own, by the labels' words)",
    ),
    entry(
        Method,
        "label_words",
        Text,
        "FILE",
        "JSON file of the labels' words for the objective words; their names when not given",
    ),
    entry(
        Adapter,
        "tune",
        Text,
        "WHAT",
        "What of a layer trains: adapters, or weights, its own matrices and norm gains without adapters",
    ),
    entry(
        Adapter,
        "adapter",
        Text,
        "ADAPTER",
        "What trains beside a layer: lora, dora, bottleneck, ia3 or none",
    ),
    entry(Adapter, "rank", Integer, "N", "lora, dora: rank of the adapters"),
    entry(Adapter, "alpha", Number, "X", "lora, dora: scale of the adapters, divided by the rank"),
    entry(Adapter, "rslora", Switch, "BOOL", "lora, dora: divide alpha by the root of the rank (rsLoRA)"),
    entry(
        Adapter,
        "lora_plus_ratio",
        Number,
        "X",
        "lora, dora: learning rate of B over that of A (LoRA+, there 16)",
    ),
    entry(
        Adapter,
        "lora_init",
        Text,
        "INIT",
        "lora: default, or pissa: principal parts of the base's matrices",
    ),
    entry(
        Adapter,
        "dora_detach_norm",
        Switch,
        "BOOL",
        "dora: whether the norm is a constant to the gradient, as the paper advises",
    ),
    entry(Adapter, "bottleneck_size", Integer, "N", "bottleneck: values between its two matrices"),
    entry(Adapter, "bottleneck_activation", Text, "ACTIVATION", "bottleneck: tanh, relu or gelu"),
    entry(
        Adapter,
        "bottleneck_place",
        Text,
        "PLACE",
        "bottleneck: parallel to its projection, or serial: after it",
    ),
    entry(Adapter, "bottleneck_scaling", Number, "X", "bottleneck: factor of what it adds"),
    entry(Adapter, "dropout", Number, "SHARE", "lora, dora, bottleneck: dropout before the adapters"),
    entry(
        Adapter,
        "target_modules",
        List,
        "LIST",
        "Projections with an adapter, separated by commas; the adapter's usual ones when not given",
    ),
    entry(Optimization, "learning_rate", Number, "X", "Highest learning rate"),
    entry(Optimization, "schedule", Text, "SCHEDULE", "linear, cosine or constant"),
    entry(Optimization, "warmup_steps", Integer, "N", "Steps until the highest learning rate"),
    entry(Optimization, "weight_decay", Number, "X", "Decoupled weight decay"),
    entry(Optimization, "max_grad_norm", Number, "X", "Gradients are clipped to this norm; 0 never clips"),
    entry(
        Optimization,
        "class_weights",
        TextOrTable,
        "WEIGHTS",
        "What labels count in the loss: none, balanced, or a JSON file of weights",
    ),
    entry(Optimization, "label_smoothing", Number, "SHARE", "Share of each target spread over all labels"),
    entry(Optimization, "batch_size", Integer, "N", "Examples in a batch"),
    entry(
        Optimization,
        "batches",
        Text,
        "BATCHES",
        "shuffled, or related: revisions of one text share a batch, which then computes it once",
    ),
    entry(Optimization, "gradient_accumulation", Integer, "N", "Batches in a step"),
    entry(Optimization, "epochs", Integer, "N", "Passes over the training pairs"),
    entry(Optimization, "max_steps", Integer, "N", "Steps in all; wins over epochs"),
    entry(Optimization, "seed", Integer, "N", "Seed of everything random"),
    entry(Evaluation, "eval_every", IntegerOrWord, "EVERY", "Steps between evaluations, or epoch, or never"),
    entry(Evaluation, "save_every", IntegerOrWord, "EVERY", "Steps between checkpoints, or epoch, or never"),
    entry(Evaluation, "best_metric", Text, "METRIC", "macro_f1, accuracy, average_precision or loss"),
    entry(
        Evaluation,
        "early_stopping_patience",
        Integer,
        "N",
        "Stop after this many evaluations without improvement",
    ),
    entry(Machine, "precision", Text, "PRECISION", "auto, bf16, int16, int8 or f32"),
    entry(Machine, "threads", Integer, "N", "Threads; all cores when not given"),
    entry(
        Machine,
        "micro_batch_tokens",
        Integer,
        "TOKENS",
        "A batch of more tokens goes through the model in parts, which saves memory; 0 for never",
    ),
    entry(
        Machine,
        "memory",
        Text,
        "AMOUNT",
        "Most memory to use, such as 600MB; activations that don't fit are computed again",
    ),
    entry(
        Machine,
        "cache_states",
        Switch,
        "BOOL",
        "Keep hidden states below the lowest layer that can train on disk, for later epochs",
    ),
];

/// The settings that are options of methods.
pub fn method_options() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.group == MethodOptions)
}

/// The setting with this key.
pub fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}
