//! Which adapters train, from the settings of a run.

use irtune_model::{
    AdapterConfig, BottleneckConfig, DoraConfig, Ia3Config, LoraConfig, ModelConfig, Projection,
};

use super::{TargetModules, TargetModulesError, TrainSettings, Tune, names::names};

names! {
    /// A kind of adapter, or none.
    pub enum Adapter {
        /// A low-rank matrix added to each projection's.
        #[default]
        Lora,
        /// The same, and each row rescaled to a trained magnitude.
        Dora,
        /// A narrow layer with an activation.
        Bottleneck,
        /// A vector over outputs or inputs.
        Ia3,
        /// Nothing.
        None,
    }

    /// Not a kind of adapter.
    #[error("there is no adapter `{name}`; use lora, dora, bottleneck, ia3 or none")]
    pub struct UnknownAdapter;
}

impl Adapter {
    /// The projections that have an adapter when none are named: those of the published recipe, for (IA)³ PEFT's.
    pub fn targets(self) -> Vec<Projection> {
        use Projection::{DownProj, KProj, QProj, UpProj, VProj};
        match self {
            Self::Ia3 => Ia3Config::TARGETS.to_vec(),
            _ => vec![QProj, KProj, VProj, UpProj, DownProj],
        }
    }
}

impl TrainSettings {
    /// The projections that have an adapter: those that are named, or the kind's usual ones. Of what only a base can say
    /// ([`TrainSettings::resolve_targets`]) it is all that there are.
    pub fn targets(&self) -> Vec<Projection> {
        match &self.target_modules {
            Some(TargetModules::Named(named)) => named.clone(),
            Some(TargetModules::AllLinear | TargetModules::Pattern(_)) => Projection::ALL.to_vec(),
            None => self.adapter.targets(),
        }
    }

    /// Names the projections that `target_modules` means in a base.
    ///
    /// # Errors
    /// When it means none.
    pub fn resolve_targets(&mut self, config: &ModelConfig) -> Result<(), TargetModulesError> {
        if let Some(modules) = &self.target_modules {
            self.target_modules = Some(TargetModules::Named(modules.resolve(config)?));
        }
        Ok(())
    }

    /// The adapters that these settings ask for beside a base; none when weights are tuned or only the head trains.
    pub fn adapter_for(&self, base: &ModelConfig) -> Option<AdapterConfig> {
        self.adapter_config().map(|adapter| adapter.for_base(base))
    }

    /// The same before it is known which modules the base has.
    fn adapter_config(&self) -> Option<AdapterConfig> {
        if self.head_only || self.tune == Tune::Weights {
            return None;
        }
        let lora = || LoraConfig {
            rank: self.rank,
            alpha: self.alpha,
            rank_stabilised: self.rslora,
            init: self.lora_init,
            learning_rate_ratio: self.lora_plus_ratio,
            dropout: self.dropout,
            target_modules: self.targets(),
            rank_pattern: self.rank_pattern.clone(),
            alpha_pattern: self.alpha_pattern.clone(),
        };
        match self.adapter {
            Adapter::Lora => Some(lora().into()),
            Adapter::Dora => Some(DoraConfig { lora: lora(), detach_norm: self.dora_detach_norm }.into()),
            Adapter::Bottleneck => Some(
                BottleneckConfig {
                    size: self.bottleneck_size,
                    activation: self.bottleneck_activation,
                    place: self.bottleneck_place,
                    scaling: self.bottleneck_scaling,
                    dropout: self.dropout,
                    target_modules: self.targets(),
                }
                .into(),
            ),
            Adapter::Ia3 => Some(Ia3Config { target_modules: self.targets() }.into()),
            Adapter::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_model::{BottleneckActivation, BottleneckPlace, LoraInit};
    use strum::VariantArray;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for adapter in Adapter::VARIANTS.iter().copied() {
            assert_eq!(adapter.to_string().parse(), Ok(adapter));
            assert_eq!(serde_json::to_value(adapter).unwrap(), adapter.to_string());
        }
        let error = "prefix".parse::<Adapter>().unwrap_err().to_string();
        assert_eq!(error, "there is no adapter `prefix`; use lora, dora, bottleneck, ia3 or none");
    }

    #[test]
    fn every_setting_reaches_its_adapter() {
        let settings = TrainSettings {
            rank: 3,
            alpha: 5.0,
            dropout: 0.25,
            rslora: true,
            lora_init: LoraInit::Pissa,
            lora_plus_ratio: 16.0,
            dora_detach_norm: false,
            bottleneck_size: 7,
            bottleneck_activation: BottleneckActivation::Gelu,
            bottleneck_place: BottleneckPlace::Serial,
            bottleneck_scaling: 0.5,
            target_modules: Some(TargetModules::Named(vec![Projection::OProj])),
            rank_pattern: "o_proj=4".parse().unwrap(),
            alpha_pattern: "o_proj=9".parse().unwrap(),
            ..Default::default()
        };
        let target_modules = vec![Projection::OProj];
        let lora = LoraConfig {
            rank: 3,
            alpha: 5.0,
            rank_stabilised: true,
            init: LoraInit::Pissa,
            learning_rate_ratio: 16.0,
            dropout: 0.25,
            target_modules: target_modules.clone(),
            rank_pattern: "o_proj=4".parse().unwrap(),
            alpha_pattern: "o_proj=9".parse().unwrap(),
        };
        let bottleneck = BottleneckConfig {
            size: 7,
            activation: BottleneckActivation::Gelu,
            place: BottleneckPlace::Serial,
            scaling: 0.5,
            dropout: 0.25,
            target_modules: target_modules.clone(),
        };
        let expected: [Option<AdapterConfig>; 5] = [
            Some(lora.clone().into()),
            Some(DoraConfig { lora, detach_norm: false }.into()),
            Some(bottleneck.into()),
            Some(Ia3Config { target_modules }.into()),
            None,
        ];
        for (adapter, expected) in Adapter::VARIANTS.iter().copied().zip(expected) {
            assert_eq!(TrainSettings { adapter, ..settings.clone() }.adapter_config(), expected);
        }
    }

    #[test]
    fn the_defaults_are_the_published_recipe() {
        let config = |adapter| TrainSettings { adapter, ..Default::default() }.adapter_config().unwrap();
        let targets = Adapter::Lora.targets();
        assert_eq!(config(Adapter::Lora), LoraConfig::over(targets.clone()).into());
        assert_eq!(config(Adapter::Dora), DoraConfig::of(LoraConfig::over(targets.clone())).into());
        assert_eq!(config(Adapter::Bottleneck), BottleneckConfig::over(targets).into());
        assert_eq!(config(Adapter::Ia3).target_modules(), Ia3Config::TARGETS);
    }
}
