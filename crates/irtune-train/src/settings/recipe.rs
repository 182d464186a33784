//! Named sets of settings.

use super::names::names;
use super::{Setting, TrainSettings};

names! {
    /// Where the values of settings come from that nobody has set.
    pub enum Recipe {
        /// What measured best on validation pairs.
        #[default]
        Default,
        /// The recipe of the paper.
        ///
        /// # Source
        /// Liu and Litman, arXiv 2510.00268, and ZhexiongLiu/IR-Tuning, commit 0a44982.
        Published,
    }

    /// Not a recipe.
    #[error("there is no recipe `{name}`; use default or published")]
    pub struct UnknownRecipe;
}

impl TrainSettings {
    /// The settings that a recipe says, in the order of the help.
    pub fn recipe_settings() -> impl Iterator<Item = &'static Setting> {
        Self::SETTINGS.iter().filter(|setting| setting.in_recipes)
    }

    /// Steps of a run whose epochs have so many each: `max_steps` where it is given, else whole epochs, `epochs` of them
    /// or as many as make `min_steps`.
    pub fn total_steps(&self, steps_per_epoch: u64) -> u64 {
        let epochs = self.epochs.max(self.min_steps.div_ceil(steps_per_epoch.max(1)));
        self.max_steps.unwrap_or(epochs.saturating_mul(steps_per_epoch))
    }

    /// Steps of the warm-up of a run of so many: `warmup_steps` where they are given, else the share, rounded up as
    /// transformers' `warmup_ratio` is, but never the whole run.
    pub fn warmup(&self, total_steps: u64) -> u64 {
        let share = (self.warmup_share * total_steps as f64).ceil() as u64;
        self.warmup_steps.unwrap_or(share.min(total_steps.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{HeadKind, ValidatedOn};

    #[test]
    fn names_are_read_back_and_others_refused() {
        for recipe in [Recipe::Default, Recipe::Published] {
            assert_eq!(recipe.to_string().parse(), Ok(recipe));
            assert_eq!(TrainSettings::of(recipe).recipe, recipe);
            assert_eq!(TrainSettings::of(recipe).problems(), []);
            assert!(TrainSettings::of(recipe).unread(ValidatedOn::HeldOut).is_empty());
        }
        assert_eq!(TrainSettings::of(Recipe::Default), TrainSettings::default());
        let error = "best".parse::<Recipe>().unwrap_err();
        assert_eq!(error.to_string(), "there is no recipe `best`; use default or published");
    }

    #[test]
    fn the_published_recipe_is_the_papers() {
        let settings = TrainSettings::of(Recipe::Published);
        assert_eq!((settings.prompt.as_str(), settings.max_length), ("instruction", 256));
        assert_eq!((settings.rank, settings.alpha, settings.dropout), (32, 64.0, 0.05));
        assert_eq!((settings.learning_rate, settings.head_learning_rate_ratio), (2e-4, 1.0));
        assert_eq!((settings.warmup_steps, settings.warmup(804)), (Some(100), 100));
        assert_eq!((settings.epochs, settings.batch_size, settings.gradient_accumulation), (4, 16, 1));
        assert_eq!((settings.weight_decay, settings.label_smoothing), (0.0, 0.0));
        assert_eq!((settings.head, settings.min_steps), (HeadKind::Pooled, 0));
        assert!(!settings.calibrate && !settings.stack);
        assert_eq!(TrainSettings::recipe_settings().count(), 23);
    }

    #[test]
    fn few_examples_are_passed_over_more_often() {
        let settings = TrainSettings { epochs: 2, min_steps: 150, ..Default::default() };
        assert_eq!([201, 75, 74, 13].map(|steps| settings.total_steps(steps)), [402, 150, 222, 156]);
        let given = TrainSettings { max_steps: Some(7), ..settings.clone() };
        assert_eq!(given.total_steps(13), 7);
        assert_eq!(TrainSettings { min_steps: 0, ..settings }.total_steps(13), 26);
    }

    #[test]
    fn a_share_of_the_steps_is_rounded_up_but_is_never_the_whole_run() {
        let warmup = |warmup_share, total| TrainSettings { warmup_share, ..Default::default() }.warmup(total);
        assert_eq!([warmup(0.1, 804), warmup(0.1, 1), warmup(0.5, 2), warmup(0.99, 3)], [81, 0, 1, 2]);
        assert_eq!(warmup(0.0, 804), 0);
        let given = TrainSettings { warmup_steps: Some(7), warmup_share: 0.5, ..Default::default() };
        assert_eq!(given.warmup(4), 7);
    }
}
