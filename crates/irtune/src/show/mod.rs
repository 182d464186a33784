//! What a person reads: numbers, strips, sparklines, tables and the heat map.

pub mod brief;
pub mod calibration;
pub mod folds;
pub mod heat;
pub mod heat_svg;
pub mod kinds;
pub mod layer_ranges;
pub mod linear;
pub mod numbers;
pub mod plan;
pub mod printable;
pub mod probabilities;
pub mod probability_charts;
pub mod report;
pub mod spark;
pub mod strip;
pub mod text_table;
