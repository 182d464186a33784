//! What is wrong with settings, all of it at once.

use super::{Adapter, ClassWeights, Every, HeadKind, Objective, Range, TrainSettings, Tune};
use irtune_data::PromptChoice;
use irtune_model::{LoraInit, Projection};
use irtune_select::{LayerSet, METHODS, Method, SelectError, method};

/// A setting that can't be used, and what could be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidSetting {
    /// No such method.
    #[error("method: there is no `{method}`; use one of {known}")]
    Method {
        /// What was given.
        method: String,
        /// Names of the methods there are, separated by commas.
        known: String,
    },
    /// An option that the method does not have, or a value it cannot have.
    #[error("{option}: {source}")]
    MethodOption {
        /// The option.
        option: String,
        /// What is wrong.
        source: SelectError,
    },
    /// A number outside its range, or not a number.
    #[error("{name}: {value} is not possible; use {}", range.text())]
    Range {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What can be used.
        range: Range,
    },
    /// Nothing to adapt.
    #[error("target_modules: the list is empty; name at least one of {known}")]
    NoTarget {
        /// Names of the projections there are, separated by commas.
        known: String,
    },
    /// Neither head nor layers train.
    #[error("head_only: train_head is false, so nothing trains; leave one of the two out")]
    NothingTrains,
    /// The same projection twice.
    #[error("target_modules: {projection} is named twice; name it once")]
    RepeatedTarget {
        /// The projection.
        projection: Projection,
    },
    /// Nothing to train.
    #[error(
        "adapter: with `none` no layer has anything to train; use lora, dora, bottleneck or ia3, or set tune to weights"
    )]
    NoAdapter,
    /// Weights and adapters don't train together.
    #[error(
        "adapter: tune is weights, which train without `{adapter}`; use none, or leave one of the two out"
    )]
    AdapterBesideWeights {
        /// The kind of adapter.
        adapter: Adapter,
    },
    /// No layer trains, so none of its weights.
    #[error("tune: head_only trains the head alone, and no weights of layers; leave one of the two out")]
    WeightsBesideHeadOnly,
    /// DoRA takes its magnitudes from the base as it is.
    #[error("lora_init: DoRA can't start from PiSSA; use default, or the adapter lora")]
    DoraFromPissa,
    /// A method that weakens adapters, where there are none.
    #[error("tune: `{method}` needs adapters, which it weakens to measure the layers; use adapters")]
    NeedsAdapters {
        /// The method.
        method: &'static str,
    },
    /// An empty prompt name.
    #[error("prompt: no name; use instruction, pair, marked, changes, chat or the path of a template file")]
    NoPrompt,
    /// Words for a turn that isn't there.
    #[error("system: only a chat has a system turn; set prompt to chat, or leave it out")]
    SystemWithoutChat,
    /// Words that nobody would say.
    #[error("label_words: only the objective `words` reads them; set objective to words, or leave them out")]
    WordsWithoutObjective,
    /// There is no head that could do what is asked of it.
    #[error(
        "{name}: the objective `words` has no head to do this with; set objective to head, or leave {name} out"
    )]
    NeedsHead {
        /// The setting.
        name: &'static str,
    },
    /// What is asked for needs pairs that have one label.
    #[error(
        "{name}: it is for pairs with one label, and with multi_label they can have several; leave one of the two out"
    )]
    OneLabelOnly {
        /// The setting.
        name: &'static str,
    },
    /// Early stopping waits for evaluations that never come.
    #[error(
        "early_stopping_patience: without evaluations it never stops a run; set eval_every to epoch or to a number"
    )]
    PatienceWithoutEvaluation,
}

impl TrainSettings {
    /// Everything that is wrong with these settings by themselves; empty when they can be used.
    pub fn problems(&self) -> Vec<InvalidSetting> {
        let mut problems = Vec::new();
        match method(&self.method) {
            Ok(method) => {
                let found = method.problems(self.method_options.as_map()).into_iter();
                problems
                    .extend(found.map(|(option, source)| InvalidSetting::MethodOption { option, source }));
                if self.tune == Tune::Weights && self.weakens_adapters(method) {
                    problems.push(InvalidSetting::NeedsAdapters { method: method.name });
                }
            }
            Err(_) => {
                let known = METHODS.iter().map(|method| method.name).collect::<Vec<_>>().join(", ");
                problems.push(InvalidSetting::Method { method: self.method.clone(), known });
            }
        }
        self.range_problems(&mut problems);
        self.adapter_problems(&mut problems);
        if self.system.is_some() && !PromptChoice::is_chat(&self.prompt) {
            problems.push(InvalidSetting::SystemWithoutChat);
        }
        if self.label_words.is_some() && self.objective != Objective::Words {
            problems.push(InvalidSetting::WordsWithoutObjective);
        }
        let of_the_head = [
            ("head", self.head != HeadKind::Pooled),
            ("head_only", self.head_only),
            ("class_weights", self.class_weights != ClassWeights::default()),
            ("label_smoothing", self.label_smoothing != 0.0),
            ("soft_labels", self.soft_labels),
        ];
        if self.objective == Objective::Words {
            let asked = of_the_head.into_iter().filter(|(_, asked)| *asked);
            problems.extend(asked.map(|(name, _)| InvalidSetting::NeedsHead { name }));
        }
        if self.multi_label {
            let of_one_label = [
                ("objective", self.objective == Objective::Words),
                ("soft_labels", self.soft_labels),
                ("label_smoothing", self.label_smoothing != 0.0),
            ];
            let asked = of_one_label.into_iter().filter(|(_, asked)| *asked);
            problems.extend(asked.map(|(name, _)| InvalidSetting::OneLabelOnly { name }));
        }
        if self.head_only && self.tune == Tune::Weights {
            problems.push(InvalidSetting::WeightsBesideHeadOnly);
        }
        if self.head_only && !self.train_head {
            problems.push(InvalidSetting::NothingTrains);
        }
        if self.prompt.trim().is_empty() {
            problems.push(InvalidSetting::NoPrompt);
        }
        if self.early_stopping_patience.is_some() && self.eval_every == Every::Never {
            problems.push(InvalidSetting::PatienceWithoutEvaluation);
        }
        problems
    }

    fn weakens_adapters(&self, method: &Method) -> bool {
        let policy = method.build(LayerSet::MAXIMUM_LAYERS, self.method_options.as_map());
        policy.is_ok_and(|policy| policy.needs().probes)
    }

    fn range_problems(&self, problems: &mut Vec<InvalidSetting>) {
        for (setting, value) in Self::SETTINGS.iter().zip(self.numbers()) {
            // Beside a number of steps, epochs do not count.
            let counts = setting.name != "epochs" || self.max_steps.is_none();
            if let (Some(range), Some(value)) = (setting.range, value)
                && counts
                && !range.holds(value)
            {
                problems.push(InvalidSetting::Range { name: setting.name, value, range });
            }
        }
    }

    fn adapter_problems(&self, problems: &mut Vec<InvalidSetting>) {
        match self.adapter {
            Adapter::None if self.tune == Tune::Weights || self.head_only => {}
            Adapter::None => problems.push(InvalidSetting::NoAdapter),
            adapter if self.tune == Tune::Weights => {
                problems.push(InvalidSetting::AdapterBesideWeights { adapter })
            }
            Adapter::Dora if self.lora_init == LoraInit::Pissa => {
                problems.push(InvalidSetting::DoraFromPissa)
            }
            _ => {}
        }
        let targets = self.targets();
        if targets.is_empty() {
            let known = Projection::ALL.map(Projection::name).join(", ");
            problems.push(InvalidSetting::NoTarget { known });
        }
        for (index, projection) in targets.iter().enumerate() {
            if targets[..index].contains(projection) {
                problems.push(InvalidSetting::RepeatedTarget { projection: *projection });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TargetModules;

    fn messages(change: impl FnOnce(&mut TrainSettings)) -> Vec<String> {
        // The objective `words` has no head.
        let mut settings = TrainSettings { head: HeadKind::Pooled, ..TrainSettings::default() };
        change(&mut settings);
        settings.problems().iter().map(InvalidSetting::to_string).collect()
    }

    #[test]
    fn the_defaults_have_none() {
        assert_eq!(messages(|_| {}), Vec::<String>::new());
    }

    #[test]
    fn each_kind_names_its_setting_and_the_way_out() {
        let one = |change: fn(&mut TrainSettings), expected: &str| {
            let found = messages(change);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(expected), "{found:?}");
        };
        one(|settings| settings.method = "best".into(), "method: there is no `best`; use one of ");
        one(
            |settings| settings.method_options.set("split_num", "3"),
            "split_num: option `split_num` of method `ir` cannot be `3`; it takes `1` or `2`",
        );
        one(
            |settings| settings.method_options.set("layers", "3"),
            "layers: method `ir` has no option `layers`; it has: metric, fidelity, split_num, settle",
        );
        one(
            |settings| {
                (settings.tune, settings.adapter) = (Tune::Weights, Adapter::None);
                settings.method = "ist".into();
            },
            "tune: `ist` needs adapters",
        );
        one(
            |settings| (settings.tune, settings.adapter) = (Tune::Weights, Adapter::Dora),
            "adapter: tune is weights, which train without `dora`; use none",
        );
        one(
            |settings| {
                (settings.tune, settings.adapter) = (Tune::Weights, Adapter::None);
                settings.head_only = true;
            },
            "tune: head_only trains the head alone",
        );
        one(|settings| settings.rank = 0, "rank: 0 is not possible; use 1 to 1099511627776");
        one(|settings| settings.alpha = f32::NAN, "alpha: NaN is not possible");
        one(|settings| settings.dropout = 1.0, "dropout: 1 is not possible; use 0 or more and less than 1");
        one(
            |settings| settings.target_modules = Some(TargetModules::Named(Vec::new())),
            "target_modules: the list is empty",
        );
        one(
            |settings| settings.target_modules = Some(TargetModules::Named(vec![Projection::QProj; 2])),
            "target_modules: q_proj is named twice; name it once",
        );
        one(
            |settings| settings.lora_plus_ratio = 0.0,
            "lora_plus_ratio: 0 is not possible; use a number above 0",
        );
        one(
            |settings| settings.bottleneck_size = 0,
            "bottleneck_size: 0 is not possible; use 1 to 1099511627776",
        );
        one(|settings| settings.bottleneck_scaling = f32::NAN, "bottleneck_scaling: NaN is not possible");
        one(
            |settings| settings.adapter = Adapter::None,
            "adapter: with `none` no layer has anything to train",
        );
        one(
            |settings| (settings.adapter, settings.lora_init) = (Adapter::Dora, LoraInit::Pissa),
            "lora_init: DoRA can't start from PiSSA; use default, or the adapter lora",
        );
        one(
            |settings| settings.learning_rate = 0.0,
            "learning_rate: 0 is not possible; use a number above 0",
        );
        one(|settings| settings.weight_decay = -0.1, "weight_decay: -0.1 is not possible");
        one(|settings| settings.max_grad_norm = f64::INFINITY, "max_grad_norm: inf is not possible");
        one(|settings| settings.batch_size = 0, "batch_size: 0 is not possible");
        one(|settings| settings.gradient_accumulation = 0, "gradient_accumulation: 0 is not possible");
        one(|settings| settings.epochs = 0, "epochs: 0 is not possible");
        one(|settings| settings.max_steps = Some(0), "max_steps: 0 is not possible");
        one(|settings| settings.max_length = 0, "max_length: 0 is not possible");
        one(|settings| settings.threads = Some(0), "threads: 0 is not possible; use 1 to 1024");
        one(
            |settings| settings.threads = Some(1 << 40),
            "threads: 1099511627776 is not possible; use 1 to 1024",
        );
        one(
            |settings| settings.rank = 1 << 41,
            "rank: 2199023255552 is not possible; use 1 to 1099511627776",
        );
        one(
            |settings| settings.bottleneck_size = usize::MAX,
            "bottleneck_size: 18446744073709552000 is not possible",
        );
        one(
            |settings| settings.batch_size = 1 << 30,
            "batch_size: 1073741824 is not possible; use 1 to 1048576",
        );
        one(
            |settings| settings.max_length = 1 << 30,
            "max_length: 1073741824 is not possible; use 1 to 1048576",
        );
        one(|settings| settings.gradient_accumulation = 1 << 30, "gradient_accumulation: 1073741824 is not");
        one(
            |settings| settings.early_stopping_patience = Some(0),
            "early_stopping_patience: 0 is not possible",
        );
        one(|settings| settings.validation_fraction = 1.0, "validation_fraction: 1 is not possible");
        one(|settings| settings.label_smoothing = 1.0, "label_smoothing: 1 is not possible; use 0 or more");
        one(|settings| settings.train_size = Some(0), "train_size: 0 is not possible; use 1 or more");
        one(
            |settings| (settings.head_only, settings.train_head) = (true, false),
            "head_only: train_head is false",
        );
        one(|settings| settings.prompt = " ".into(), "prompt: no name");
        one(|settings| settings.system = Some("Be brief.".into()), "system: only a chat has a system turn");
        one(
            |settings| settings.label_words = Some("w.json".into()),
            "label_words: only the objective `words`",
        );
        one(
            |settings| (settings.objective, settings.label_smoothing) = (Objective::Words, 0.1),
            "label_smoothing: the objective `words` has no head",
        );
        one(
            |settings| (settings.objective, settings.head) = (Objective::Words, HeadKind::Edit),
            "head: the objective `words` has no head",
        );
        one(
            |settings| (settings.objective, settings.soft_labels) = (Objective::Words, true),
            "soft_labels: the objective `words` has no head",
        );
        one(
            |settings| (settings.objective, settings.head_only) = (Objective::Words, true),
            "head_only: the objective `words` has no head",
        );
        one(
            |settings| (settings.early_stopping_patience, settings.eval_every) = (Some(2), Every::Never),
            "early_stopping_patience: without evaluations",
        );
    }

    #[test]
    fn what_is_for_one_label_is_refused_beside_several() {
        type Change = fn(&mut TrainSettings);
        let changes: [(&str, Change); 3] = [
            ("objective", |settings| settings.objective = Objective::Words),
            ("soft_labels", |settings| settings.soft_labels = true),
            ("label_smoothing", |settings| settings.label_smoothing = 0.1),
        ];
        for (name, change) in changes {
            let found = messages(|settings| {
                settings.multi_label = true;
                change(settings);
            });
            let expected =
                format!("{name}: it is for pairs with one label, and with multi_label they can have several");
            assert!(found.len() == 1 && found[0].starts_with(&expected), "{found:?}");
        }
        assert!(messages(|settings| settings.multi_label = true).is_empty());
    }

    #[test]
    fn all_are_reported_at_once() {
        let found = messages(|settings| {
            settings.rank = 0;
            settings.learning_rate = -1.0;
            settings.method = "x".into();
        });
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn every_method_but_those_that_weaken_adapters_can_train_weights() {
        for method in METHODS {
            let found = messages(|settings| {
                (settings.tune, settings.adapter) = (Tune::Weights, Adapter::None);
                settings.method = method.name.into();
            });
            assert_eq!(found.is_empty(), method.name != "ist", "{found:?}");
        }
    }

    #[test]
    fn without_adapters_weights_or_the_head_train() {
        let none = |settings: &mut TrainSettings| settings.adapter = Adapter::None;
        assert_eq!(messages(none).len(), 1);
        for change in [
            (|settings| settings.tune = Tune::Weights) as fn(&mut TrainSettings),
            |settings| settings.head_only = true,
            |settings| (settings.tune, settings.objective) = (Tune::Weights, Objective::Words),
        ] {
            let found = messages(|settings| {
                none(settings);
                change(settings);
            });
            assert_eq!(found, Vec::<String>::new());
        }
    }

    #[test]
    fn epochs_do_not_count_beside_max_steps() {
        assert!(messages(|settings| (settings.epochs, settings.max_steps) = (0, Some(5))).is_empty());
    }
}
