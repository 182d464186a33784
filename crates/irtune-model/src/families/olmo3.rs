//! OLMo 3: OLMo 2's layer with windows over the keys in three of four layers, whose rotary positions are never scaled.
//!
//! # Source
//! OLMo Team 2025, "OLMo 3"; transformers `models/olmo3`; llama.cpp `conversion/olmo.py`.

use super::{Defaults, Family, LocalRotary, Window, WindowedLayers, olmo2::OLMO2};

pub(super) static FAMILY: Family = Family {
    title: "OLMo 3",
    models: "OLMo 3 7B and 32B",
    model_type: "olmo3",
    class_stem: "Olmo3",
    // OLMo 2's, with a window.
    architecture: Some("olmo2"),
    defaults: Defaults { norm_epsilon: 1e-5, theta: 500_000.0, ..Defaults::LLAMA },
    window: Some(Window {
        flag: None,
        keys: Some(4096),
        layer_types: true,
        layers: WindowedLayers::AllButEvery { field: None, every: 4 },
    }),
    local_rotary: Some(LocalRotary { field: None, theta: None }),
    ..OLMO2
};
