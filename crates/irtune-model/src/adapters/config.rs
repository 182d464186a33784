//! The settings of an adapter: which kind, and beside which projections.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    bottleneck::{BottleneckConfig, BottleneckPlace},
    dora::DoraConfig,
    ia3::Ia3Config,
    lora::{LoraConfig, LoraInit},
    projection::{Projection, names},
};
use crate::config::ModelConfig;

/// An adapter beside the target modules of every layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "adapter", rename_all = "snake_case")]
pub enum AdapterConfig {
    /// A low-rank matrix added to each projection's.
    Lora(LoraConfig),
    /// The same, and each row rescaled to a trained magnitude.
    Dora(DoraConfig),
    /// A narrow layer with an activation.
    Bottleneck(BottleneckConfig),
    /// A vector over outputs or inputs.
    Ia3(Ia3Config),
}

/// Wider no projection is, so neither is an adapter.
pub const MOST_WIDTH: usize = 1 << 16;

/// Values that an adapter keeps or makes for every token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Widths {
    /// Between its two matrices.
    pub(crate) inner: usize,
    /// The same of PiSSA's start.
    pub(crate) fixed_inner: usize,
    /// The projection's output without what comes after it.
    pub(crate) output: usize,
    /// What dropout can drop.
    pub(crate) masked: usize,
}

impl AdapterConfig {
    /// The kind's name, as settings have it.
    pub fn name(&self) -> &'static str {
        match self {
            AdapterConfig::Lora(_) => "lora",
            AdapterConfig::Dora(_) => "dora",
            AdapterConfig::Bottleneck(_) => "bottleneck",
            AdapterConfig::Ia3(_) => "ia3",
        }
    }

    /// The projections that have an adapter, in every layer; order is kept.
    pub fn target_modules(&self) -> &[Projection] {
        match self {
            AdapterConfig::Lora(lora) => &lora.target_modules,
            AdapterConfig::Dora(dora) => &dora.lora.target_modules,
            AdapterConfig::Bottleneck(bottleneck) => &bottleneck.target_modules,
            AdapterConfig::Ia3(ia3) => &ia3.target_modules,
        }
    }

    /// Probability that an input of an adapter is dropped in training.
    pub fn dropout(&self) -> f32 {
        match self {
            AdapterConfig::Lora(lora) => lora.dropout,
            AdapterConfig::Dora(dora) => dora.lora.dropout,
            AdapterConfig::Bottleneck(bottleneck) => bottleneck.dropout,
            AdapterConfig::Ia3(_) => 0.0,
        }
    }

    /// Says what is wrong with the settings, if anything.
    ///
    /// # Errors
    /// One for each way in which a setting can be unusable.
    pub fn validate(&self) -> Result<(), AdapterConfigError> {
        match self {
            AdapterConfig::Lora(lora) => lora.validate()?,
            AdapterConfig::Dora(dora) => dora.validate()?,
            AdapterConfig::Bottleneck(bottleneck) => bottleneck.validate()?,
            AdapterConfig::Ia3(_) => {}
        }
        let dropout = self.dropout();
        if !(0.0..1.0).contains(&dropout) {
            return Err(AdapterConfigError::Dropout { dropout });
        }
        let targets = self.target_modules();
        if targets.is_empty() {
            return Err(AdapterConfigError::NoTargets);
        }
        for (index, &projection) in targets.iter().enumerate() {
            if targets[..index].contains(&projection) {
                return Err(AdapterConfigError::RepeatedTarget { projection });
            }
        }
        Ok(())
    }

    /// The same beside the modules that a base has: a projection that is a part of a fused one stands for that, and the
    /// gate of an MLP without one for nothing.
    pub fn for_base(self, base: &ModelConfig) -> Self {
        let mut found = Vec::new();
        for &target in self.target_modules() {
            let own = (0..base.layers).find_map(|layer| base.layer(layer).counterpart(target));
            found.extend(own.filter(|own| !found.contains(own)));
        }
        self.with_targets(found)
    }

    /// The same beside other modules.
    pub(crate) fn with_targets(mut self, target_modules: Vec<Projection>) -> Self {
        match &mut self {
            AdapterConfig::Lora(lora) | AdapterConfig::Dora(DoraConfig { lora, .. }) => {
                lora.target_modules = target_modules;
            }
            AdapterConfig::Bottleneck(bottleneck) => bottleneck.target_modules = target_modules,
            AdapterConfig::Ia3(ia3) => ia3.target_modules = target_modules,
        }
        self
    }

    /// Says whether a base has all target modules.
    ///
    /// # Errors
    /// For the first that it lacks.
    pub(crate) fn check_base(&self, base: &ModelConfig) -> Result<(), AdapterConfigError> {
        let lacks = |target: &&Projection| !base.projections().any(|own| own == **target);
        let Some(&projection) = self.target_modules().iter().find(lacks) else { return Ok(()) };
        let own: Vec<&str> = base.projections().map(Projection::name).collect();
        let (family, own) = (base.family.title, own.join(", "));
        Err(AdapterConfigError::NoSuchModule { projection, family, own })
    }

    /// What the adapter is in a folder: itself, but for LoRA from PiSSA's start ([`LoraConfig::exported`]).
    pub fn exported(&self) -> Self {
        match self {
            AdapterConfig::Lora(lora) => AdapterConfig::Lora(lora.exported()),
            other => other.clone(),
        }
    }

    /// The settings of one module, where patterns give some modules other ones.
    pub fn of_module(&self, base: &ModelConfig, layer: usize, projection: Projection) -> Cow<'_, Self> {
        let lora = match self {
            AdapterConfig::Lora(lora) | AdapterConfig::Dora(DoraConfig { lora, .. }) => lora,
            AdapterConfig::Bottleneck(_) | AdapterConfig::Ia3(_) => return Cow::Borrowed(self),
        };
        if !lora.has_patterns() {
            return Cow::Borrowed(self);
        }
        let lora = lora.of_module(&base.family.module_path(layer, projection));
        Cow::Owned(match self {
            AdapterConfig::Dora(dora) => DoraConfig { lora, ..dora.clone() }.into(),
            _ => lora.into(),
        })
    }

    /// Confirms that each pattern means a module. An adapter that PEFT made may have others, which do nothing.
    ///
    /// # Errors
    /// [`AdapterConfigError::NoModule`] for one that doesn't.
    pub fn check_patterns(&self, base: &ModelConfig) -> Result<(), AdapterConfigError> {
        let (AdapterConfig::Lora(lora) | AdapterConfig::Dora(DoraConfig { lora, .. })) = self else {
            return Ok(());
        };
        if !lora.has_patterns() {
            return Ok(());
        }
        let paths = (0..base.layers).flat_map(|layer| {
            lora.target_modules.iter().map(move |&projection| base.family.module_path(layer, projection))
        });
        let paths: Vec<String> = paths.collect();
        let unmatched = lora.rank_pattern.unmatched(&paths).or(lora.alpha_pattern.unmatched(&paths));
        match unmatched {
            None => Ok(()),
            Some(pattern) => Err(AdapterConfigError::NoModule {
                pattern: pattern.to_owned(),
                example: paths.into_iter().next().unwrap_or_default(),
            }),
        }
    }

    /// Every tensor beside one module: the end of its name and its shape, in the order that files and engines keep.
    pub fn tensors(
        &self,
        base: &ModelConfig,
        layer: usize,
        projection: Projection,
    ) -> Vec<(&'static str, Vec<usize>)> {
        let (outputs, inputs) = base.projection_shape(projection);
        match &*self.of_module(base, layer, projection) {
            AdapterConfig::Lora(lora) => lora.tensors(outputs, inputs),
            AdapterConfig::Dora(dora) => dora.tensors(outputs, inputs),
            AdapterConfig::Bottleneck(bottleneck) => bottleneck.tensors(outputs, inputs),
            AdapterConfig::Ia3(_) => Ia3Config::tensors(projection, outputs, inputs),
        }
    }

    /// What is kept beside one projection, at most.
    pub(crate) fn widths(&self, base: &ModelConfig, projection: Projection) -> Widths {
        let (outputs, inputs) = base.projection_shape(projection);
        match self {
            AdapterConfig::Lora(lora) => {
                let rank = lora.largest_rank();
                let fixed_inner = if lora.init == LoraInit::Pissa { rank } else { 0 };
                Widths { inner: rank, fixed_inner, output: 0, masked: inputs }
            }
            AdapterConfig::Dora(DoraConfig { lora, .. }) => {
                Widths { inner: lora.largest_rank(), fixed_inner: 0, output: outputs, masked: inputs }
            }
            AdapterConfig::Bottleneck(BottleneckConfig { size, place, .. }) => match place {
                BottleneckPlace::Parallel => {
                    Widths { inner: *size, fixed_inner: 0, output: 0, masked: inputs }
                }
                BottleneckPlace::Serial => {
                    Widths { inner: *size, fixed_inner: 0, output: outputs, masked: outputs }
                }
            },
            AdapterConfig::Ia3(_) if Ia3Config::scales_input(projection) => Widths::default(),
            AdapterConfig::Ia3(_) => Widths { output: outputs, ..Widths::default() },
        }
    }
}

impl From<LoraConfig> for AdapterConfig {
    fn from(lora: LoraConfig) -> Self {
        AdapterConfig::Lora(lora)
    }
}

impl From<DoraConfig> for AdapterConfig {
    fn from(dora: DoraConfig) -> Self {
        AdapterConfig::Dora(dora)
    }
}

impl From<BottleneckConfig> for AdapterConfig {
    fn from(bottleneck: BottleneckConfig) -> Self {
        AdapterConfig::Bottleneck(bottleneck)
    }
}

impl From<Ia3Config> for AdapterConfig {
    fn from(ia3: Ia3Config) -> Self {
        AdapterConfig::Ia3(ia3)
    }
}

/// Why an adapter's settings can't be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AdapterConfigError {
    /// Rank 0 would adapt nothing.
    #[error("rank is 0: give a rank of at least 1 (32 is usual)")]
    ZeroRank,
    /// More than any projection is wide.
    #[error("{field} is {value}: give {MOST_WIDTH} at most")]
    TooWide {
        /// Rank, or size.
        field: &'static str,
        /// What was given.
        value: usize,
    },
    /// Alpha must scale by something.
    #[error("alpha is {alpha}: give a finite number above 0 (the rank or twice the rank is usual)")]
    Alpha {
        /// What was given.
        alpha: f32,
    },
    /// Dropout is a probability.
    #[error("dropout is {dropout}: give a number from 0 up to, but not including, 1")]
    Dropout {
        /// What was given.
        dropout: f32,
    },
    /// B's learning rate must be one.
    #[error("learning_rate_ratio is {ratio}: give a finite number above 0 (16 is LoRA+'s, 1 is plain LoRA)")]
    Ratio {
        /// What was given.
        ratio: f32,
    },
    /// DoRA norms the plain start only.
    #[error("DoRA starts from B = 0: it can't be combined with PiSSA")]
    DoraWithPissa,
    /// A bottleneck of nothing.
    #[error("size is 0: give a bottleneck of at least 1 (256 is usual)")]
    ZeroSize,
    /// A bottleneck must add something.
    #[error("scaling is {scaling}: give a finite number above 0 (1 is usual)")]
    Scaling {
        /// What was given.
        scaling: f32,
    },
    /// Nothing to adapt.
    #[error("target_modules is empty: name at least one of {}", names())]
    NoTargets,
    /// A base without such a module.
    #[error("target_modules names {projection}, which {family} has not: its modules are {own}")]
    NoSuchModule {
        /// What was named.
        projection: Projection,
        /// The base's family.
        family: &'static str,
        /// What the family has, separated by commas.
        own: String,
    },
    /// A pattern that no module matches.
    #[error("the pattern `{pattern}` matches no module that has an adapter; their paths are like {example}")]
    NoModule {
        /// The pattern.
        pattern: String,
        /// The path of a module.
        example: String,
    },
    /// A projection can be adapted once.
    #[error("target_modules names {projection} twice: name each projection once")]
    RepeatedTarget {
        /// The repeated one.
        projection: Projection,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::bottleneck::BottleneckActivation;

    fn lora() -> LoraConfig {
        LoraConfig { rank: 8, alpha: 16.0, dropout: 0.1, ..LoraConfig::over(Projection::ALL.to_vec()) }
    }

    fn bottleneck() -> BottleneckConfig {
        BottleneckConfig::over(Projection::ALL.to_vec())
    }

    #[test]
    fn usual_settings_are_valid() {
        let ia3 = Ia3Config { target_modules: vec![Projection::KProj] };
        for config in
            [lora().into(), DoraConfig::of(lora()).into(), bottleneck().into(), AdapterConfig::Ia3(ia3)]
        {
            assert_eq!(config.validate(), Ok(()), "{config:?}");
            let json = serde_json::to_value(&config).unwrap();
            assert_eq!(json["adapter"], config.name());
            assert_eq!(serde_json::from_value::<AdapterConfig>(json).unwrap(), config);
        }
    }

    #[test]
    fn each_unusable_setting_has_its_error() {
        let pissa = LoraConfig { init: LoraInit::Pissa, ..lora() };
        let twice = vec![Projection::VProj, Projection::VProj];
        let cases: [(AdapterConfig, &str); 13] = [
            (LoraConfig { rank: 0, ..lora() }.into(), "rank is 0"),
            (LoraConfig { alpha: f32::NAN, ..lora() }.into(), "alpha is NaN"),
            (LoraConfig { alpha: 0.0, ..lora() }.into(), "alpha is 0"),
            (LoraConfig { dropout: 1.0, ..lora() }.into(), "dropout is 1"),
            (LoraConfig { dropout: -0.5, ..lora() }.into(), "dropout is -0.5"),
            (LoraConfig { learning_rate_ratio: 0.0, ..lora() }.into(), "learning_rate_ratio is 0"),
            (LoraConfig { target_modules: vec![], ..lora() }.into(), "at least one of q_proj, k_proj"),
            (LoraConfig { target_modules: twice.clone(), ..lora() }.into(), "names v_proj twice"),
            (DoraConfig::of(pissa).into(), "can't be combined with PiSSA"),
            (DoraConfig::of(LoraConfig { rank: 0, ..lora() }).into(), "rank is 0"),
            (BottleneckConfig { size: 0, ..bottleneck() }.into(), "size is 0"),
            (BottleneckConfig { scaling: f32::INFINITY, ..bottleneck() }.into(), "scaling is inf"),
            (Ia3Config { target_modules: twice }.into(), "names v_proj twice"),
        ];
        for (config, expected) in cases {
            let message = config.validate().expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn defaults_are_those_of_the_published_recipe() {
        let BottleneckConfig { size, activation, place, scaling, .. } = bottleneck();
        assert_eq!((size, scaling), (256, 1.0));
        assert_eq!((activation, place), (BottleneckActivation::Tanh, BottleneckPlace::Parallel));
        let LoraConfig { rank, alpha, dropout, .. } = LoraConfig::over(vec![]);
        assert_eq!((rank, alpha, dropout), (32, 64.0, 0.05));
    }
}
