//! Every setting of a training run: plain, resolved, and saved with the run.

use crate::schedule::Schedule;
use irtune_model::{Precision, Projection};
use serde::{Deserialize, Serialize};

mod batches;
mod best_metric;
mod every;
mod memory_limit;
mod method_options;
mod problems;
mod tune;

pub use batches::{Batches, UnknownBatches};
pub use best_metric::{BestMetric, UnknownMetric};
pub use every::{Every, UnknownEvery};
pub use memory_limit::{MemoryLimit, MemoryLimitError};
pub use method_options::MethodOptions;
pub use problems::Problem;
pub use tune::{Tune, UnknownTune};

/// How a run trains.
///
/// The defaults are the recipe of the paper's published code (arXiv 2510.00268; ZhexiongLiu/IR-Tuning, commit
/// 0a44982), with these departures: the head trains (published: it stays at its random start); layers are chosen by
/// the method as the paper means it (`fidelity = "paper"`); evaluation comes once an epoch and never touches the test
/// set before the end (published: both sets every 10 steps); the best model by validation macro-F1 is kept
/// (published: the last); checkpoints are written once an epoch (published: none); nothing is padded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainSettings {
    /// Which layers train: a name of `irtune_select`'s table of methods.
    pub method: String,
    /// What is set about the method, each option under its own name; a name that is no option's either is an error.
    #[serde(flatten)]
    pub method_options: MethodOptions,
    /// What of a layer trains; without adapters their settings have no meaning.
    pub tune: Tune,
    /// LoRA rank.
    pub rank: usize,
    /// LoRA alpha; the adapters' product is scaled by alpha/rank.
    pub alpha: f32,
    /// Probability that an input of an adapter is dropped in training.
    pub dropout: f32,
    /// The projections that have an adapter, in every layer.
    pub target_modules: Vec<Projection>,
    /// Whether the classification head trains, or stays at its random start.
    pub train_head: bool,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// How the learning rate moves after the warm-up.
    pub schedule: Schedule,
    /// Steps over which the learning rate rises from zero to its peak.
    pub warmup_steps: u64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Longest gradient over everything that trains in a step; longer ones are scaled down, 0 leaves all as they are.
    pub max_grad_norm: f64,
    /// Examples that go through the model together.
    pub batch_size: usize,
    /// Which examples share a batch.
    pub batches: Batches,
    /// Batches whose gradients make one step: a step sees `batch_size × gradient_accumulation` examples.
    pub gradient_accumulation: usize,
    /// Passes over the training examples.
    pub epochs: u64,
    /// Number of steps; when given it counts, and `epochs` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    /// Longest example in tokens; longer pairs are shortened around their change.
    pub max_length: usize,
    /// `instruction`, `pair`, or the path of a template file.
    pub prompt: String,
    /// Share of the training pairs to validate on when no validation file is given; 0 validates on nothing.
    pub validation_fraction: f64,
    /// When to evaluate on the validation pairs, besides at the end.
    pub eval_every: Every,
    /// When to write a checkpoint, besides on an interrupt.
    pub save_every: Every,
    /// What the best model is chosen by.
    pub best_metric: BestMetric,
    /// Evaluations in a row without a better model after which the run stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping_patience: Option<u64>,
    /// Of every random draw: the start, the order of the examples, dropout, the choice of layers, the split.
    pub seed: u64,
    /// Of the frozen model's arithmetic.
    pub precision: Precision,
    /// Threads; as many as the machine has cores when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Most memory to use: layers whose activations don't fit are computed again, which takes time but changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryLimit>,
    /// Whether hidden states below the lowest layer that the method can train are kept on disk, beside the run, so that
    /// later epochs and evaluations don't compute them again. Changes nothing but time.
    pub cache_states: bool,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            method: "ir".to_owned(),
            method_options: MethodOptions::default(),
            tune: Tune::Adapters,
            rank: 32,
            alpha: 64.0,
            dropout: 0.05,
            target_modules: vec![
                Projection::QProj,
                Projection::KProj,
                Projection::VProj,
                Projection::UpProj,
                Projection::DownProj,
            ],
            train_head: true,
            learning_rate: 2e-4,
            schedule: Schedule::Linear,
            warmup_steps: 100,
            weight_decay: 0.0,
            max_grad_norm: 1.0,
            batch_size: 16,
            batches: Batches::Shuffled,
            gradient_accumulation: 1,
            epochs: 4,
            max_steps: None,
            max_length: 256,
            prompt: "instruction".to_owned(),
            validation_fraction: 0.1,
            eval_every: Every::Epoch,
            save_every: Every::Epoch,
            best_metric: BestMetric::MacroF1,
            early_stopping_patience: None,
            seed: 171,
            precision: Precision::Auto,
            threads: None,
            memory: None,
            cache_states: false,
        }
    }
}

impl TrainSettings {
    /// The names of all settings but the methods' options, in the order of their declaration.
    pub const NAMES: &[&str] = &[
        "method",
        "tune",
        "rank",
        "alpha",
        "dropout",
        "target_modules",
        "train_head",
        "learning_rate",
        "schedule",
        "warmup_steps",
        "weight_decay",
        "max_grad_norm",
        "batch_size",
        "batches",
        "gradient_accumulation",
        "epochs",
        "max_steps",
        "max_length",
        "prompt",
        "validation_fraction",
        "eval_every",
        "save_every",
        "best_metric",
        "early_stopping_patience",
        "seed",
        "precision",
        "threads",
        "memory",
        "cache_states",
    ];

    /// Whether a setting of a training run has this name, the methods' options included.
    pub fn knows(name: &str) -> bool {
        Self::NAMES.contains(&name) || irtune_select::option_names().contains(&name)
    }

    /// Examples of one step.
    pub fn step_examples(&self) -> usize {
        self.batch_size * self.gradient_accumulation
    }

    /// The adapter these settings ask for.
    pub fn lora(&self) -> irtune_model::LoraConfig {
        irtune_model::LoraConfig {
            rank: self.rank,
            alpha: self.alpha,
            dropout: self.dropout,
            target_modules: self.target_modules.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_fields() {
        let full = TrainSettings {
            max_steps: Some(1),
            early_stopping_patience: Some(1),
            threads: Some(1),
            memory: Some("1GB".parse().unwrap()),
            ..Default::default()
        };
        let value = serde_json::to_value(&full).unwrap();
        let fields: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(fields, TrainSettings::NAMES);
    }

    #[test]
    fn settings_round_trip_through_toml() {
        let settings = TrainSettings {
            eval_every: Every::Steps(10),
            save_every: Every::Never,
            max_steps: Some(7),
            method_options: MethodOptions::of([("layers", "3,5"), ("settle", "100"), ("budget", "0.5")]),
            ..Default::default()
        };
        let text = toml::to_string(&settings).unwrap();
        assert_eq!(toml::from_str::<TrainSettings>(&text).unwrap(), settings);
        assert!(text.contains("eval_every = 10"), "{text}");
        assert!(text.contains("layers = \"3,5\"\nsettle = 100\n"), "{text}");
        assert!(text.contains("save_every = \"never\""), "{text}");
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = toml::from_str::<TrainSettings>("learning_rat = 1e-3").unwrap_err();
        assert!(error.to_string().contains("unknown field `learning_rat`"), "{error}");
    }
}
