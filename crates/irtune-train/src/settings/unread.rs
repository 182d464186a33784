//! Settings that nothing reads beside the others.

use serde::Serialize;

use super::{Adapter, Objective, Offsets, TrainSettings, Tune};

/// Where a run's validation pairs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidatedOn {
    /// Pairs that were given.
    Given,
    /// A share of the training pairs.
    HeldOut,
    /// There are none.
    Nothing,
}

/// Settings that were given and are not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Their names.
    pub names: Vec<String>,
    /// Why nothing reads them.
    pub because: UnreadBecause,
}

/// Why nothing reads a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnreadBecause {
    /// It is of another kind of adapter.
    #[strum(to_string = "what trains in this run does not read")]
    Adapter,
    /// No layer trains.
    #[strum(to_string = "where the head alone trains, nothing reads")]
    HeadOnly,
    /// There is no head, or it does not train.
    #[strum(to_string = "where no head trains, nothing reads")]
    NoHead,
    /// There is nothing to validate on.
    #[strum(to_string = "without validation pairs nothing reads")]
    NoValidation,
    /// Nothing is held out.
    #[strum(to_string = "where validation pairs are given, nothing reads")]
    ValidationGiven,
    /// Outputs stay as they are.
    #[strum(to_string = "with calibrate false nothing reads")]
    NotCalibrated,
    /// The number of steps is given.
    #[strum(to_string = "beside max_steps nothing reads")]
    MaxSteps,
    /// The steps of the warm-up are given.
    #[strum(to_string = "beside warmup_steps nothing reads")]
    WarmupSteps,
}

impl TrainSettings {
    /// The kind of adapter that trains.
    fn trained_adapter(&self) -> Adapter {
        if self.head_only || self.tune == Tune::Weights { Adapter::None } else { self.adapter }
    }

    /// Settings that differ from their defaults though nothing reads them beside the others, by why.
    pub fn unread(&self, validated_on: ValidatedOn) -> Vec<Unread> {
        let changed: Vec<&str> = Self::SETTINGS
            .iter()
            .zip(self.changed())
            .filter(|(_, changed)| *changed)
            .map(|(setting, _)| setting.name)
            .collect();
        let among = |names: &[&'static str]| -> Vec<String> {
            names.iter().filter(|name| changed.contains(*name)).map(|name| (*name).to_owned()).collect()
        };
        let mut unread = vec![(UnreadBecause::Adapter, self.of_other_adapters(&changed))];
        if self.head_only {
            let options = self.method_options.as_map().keys().cloned();
            let names = among(&["method", "adapter"]).into_iter().chain(options).collect();
            unread.push((UnreadBecause::HeadOnly, names));
        }
        if self.objective == Objective::Words || !self.train_head {
            unread.push((UnreadBecause::NoHead, among(&["head_learning_rate_ratio"])));
        }
        match validated_on {
            ValidatedOn::Given => {
                unread.push((UnreadBecause::ValidationGiven, among(&["validation_fraction"])))
            }
            ValidatedOn::HeldOut => {}
            ValidatedOn::Nothing => {
                let names = among(&["eval_every", "best_metric", "early_stopping_patience", "offsets"]);
                unread.push((UnreadBecause::NoValidation, names));
            }
        }
        if !self.calibrate && self.offsets != Offsets::None && validated_on != ValidatedOn::Nothing {
            unread.push((UnreadBecause::NotCalibrated, among(&["offsets"])));
        }
        if self.max_steps.is_some() {
            unread.push((UnreadBecause::MaxSteps, among(&["epochs", "min_steps"])));
        }
        if self.warmup_steps.is_some() {
            unread.push((UnreadBecause::WarmupSteps, among(&["warmup_share"])));
        }
        let told = unread.into_iter().filter(|(_, names)| !names.is_empty());
        told.map(|(because, names)| Unread { names, because }).collect()
    }

    fn of_other_adapters(&self, changed: &[&str]) -> Vec<String> {
        let adapter = self.trained_adapter();
        let of_adapters = Self::SETTINGS.iter().filter(|setting| !setting.adapters.is_empty());
        of_adapters
            .filter(|setting| changed.contains(&setting.name) && !setting.adapters.contains(&adapter))
            .map(|setting| setting.name.to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{BestMetric, TargetModules};

    fn names(settings: &TrainSettings, validated_on: ValidatedOn) -> Vec<String> {
        let unread = settings.unread(validated_on);
        unread.iter().map(|unread| format!("{} {}", unread.because, unread.names.join(", "))).collect()
    }

    #[test]
    fn settings_of_another_adapter_are_named() {
        assert!(TrainSettings::default().unread(ValidatedOn::Nothing).is_empty());
        let changed = TrainSettings {
            rank: 8,
            bottleneck_size: 64,
            dora_detach_norm: false,
            dropout: 0.0,
            target_modules: Some(TargetModules::Named(vec![])),
            ..Default::default()
        };
        let unread = |settings: TrainSettings| settings.unread(ValidatedOn::HeldOut).remove(0).names;
        let of = |adapter| unread(TrainSettings { adapter, ..changed.clone() });
        assert_eq!(of(Adapter::Lora), ["dora_detach_norm", "bottleneck_size"]);
        assert_eq!(of(Adapter::Dora), ["bottleneck_size"]);
        assert_eq!(of(Adapter::Bottleneck), ["rank", "dora_detach_norm"]);
        assert_eq!(of(Adapter::Ia3), ["rank", "dora_detach_norm", "bottleneck_size", "dropout"]);
        assert_eq!(unread(TrainSettings { head_only: true, ..changed.clone() }).len(), 5);
        let weights = TrainSettings { tune: Tune::Weights, adapter: Adapter::None, ..changed };
        assert_eq!(unread(weights).len(), 5);
    }

    #[test]
    fn settings_that_others_leave_without_effect_are_named() {
        let validated = TrainSettings {
            validation_fraction: 0.0,
            early_stopping_patience: Some(3),
            best_metric: BestMetric::Accuracy,
            offsets: Offsets::Accuracy,
            ..Default::default()
        };
        assert_eq!(
            names(&validated, ValidatedOn::Nothing),
            ["without validation pairs nothing reads best_metric, early_stopping_patience, offsets"]
        );
        assert_eq!(
            names(&validated, ValidatedOn::Given),
            ["where validation pairs are given, nothing reads validation_fraction"]
        );
        let raw = TrainSettings { calibrate: false, offsets: Offsets::Accuracy, ..Default::default() };
        assert_eq!(names(&raw, ValidatedOn::HeldOut), ["with calibrate false nothing reads offsets"]);
        let head = TrainSettings { head_only: true, method: "lisa".to_owned(), ..Default::default() };
        assert_eq!(names(&head, ValidatedOn::HeldOut), ["where the head alone trains, nothing reads method"]);
        let random = TrainSettings { train_head: false, head_learning_rate_ratio: 4.0, ..Default::default() };
        assert_eq!(
            names(&random, ValidatedOn::HeldOut),
            ["where no head trains, nothing reads head_learning_rate_ratio"]
        );
        let steps = TrainSettings {
            max_steps: Some(7),
            epochs: 3,
            warmup_steps: Some(2),
            warmup_share: 0.5,
            ..Default::default()
        };
        assert_eq!(
            names(&steps, ValidatedOn::HeldOut),
            ["beside max_steps nothing reads epochs", "beside warmup_steps nothing reads warmup_share"]
        );
    }
}
