//! What can be trained beside a frozen base: one file a kind of adapter, its settings, forward and backward together.

pub mod bottleneck;
pub mod config;
pub mod dora;
pub mod ia3;
pub mod lora;
pub mod merge;
pub mod patterns;
mod pissa;
pub(crate) mod site;
mod trained;

pub use crate::families::projection::{self, Projection, UnknownProjection};
pub use bottleneck::{BottleneckActivation, BottleneckConfig, BottleneckPlace};
pub use config::{AdapterConfig, AdapterConfigError, MOST_WIDTH};
pub use dora::DoraConfig;
pub use ia3::Ia3Config;
pub use lora::{LoraConfig, LoraInit};
pub use merge::merged_weight;
pub use patterns::{PatternError, Patterns};
pub use trained::Trained;
