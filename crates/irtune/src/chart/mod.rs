//! Charts as SVG, readable on light and on dark ground: in the page of a report, or as a picture of their own.

mod line_chart;
mod picture;
mod scale;

pub use line_chart::{Chart, Line, Point, class, legend};
pub use picture::picture;
pub use scale::Scale;

/// Colours, and how charts look.
pub const STYLE: &str = include_str!("chart.css");
