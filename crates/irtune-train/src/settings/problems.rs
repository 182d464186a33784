//! What is wrong with settings, all of it at once.

use super::{Every, TrainSettings, Tune};
use irtune_model::Projection;
use irtune_select::{LayerSet, METHODS, Method, SelectError, method};

/// A setting that can't be used, and what could be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
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
    /// A number that must be at least 1.
    #[error("{name}: 0 is not possible; use 1 or more")]
    Zero {
        /// The setting.
        name: &'static str,
    },
    /// A number outside its range, or not a number.
    #[error("{name}: {value} is not possible; use {range}")]
    Range {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What can be used.
        range: &'static str,
    },
    /// Nothing to adapt.
    #[error("target_modules: the list is empty; name at least one of {known}")]
    NoTarget {
        /// Names of the projections there are, separated by commas.
        known: String,
    },
    /// The same projection twice.
    #[error("target_modules: {projection} is named twice; name it once")]
    RepeatedTarget {
        /// The projection.
        projection: Projection,
    },
    /// A method that weakens adapters, where there are none.
    #[error("tune: `{method}` needs adapters, which it weakens to measure the layers; use adapters")]
    NeedsAdapters {
        /// The method.
        method: &'static str,
    },
    /// An empty prompt name.
    #[error("prompt: no name; use instruction, pair or the path of a template file")]
    NoPrompt,
    /// Early stopping waits for evaluations that never come.
    #[error(
        "early_stopping_patience: without evaluations it never stops a run; set eval_every to epoch or to a number"
    )]
    PatienceWithoutEvaluation,
}

fn at_least_one(name: &'static str, value: u64) -> Option<Problem> {
    (value == 0).then_some(Problem::Zero { name })
}

fn in_range(name: &'static str, value: f64, fits: bool, range: &'static str) -> Option<Problem> {
    (!(value.is_finite() && fits)).then_some(Problem::Range { name, value, range })
}

impl TrainSettings {
    /// Everything that is wrong with these settings by themselves; empty when they can be used.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        match method(&self.method) {
            Ok(method) => {
                let found = method.problems(self.method_options.as_map()).into_iter();
                problems.extend(found.map(|(option, source)| Problem::MethodOption { option, source }));
                if self.tune == Tune::Weights && self.weakens_adapters(method) {
                    problems.push(Problem::NeedsAdapters { method: method.name });
                }
            }
            Err(_) => {
                let known = METHODS.iter().map(|method| method.name).collect::<Vec<_>>().join(", ");
                problems.push(Problem::Method { method: self.method.clone(), known });
            }
        }
        self.adapter_problems(&mut problems);
        let numbers = [
            at_least_one("batch_size", self.batch_size as u64),
            at_least_one("gradient_accumulation", self.gradient_accumulation as u64),
            self.max_steps.map_or_else(
                || at_least_one("epochs", self.epochs),
                |max_steps| at_least_one("max_steps", max_steps),
            ),
            at_least_one("max_length", self.max_length as u64),
            self.threads.and_then(|threads| at_least_one("threads", threads as u64)),
            self.early_stopping_patience
                .and_then(|patience| at_least_one("early_stopping_patience", patience)),
            in_range(
                "learning_rate",
                self.learning_rate,
                self.learning_rate > 0.0,
                "a number above 0, such as 2e-4",
            ),
            in_range("weight_decay", self.weight_decay, self.weight_decay >= 0.0, "0 or more"),
            in_range("max_grad_norm", self.max_grad_norm, self.max_grad_norm >= 0.0, "0 (no limit) or more"),
            in_range(
                "validation_fraction",
                self.validation_fraction,
                (0.0..1.0).contains(&self.validation_fraction),
                "0 or more and less than 1",
            ),
        ];
        problems.extend(numbers.into_iter().flatten());
        if self.prompt.trim().is_empty() {
            problems.push(Problem::NoPrompt);
        }
        if self.early_stopping_patience.is_some() && self.eval_every == Every::Never {
            problems.push(Problem::PatienceWithoutEvaluation);
        }
        problems
    }

    fn weakens_adapters(&self, method: &Method) -> bool {
        let policy = method.build(LayerSet::MAXIMUM_LAYERS, self.method_options.as_map());
        policy.is_ok_and(|policy| policy.needs().probes)
    }

    fn adapter_problems(&self, problems: &mut Vec<Problem>) {
        let (alpha, dropout) = (f64::from(self.alpha), f64::from(self.dropout));
        problems.extend(at_least_one("rank", self.rank as u64));
        problems.extend(in_range("alpha", alpha, alpha > 0.0, "a number above 0, such as twice the rank"));
        problems.extend(in_range(
            "dropout",
            dropout,
            (0.0..1.0).contains(&dropout),
            "0 or more and less than 1",
        ));
        if self.target_modules.is_empty() {
            let known = Projection::ALL.map(Projection::name).join(", ");
            problems.push(Problem::NoTarget { known });
        }
        for (index, projection) in self.target_modules.iter().enumerate() {
            if self.target_modules[..index].contains(projection) {
                problems.push(Problem::RepeatedTarget { projection: *projection });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(change: impl FnOnce(&mut TrainSettings)) -> Vec<String> {
        let mut settings = TrainSettings::default();
        change(&mut settings);
        settings.problems().iter().map(Problem::to_string).collect()
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
            |settings| (settings.tune, settings.method) = (Tune::Weights, "ist".into()),
            "tune: `ist` needs adapters",
        );
        one(|settings| settings.rank = 0, "rank: 0 is not possible; use 1 or more");
        one(|settings| settings.alpha = f32::NAN, "alpha: NaN is not possible");
        one(|settings| settings.dropout = 1.0, "dropout: 1 is not possible; use 0 or more and less than 1");
        one(|settings| settings.target_modules.clear(), "target_modules: the list is empty");
        one(
            |settings| settings.target_modules.push(Projection::QProj),
            "target_modules: q_proj is named twice; name it once",
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
        one(|settings| settings.threads = Some(0), "threads: 0 is not possible");
        one(
            |settings| settings.early_stopping_patience = Some(0),
            "early_stopping_patience: 0 is not possible",
        );
        one(|settings| settings.validation_fraction = 1.0, "validation_fraction: 1 is not possible");
        one(|settings| settings.prompt = " ".into(), "prompt: no name");
        one(
            |settings| (settings.early_stopping_patience, settings.eval_every) = (Some(2), Every::Never),
            "early_stopping_patience: without evaluations",
        );
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
            let found =
                messages(|settings| (settings.tune, settings.method) = (Tune::Weights, method.name.into()));
            assert_eq!(found.is_empty(), method.name != "ist", "{found:?}");
        }
    }

    #[test]
    fn epochs_do_not_count_beside_max_steps() {
        assert!(messages(|settings| (settings.epochs, settings.max_steps) = (0, Some(5))).is_empty());
    }
}
