//! What a person sees: numbers, strips, sparklines, tables, progress and the heat map.

pub mod bytes_bar;
pub mod heat;
pub mod heat_svg;
pub mod layer_ranges;
pub mod numbers;
pub mod progress;
pub mod report;
pub mod spark;
pub mod strip;
pub mod text_table;
