//! Every setting of a training run: plain, resolved, and saved with the run.

use crate::infer::evaluate::BatchLimit;
use irtune_data::Labels;
use irtune_model::ProblemType;

mod adapter;
mod batches;
mod best_metric;
mod class_weights;
mod draw;
mod every;
mod fold;
mod head;
mod invalid_setting;
mod memory_limit;
mod method_options;
mod names;
mod objective;
mod offsets;
mod recipe;
mod setting;
mod table;
mod target_modules;
mod tune;
mod unread;

pub use adapter::{Adapter, UnknownAdapter};
pub use batches::{Batches, UnknownBatches};
pub use best_metric::{BestMetric, UnknownMetric};
pub use class_weights::{ClassWeights, ClassWeightsError};
pub use draw::Draw;
pub use every::{Every, UnknownEvery};
pub use fold::{Fold, UnknownFold};
pub use head::{HeadKind, UnknownHead};
pub use invalid_setting::InvalidSetting;
pub use memory_limit::{MemoryLimit, MemoryLimitError};
pub use method_options::MethodOptions;
pub use objective::{Objective, UnknownObjective};
pub use offsets::{Offsets, UnknownOffsets};
pub use recipe::{Recipe, UnknownRecipe};
pub use setting::{Group, Kind, Range, Setting};
pub(crate) use table::MOST_TOKENS;
pub use table::TrainSettings;
pub use target_modules::{TargetModules, TargetModulesError};
pub use tune::{Tune, UnknownTune};
pub use unread::{Unread, UnreadBecause, ValidatedOn};

impl TrainSettings {
    /// The setting with this name; the methods' options are none of them.
    pub fn setting(name: &str) -> Option<&'static Setting> {
        Self::SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// Whether a setting of a training run has this name, the methods' options included.
    pub fn knows(name: &str) -> bool {
        Self::setting(name).is_some() || irtune_select::option_names().contains(&name)
    }

    /// Writes down what was left open, so that a later version, or a resumed run, does the same.
    pub fn complete(&mut self) {
        if let Ok(method) = irtune_select::method(&self.method) {
            self.method_options.complete(method);
        }
        if self.tune == Tune::Adapters {
            self.target_modules = Some(TargetModules::Named(self.targets()));
        }
    }

    /// Whether a pair has one label or any number of them.
    pub fn problem(&self) -> ProblemType {
        if self.multi_label { ProblemType::MultiLabel } else { ProblemType::SingleLabel }
    }

    /// How training and evaluation pairs are read.
    pub fn labels(&self) -> Labels {
        if self.multi_label { Labels::Several } else { Labels::Required }
    }

    /// How many examples go through the model together.
    pub fn batch_limit(&self) -> BatchLimit {
        BatchLimit { examples: self.batch_size, tokens: self.micro_batch_tokens }
    }

    /// Tokens of one step, where batches are made by tokens.
    pub fn step_tokens(&self) -> Option<usize> {
        self.batch_tokens.map(|tokens| tokens.saturating_mul(self.gradient_accumulation))
    }

    /// Examples of one step, where batches are not made by tokens.
    pub fn step_examples(&self) -> usize {
        self.batch_size.saturating_mul(self.gradient_accumulation)
    }
}
