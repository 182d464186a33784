//! Settings that nothing reads beside the others.

use super::{Adapter, TrainSettings, Tune};

impl TrainSettings {
    /// The kind of adapter that trains.
    fn trained_adapter(&self) -> Adapter {
        if self.head_only || self.tune == Tune::Weights { Adapter::None } else { self.adapter }
    }

    /// Names of settings that differ from their defaults though no adapter of these settings reads them.
    pub fn unread(&self) -> Vec<&'static str> {
        let adapter = self.trained_adapter();
        let of_adapters = Self::SETTINGS.iter().zip(self.changed());
        of_adapters
            .filter(|(setting, changed)| {
                *changed && !setting.adapters.is_empty() && !setting.adapters.contains(&adapter)
            })
            .map(|(setting, _)| setting.name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TargetModules;

    #[test]
    fn settings_of_another_adapter_are_named() {
        assert!(TrainSettings::default().unread().is_empty());
        let changed = TrainSettings {
            rank: 8,
            bottleneck_size: 64,
            dora_detach_norm: false,
            dropout: 0.0,
            target_modules: Some(TargetModules::Named(vec![])),
            ..Default::default()
        };
        let unread = |adapter| TrainSettings { adapter, ..changed.clone() }.unread();
        assert_eq!(unread(Adapter::Lora), ["dora_detach_norm", "bottleneck_size"]);
        assert_eq!(unread(Adapter::Dora), ["bottleneck_size"]);
        assert_eq!(unread(Adapter::Bottleneck), ["rank", "dora_detach_norm"]);
        assert_eq!(unread(Adapter::Ia3), ["rank", "dora_detach_norm", "bottleneck_size", "dropout"]);
        let head = TrainSettings { head_only: true, ..changed.clone() };
        assert_eq!(head.unread().len(), 5);
        let weights = TrainSettings { tune: Tune::Weights, adapter: Adapter::None, ..changed };
        assert_eq!(weights.unread().len(), 5);
    }
}
