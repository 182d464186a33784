//! The one table of training settings. A setting is added here and nowhere else.
//!
//! Each entry has the field's documentation, its name, type and default, then its heading, its placeholder and its line
//! of help. After these may follow `adapters` (the kinds of adapter that read it), `range` (the numbers it can have),
//! `published` (its value in the paper's recipe, beside its default) and `without_effect` (a run comes out the same
//! whatever it is). How its text is read and which choices there are follow
//! from the type. From this come [`TrainSettings`] with its defaults, and [`TrainSettings::SETTINGS`], from which flags,
//! variables, file keys, help, completions, the reference page and the checks are made.

use super::setting::{Group, Range, Setting, Value};
use super::{
    Adapter, Batches, BestMetric, ClassWeights, Every, Fold, HeadKind, MemoryLimit, MethodOptions, Objective,
    Offsets, Recipe, TargetModules, Tune,
};
use crate::step::schedule::Schedule;
use irtune_model::{BottleneckActivation, BottleneckPlace, LoraInit, Patterns, Precision};
use serde::{Deserialize, Serialize};

/// Beyond these no machine has room for a run, and products of them no longer fit a number of bytes.
pub(crate) const MOST_TOKENS: u64 = 1 << 20;
const MOST_EXAMPLES: u64 = 1 << 20;
const MOST_WIDTH: u64 = 1 << 40;
const MOST_THREADS: u64 = 1024;
const MOST_STEPS: u64 = 1 << 40;

macro_rules! settings {
    ($(
        $(#[$attribute:meta])*
        $name:ident: $type:ty = $default:expr,
        $group:ident, $placeholder:literal, $text:literal
        $(, adapters: [$($adapter:ident),+])? $(, range: $range:expr)? $(, published: $published:expr)?
        $(, without_effect: $without_effect:literal)?;
    )+) => {
        /// How a run trains.
        ///
        /// The defaults are [`Recipe::Default`]. Both recipes depart from the paper's published code (arXiv 2510.00268;
        /// ZhexiongLiu/IR-Tuning, commit 0a44982) in this: the head trains (published: it stays at its random start);
        /// layers are chosen by the method as the paper means it (`fidelity = "paper"`); evaluation comes once an epoch
        /// and never touches the test set before the end (published: both sets every 10 steps); the best model by
        /// validation macro-F1 is kept (published: the last); checkpoints are written once an epoch (published: none);
        /// nothing is padded.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct TrainSettings {
            $($(#[$attribute])* pub $name: $type,)+
            /// What is set about the method, each option under its own name; a name that is no option's either is an
            /// error.
            #[serde(flatten)]
            pub method_options: MethodOptions,
        }

        impl Default for TrainSettings {
            fn default() -> Self {
                Self { $($name: $default,)+ method_options: MethodOptions::default() }
            }
        }

        impl TrainSettings {
            /// The values of a recipe.
            pub fn of(recipe: Recipe) -> Self {
                match recipe {
                    Recipe::Default => Self::default(),
                    Recipe::Published => Self { recipe, $($($name: $published,)?)+ ..Self::default() },
                }
            }

            /// Every setting but the methods' options, in the order of the help.
            pub const SETTINGS: &[Setting] = &[$(
                #[allow(clippy::needless_update, reason = "an entry may say everything")]
                Setting {
                    choices: <$type as Value>::CHOICES,
                    $(adapters: &[$(Adapter::$adapter),+],)?
                    $(range: Some($range),)?
                    $(in_recipes: !stringify!($published).is_empty(),)?
                    $(without_effect: $without_effect,)?
                    ..Setting::new(
                        stringify!($name), Group::$group, <$type as Value>::KIND, $placeholder, $text
                    )
                },
            )+];

            /// The numbers among the values, in the order of [`TrainSettings::SETTINGS`].
            pub(super) fn numbers(&self) -> Vec<Option<f64>> {
                vec![$(Value::number(&self.$name)),+]
            }

            /// Whether each value is another than its recipe says, in the order of [`TrainSettings::SETTINGS`].
            pub(super) fn changed(&self) -> Vec<bool> {
                let default = Self::of(self.recipe);
                vec![$(self.$name != default.$name),+]
            }
        }
    };
}

settings! {
    /// Where values come from that nothing else says: see [`TrainSettings::of`]. A run keeps all values, so its recipe is
    /// only what they came from.
    recipe: Recipe = Recipe::Default,
    Data, "RECIPE", "Where values come from that nothing else says: default, or published, the paper's",
    without_effect: true;

    /// `marked`, `changes`, `instruction`, `pair`, or the path of a template file. `chat:` in front puts it into the base's
    /// chat template; `chat` is `chat:instruction`.
    prompt: String = "marked".to_owned(),
    Data, "PROMPT",
    "marked, changes, instruction, pair, or the path of a template file; chat: in front of it puts it into the base's \
     chat template, and chat is chat:instruction",
    published: "instruction".to_owned();

    /// The system turn of a prompt in a chat. Without it the base's chat template writes its own, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String> = None,
    Data, "TEXT", "System turn of a prompt in a chat; the chat template's own when not given";

    /// Longest example in tokens; longer pairs are shortened around their change.
    max_length: usize = 96,
    Data, "TOKENS", "Longest example; longer pairs are shortened around what changed. 128 where a language model answers \
     (objective words) and no prompt is named",
    range: Range::FromOneTo(MOST_TOKENS),
    published: 256;

    /// Share of the training pairs to validate on when no validation file is given; 0 validates on nothing.
    validation_fraction: f64 = 0.1,
    Data, "SHARE", "Share held out when there is no validation file",
    range: Range::Share;

    /// How many of the training pairs to train on, labels in proportion, drawn by `seed`: a subset holds all smaller
    /// ones. Validation pairs are held out before. All when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    train_size: Option<usize> = None,
    Data, "N", "Train on so many pairs, labels in proportion, drawn by the seed",
    range: Range::FromOne;

    /// Whether a pair can have several labels, or none: its label is then a list, and each label has a probability, a
    /// training loss and a threshold of its own.
    multi_label: bool = false,
    Data, "BOOL", "Whether a pair can have several labels, or none: the label column then holds a list of them";

    /// The part of the training file that is the test set; training and validation pairs come from the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    fold: Option<Fold> = None,
    Data, "PART/PARTS", "The part of the training pairs to test on, by document, such as 2/5";

    /// Which layers train: a name of `irtune_select`'s table of methods.
    method: String = "ir".to_owned(),
    Method, "METHOD", "Which layers train in a step: {choices}";

    /// Whether the classification head trains, or stays at its random start.
    train_head: bool = true,
    Method, "BOOL", "Whether the classification head trains";

    /// What the classification head reads.
    head: HeadKind = HeadKind::Edit,
    Method, "HEAD",
    "What the head reads: edit (the last token, the changed tokens and counters of the change), or pooled (the last token)",
    published: HeadKind::Pooled;

    /// Whether only the head trains: there are no adapters, and the method chooses nothing. What the head pools of each
    /// example is then computed once and kept on disk, beside the run, which changes nothing but time.
    head_only: bool = false,
    Method, "BOOL", "Train the classification head alone, without adapters";

    /// Whether a classification head or the base's own language-model head learns to tell the labels.
    objective: Objective = Objective::Head,
    Method, "OBJECTIVE",
    "What learns to tell the labels: head (a new one), or words (the base's own, by the labels' words)";

    /// JSON file of the labels' words for the objective `words`; their names when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    label_words: Option<String> = None,
    Method, "FILE", "JSON file of the labels' words for the objective words; their names when not given";

    /// What of a layer trains.
    tune: Tune = Tune::Adapters,
    Adapter, "WHAT",
    "What of a layer trains: adapters, or weights, its own matrices and norm gains without adapters";

    /// The kind of adapter; `none` where weights are tuned.
    adapter: Adapter = Adapter::Lora,
    Adapter, "ADAPTER", "What trains beside a layer: {choices}";

    /// Rank of LoRA and DoRA.
    rank: usize = 32,
    Adapter, "N", "rank of the adapters",
    adapters: [Lora, Dora], range: Range::FromOneTo(MOST_WIDTH),
    published: 32;

    /// Alpha of LoRA and DoRA; the adapters' product is scaled by alpha/rank.
    alpha: f32 = 64.0,
    Adapter, "X", "scale of the adapters, divided by the rank",
    adapters: [Lora, Dora], range: Range::Above("twice the rank"),
    published: 64.0;

    /// Other ranks of some modules, by regular expressions over their paths, as PEFT's `rank_pattern`.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    rank_pattern: Patterns<usize> = Patterns::default(),
    Adapter, "PATTERN=N,…", "other ranks of some modules, by the end of their paths, such as down_proj=8",
    adapters: [Lora, Dora];

    /// Other alphas of some modules, in the same way.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    alpha_pattern: Patterns<f32> = Patterns::default(),
    Adapter, "PATTERN=X,…", "other alphas of some modules, such as down_proj=16",
    adapters: [Lora, Dora];

    /// Whether it is scaled by alpha/√rank instead (rsLoRA).
    rslora: bool = false,
    Adapter, "BOOL", "divide alpha by the root of the rank (rsLoRA)",
    adapters: [Lora, Dora],
    published: false;

    /// Learning rate of B (and of DoRA's magnitudes) over that of A (LoRA+); 1 is one rate for all.
    lora_plus_ratio: f32 = 1.0,
    Adapter, "X", "learning rate of B over that of A (LoRA+, there 16)",
    adapters: [Lora, Dora], range: Range::Above("16"),
    published: 1.0;

    /// What LoRA's matrices start from.
    lora_init: LoraInit = LoraInit::Default,
    Adapter, "INIT", "default, or for lora pissa: principal parts of the base's matrices",
    adapters: [Lora, Dora];

    /// Whether DoRA's norm is a constant to the gradient.
    dora_detach_norm: bool = true,
    Adapter, "BOOL", "whether the norm is a constant to the gradient, as the paper advises",
    adapters: [Dora];

    /// Values between a bottleneck's two matrices.
    bottleneck_size: usize = 256,
    Adapter, "N", "values between its two matrices",
    adapters: [Bottleneck], range: Range::FromOneTo(MOST_WIDTH);

    /// The function between them.
    bottleneck_activation: BottleneckActivation = BottleneckActivation::Tanh,
    Adapter, "ACTIVATION", "{choices}",
    adapters: [Bottleneck];

    /// Whether a bottleneck stands beside its projection or after it.
    bottleneck_place: BottleneckPlace = BottleneckPlace::Parallel,
    Adapter, "PLACE", "parallel to its projection, or serial: after it",
    adapters: [Bottleneck];

    /// Factor of what a bottleneck adds.
    bottleneck_scaling: f32 = 1.0,
    Adapter, "X", "factor of what it adds",
    adapters: [Bottleneck], range: Range::Above("1");

    /// Probability that an input of an adapter is dropped in training; (IA)³ drops nothing.
    dropout: f32 = 0.05,
    Adapter, "SHARE", "dropout before the adapters",
    adapters: [Lora, Dora, Bottleneck], range: Range::Share,
    published: 0.05;

    /// The projections that have an adapter, in every layer; the kind's usual ones when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_modules: Option<TargetModules> = None,
    Adapter, "LIST",
    "Projections with an adapter, separated by commas, all-linear, or a regular expression for their paths; the adapter's usual ones when not given",
    adapters: [Lora, Dora, Bottleneck, Ia3];

    /// Peak learning rate.
    learning_rate: f64 = 5e-4,
    Optimization, "X", "Highest learning rate",
    range: Range::Above("2e-4"),
    published: 2e-4;

    /// Learning rate of the classification head over that of everything else.
    #[serde(default = "same_rate")]
    head_learning_rate_ratio: f32 = 1.0,
    Optimization, "X", "Learning rate of the head over that of all else",
    range: Range::Above("1"),
    published: 1.0;

    /// How the learning rate moves after the warm-up.
    schedule: Schedule = Schedule::Linear,
    Optimization, "SCHEDULE", "{choices}",
    published: Schedule::Linear;

    /// Share of the steps over which the learning rate rises from zero to its peak.
    warmup_share: f64 = 0.1,
    Optimization, "SHARE", "Share of the steps until the highest learning rate",
    range: Range::Share,
    published: 0.0;

    /// The number of these steps; when given it counts, and `warmup_share` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    warmup_steps: Option<u64> = None,
    Optimization, "N", "Steps until the highest learning rate; wins over its share",
    range: Range::UpTo(MOST_STEPS),
    published: Some(100);

    /// Decoupled weight decay.
    weight_decay: f64 = 0.0,
    Optimization, "X", "Decoupled weight decay",
    range: Range::FromZero,
    published: 0.0;

    /// Longest gradient over everything that trains in a step; longer ones are scaled down, 0 leaves all as they are.
    max_grad_norm: f64 = 1.0,
    Optimization, "X", "Gradients are clipped to this norm; 0 never clips",
    range: Range::FromZeroFor("no limit"),
    published: 1.0;

    /// What an example of each label counts in the training loss; with `multi_label` what having the label counts beside
    /// not having it.
    class_weights: ClassWeights = ClassWeights::None,
    Optimization, "WEIGHTS", "What labels count in the loss: none, balanced, or a JSON file of weights",
    published: ClassWeights::None;

    /// Whether the training loss is that of the shares of each pair's annotators, where rows say what each of them said,
    /// instead of that of their majority.
    soft_labels: bool = false,
    Optimization, "BOOL", "Learn the shares of the annotators' labels, where the label column holds lists";

    /// Share of the target that is spread evenly over all labels in the training loss.
    label_smoothing: f64 = 0.0,
    Optimization, "SHARE", "Share of each target spread over all labels",
    range: Range::Share,
    published: 0.0;

    /// Examples that go through the model together.
    batch_size: usize = 16,
    Optimization, "N", "Examples in a batch",
    range: Range::FromOneTo(MOST_EXAMPLES),
    published: 16;

    /// Tokens of a batch: every batch then has nearly as many, on average at most these, and `batch_size` counts in
    /// evaluations only.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_tokens: Option<usize> = None,
    Optimization, "TOKENS", "Make batches of about so many tokens instead of examples",
    range: Range::FromOneTo(MOST_WIDTH);

    /// Which examples share a batch.
    batches: Batches = Batches::Shuffled,
    Optimization, "BATCHES", "shuffled, or related: revisions of one text share a batch, which then computes it once";

    /// Batches whose gradients make one step: a step sees `batch_size × gradient_accumulation` examples.
    gradient_accumulation: usize = 1,
    Optimization, "N", "Batches in a step",
    range: Range::FromOneTo(MOST_EXAMPLES),
    published: 1;

    /// Passes over the training examples.
    epochs: u64 = 2,
    Optimization, "N", "Passes over the training pairs",
    range: Range::FromOneTo(MOST_STEPS),
    published: 4;

    /// The training examples are passed over as often again as makes so many steps, for a few hundred labels need more
    /// passes than a few thousand; 0 passes no more often than `epochs`.
    min_steps: u64 = 100,
    Optimization, "N", "Steps at least: a small corpus is passed over more often than epochs says",
    range: Range::UpTo(MOST_STEPS), published: 0;

    /// Number of steps; when given it counts, and `epochs` and `min_steps` do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_steps: Option<u64> = None,
    Optimization, "N", "Steps in all; wins over epochs and min_steps",
    range: Range::FromOneTo(MOST_STEPS);

    /// Of every random draw: the start, the order of the examples, dropout, the choice of layers, the held-out pairs.
    seed: u64 = 171,
    Optimization, "N", "Seed of everything random";

    /// When to evaluate on the validation pairs, besides at the end.
    eval_every: Every = Every::Epoch,
    Evaluation, "EVERY", "Steps between evaluations, or epoch, or never",
    range: Range::FromOneTo(MOST_STEPS);

    /// When to write a checkpoint, besides on an interrupt.
    save_every: Every = Every::Epoch,
    Evaluation, "EVERY", "Steps between checkpoints, or epoch, or never",
    range: Range::FromOneTo(MOST_STEPS),
    without_effect: true;

    /// What the best model is chosen by.
    best_metric: BestMetric = BestMetric::MacroF1,
    Evaluation, "METRIC", "{choices}";

    /// Whether the model's answers are combined with those of a linear model on the words that changed, as is best on
    /// the validation pairs.
    stack: bool = true,
    Evaluation, "BOOL", "Combine the model's answers with those of the linear model, as is best on the validation pairs",
    published: false;

    /// Whether, at the end, the kept model's probabilities are fitted to the validation pairs: by a temperature, and by
    /// offsets of the labels, with `multi_label` by thresholds.
    calibrate: bool = true,
    Evaluation, "BOOL", "Fit the kept model's probabilities to the validation pairs at the end",
    published: false;

    /// What the labels' offsets, with `multi_label` their thresholds, are tuned for, where `calibrate` is on.
    offsets: Offsets = Offsets::BestMetric,
    Evaluation, "FIGURE", "What the labels' offsets of that fit, or their thresholds, are to raise: {choices}";

    /// Evaluations in a row without a better model after which the run stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    early_stopping_patience: Option<u64> = None,
    Evaluation, "N", "Stop after this many evaluations without improvement",
    range: Range::FromOne;

    /// Of the frozen model's arithmetic.
    precision: Precision = Precision::Auto,
    Machine, "PRECISION", "{choices}";

    /// Threads; as many as the machine has cores when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<usize> = None,
    Machine, "N", "Threads; all cores when not given",
    range: Range::FromOneTo(MOST_THREADS), without_effect: true;

    /// A batch of more tokens than this goes through the model in several passes, whose gradients add up to the same
    /// step: less memory, and nearly as fast. 0 for never. Cosines (`ir` with that metric) are measured on whole batches.
    micro_batch_tokens: usize = 1024,
    Machine, "TOKENS", "A batch of more tokens goes through the model in parts, which saves memory; 0 for never";

    /// Most memory to use: layers whose activations don't fit are recomputed, which takes time but changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<MemoryLimit> = None,
    Machine, "AMOUNT", "Most memory to use, such as 600MB; activations that don't fit are recomputed",
    without_effect: true;

    /// Whether a run that this machine has no room for is refused before it begins, with settings that would fit.
    check_memory: bool = true,
    Machine, "BOOL", "Refuse what the machine has no memory for before the run begins",
    without_effect: true;

    /// Whether hidden states below the lowest layer that the method still trains are kept on disk, beside the run, as
    /// soon as that layer is known, so that later epochs and evaluations don't compute them again. Changes nothing but
    /// time.
    cache_states: bool = false,
    Machine, "BOOL", "Keep hidden states below the lowest layer that can train on disk, for later epochs",
    without_effect: true;
}

/// What a run did that was made before there was another rate for the head.
fn same_rate() -> f32 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = toml::from_str::<TrainSettings>("learning_rat = 1e-3").unwrap_err();
        assert!(error.to_string().contains("unknown field `learning_rat`"), "{error}");
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
    fn the_table_keeps_its_headings_together_and_has_every_field() {
        let groups: Vec<Group> = TrainSettings::SETTINGS.iter().map(|setting| setting.group).collect();
        assert!(groups.is_sorted(), "{groups:?}");
        let full = TrainSettings {
            system: Some("Be brief.".to_owned()),
            label_words: Some("words.json".to_owned()),
            target_modules: Some(TargetModules::AllLinear),
            warmup_steps: Some(1),
            rank_pattern: "up_proj=4".parse().unwrap(),
            alpha_pattern: "up_proj=8".parse().unwrap(),
            batch_tokens: Some(1),
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
        let names: Vec<&str> = TrainSettings::SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(fields, names);
    }
}
