//! What a person reads: numbers, strips, sparklines, tables and the heat map.

pub mod folds;
pub mod heat;
pub mod heat_svg;
pub mod kinds;
pub mod layer_ranges;
pub mod numbers;
pub mod report;
pub mod spark;
pub mod strip;
pub mod text_table;
