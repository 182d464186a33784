//! Settings that nothing reads beside the others.

use super::{Adapter, TrainSettings, Tune};

impl TrainSettings {
    /// The kind of adapter that trains.
    fn trained_adapter(&self) -> Adapter {
        if self.head_only || self.tune == Tune::Weights { Adapter::None } else { self.adapter }
    }

    /// Names of settings that differ from their defaults though no adapter of these settings reads them.
    pub fn unread(&self) -> Vec<&'static str> {
        use Adapter::{Bottleneck, Dora, Ia3, Lora};
        let (default, adapter) = (Self::default(), self.trained_adapter());
        let low_rank = &[Lora, Dora][..];
        let rows = [
            ("rank", self.rank != default.rank, low_rank),
            ("alpha", self.alpha != default.alpha, low_rank),
            ("rslora", self.rslora != default.rslora, low_rank),
            ("lora_plus_ratio", self.lora_plus_ratio != default.lora_plus_ratio, low_rank),
            ("lora_init", self.lora_init != default.lora_init, low_rank),
            ("dora_detach_norm", self.dora_detach_norm != default.dora_detach_norm, &[Dora]),
            ("bottleneck_size", self.bottleneck_size != default.bottleneck_size, &[Bottleneck]),
            (
                "bottleneck_activation",
                self.bottleneck_activation != default.bottleneck_activation,
                &[Bottleneck],
            ),
            ("bottleneck_place", self.bottleneck_place != default.bottleneck_place, &[Bottleneck]),
            ("bottleneck_scaling", self.bottleneck_scaling != default.bottleneck_scaling, &[Bottleneck]),
            ("dropout", self.dropout != default.dropout, &[Lora, Dora, Bottleneck]),
            ("target_modules", self.target_modules.is_some(), &[Lora, Dora, Bottleneck, Ia3]),
        ];
        let unread = rows.into_iter().filter(|(_, changed, readers)| *changed && !readers.contains(&adapter));
        unread.map(|(name, ..)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_another_adapter_are_named() {
        assert!(TrainSettings::default().unread().is_empty());
        let changed = TrainSettings {
            rank: 8,
            bottleneck_size: 64,
            dora_detach_norm: false,
            dropout: 0.0,
            target_modules: Some(vec![]),
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
