//! Every setting of a training run: plain, resolved, and saved with the run.

use crate::infer::evaluate::BatchLimit;
use crate::step::schedule::Schedule;
use irtune_model::{BottleneckActivation, BottleneckPlace, LoraInit, Precision, Projection};
use serde::{Deserialize, Serialize};

mod adapter;
mod batches;
mod best_metric;
mod class_weights;
mod every;
mod fold;
mod memory_limit;
mod method_options;
mod objective;
mod problems;
mod tune;
mod unread;

pub use adapter::{Adapter, UnknownAdapter};
pub use batches::{Batches, UnknownBatches};
pub use best_metric::{BestMetric, UnknownMetric};
pub use class_weights::{ClassWeights, ClassWeightsError};
pub use every::{Every, UnknownEvery};
pub use fold::{Fold, UnknownFold};
pub use memory_limit::{MemoryLimit, MemoryLimitError};
pub use method_options::MethodOptions;
pub use objective::{Objective, UnknownObjective};
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
    /// What of a layer trains.
    pub tune: Tune,
    /// The kind of adapter; `none` where weights are tuned.
    pub adapter: Adapter,
    /// Rank of LoRA and DoRA.
    pub rank: usize,
    /// Alpha of LoRA and DoRA; the adapters' product is scaled by alpha/rank.
    pub alpha: f32,
    /// Whether it is scaled by alpha/√rank instead (rsLoRA).
    pub rslora: bool,
    /// Learning rate of B (and of DoRA's magnitudes) over that of A (LoRA+); 1 is one rate for all.
    pub lora_plus_ratio: f32,
    /// What LoRA's matrices start from.
    pub lora_init: LoraInit,
    /// Whether DoRA's norm is a constant to the gradient.
    pub dora_detach_norm: bool,
    /// Values between a bottleneck's two matrices.
    pub bottleneck_size: usize,
    /// The function between them.
    pub bottleneck_activation: BottleneckActivation,
    /// Whether a bottleneck stands beside its projection or after it.
    pub bottleneck_place: BottleneckPlace,
    /// Factor of what a bottleneck adds.
    pub bottleneck_scaling: f32,
    /// Probability that an input of an adapter is dropped in training; (IA)³ drops nothing.
    pub dropout: f32,
    /// The projections that have an adapter, in every layer; the kind's usual ones when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_modules: Option<Vec<Projection>>,
    /// Whether the classification head trains, or stays at its random start.
    pub train_head: bool,
    /// Whether only the head trains: there are no adapters, and the method chooses nothing. What the head pools of each
    /// example is then computed once and kept on disk, beside the run, which changes nothing but time.
    pub head_only: bool,
    /// Whether a classification head or the base's own language-model head learns to tell the labels.
    pub objective: Objective,
    /// JSON file of the labels' words for the objective `words`; their names when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_words: Option<String>,
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
    /// What an example of each label counts in the training loss.
    pub class_weights: ClassWeights,
    /// Share of the target that is spread evenly over all labels in the training loss.
    pub label_smoothing: f64,
    /// Examples that go through the model together.
    pub batch_size: usize,
    /// A batch of more tokens than this goes through the model in several passes, whose gradients add up to the same
    /// step: less memory, and nearly as fast. 0 for never. Cosines (`ir` with that metric) are measured on whole batches.
    pub micro_batch_tokens: usize,
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
    /// How many of the training pairs to train on, labels in proportion, drawn by `seed`: a subset holds all smaller
    /// ones. Validation pairs are held out before. All when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_size: Option<usize>,
    /// The part of the training file that is the test set; training and validation pairs come from the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
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
    /// Whether hidden states below the lowest layer that the method still trains are kept on disk, beside the run, as
    /// soon as that layer is known, so that later epochs and evaluations don't compute them again. Changes nothing but
    /// time.
    pub cache_states: bool,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            method: "ir".to_owned(),
            method_options: MethodOptions::default(),
            tune: Tune::Adapters,
            adapter: Adapter::Lora,
            rank: 32,
            alpha: 64.0,
            rslora: false,
            lora_plus_ratio: 1.0,
            lora_init: LoraInit::Default,
            dora_detach_norm: true,
            bottleneck_size: 256,
            bottleneck_activation: BottleneckActivation::Tanh,
            bottleneck_place: BottleneckPlace::Parallel,
            bottleneck_scaling: 1.0,
            dropout: 0.05,
            target_modules: None,
            train_head: true,
            head_only: false,
            objective: Objective::Head,
            label_words: None,
            learning_rate: 2e-4,
            schedule: Schedule::Linear,
            warmup_steps: 100,
            weight_decay: 0.0,
            max_grad_norm: 1.0,
            class_weights: ClassWeights::None,
            label_smoothing: 0.0,
            batch_size: 16,
            micro_batch_tokens: 1024,
            batches: Batches::Shuffled,
            gradient_accumulation: 1,
            epochs: 4,
            max_steps: None,
            max_length: 256,
            prompt: "instruction".to_owned(),
            validation_fraction: 0.1,
            train_size: None,
            fold: None,
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
        "adapter",
        "rank",
        "alpha",
        "rslora",
        "lora_plus_ratio",
        "lora_init",
        "dora_detach_norm",
        "bottleneck_size",
        "bottleneck_activation",
        "bottleneck_place",
        "bottleneck_scaling",
        "dropout",
        "target_modules",
        "train_head",
        "head_only",
        "objective",
        "label_words",
        "learning_rate",
        "schedule",
        "warmup_steps",
        "weight_decay",
        "max_grad_norm",
        "class_weights",
        "label_smoothing",
        "batch_size",
        "micro_batch_tokens",
        "batches",
        "gradient_accumulation",
        "epochs",
        "max_steps",
        "max_length",
        "prompt",
        "validation_fraction",
        "train_size",
        "fold",
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

    /// Writes down what was left open, so that a later version, or a resumed run, does the same.
    pub fn complete(&mut self) {
        if let Ok(method) = irtune_select::method(&self.method) {
            self.method_options.complete(method);
        }
        if self.tune == Tune::Adapters {
            self.target_modules = Some(self.targets());
        }
    }

    /// How many examples go through the model together.
    pub fn batch_limit(&self) -> BatchLimit {
        BatchLimit { examples: self.batch_size, tokens: self.micro_batch_tokens }
    }

    /// Examples of one step.
    pub fn step_examples(&self) -> usize {
        self.batch_size * self.gradient_accumulation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_fields() {
        let full = TrainSettings {
            label_words: Some("words.json".to_owned()),
            target_modules: Some(vec![Projection::QProj]),
            max_steps: Some(1),
            train_size: Some(1),
            fold: Fold::new(1, 2),
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
            class_weights: ClassWeights::Given([("style".to_owned(), 2.0)].into()),
            fold: Fold::new(2, 5),
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
