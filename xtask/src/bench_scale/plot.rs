//! Time a token and peak memory against what is varied, as one picture.

use anyhow::anyhow;
use plotters::prelude::*;
use serde_json::Value;

/// The series that are numbers, with the words on their axis.
const PANELS: [(&str, &str); 4] = [
    ("batch-tokens", "tokens in a batch"),
    ("length", "tokens in an example (2048 in a batch)"),
    ("rank", "rank"),
    ("training-layers", "training layers, the highest"),
];

/// Readable on light and on dark ground.
const GREY: RGBColor = RGBColor(128, 128, 128);
const BLUE: RGBColor = RGBColor(52, 132, 228);
const ORANGE: RGBColor = RGBColor(230, 126, 34);

/// Draws all panels: milliseconds a token on the left axis, memory on the right one.
///
/// # Errors
/// When the drawing library can't.
pub fn draw(points: &[Value]) -> anyhow::Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (960, 640)).into_drawing_area();
        for ((series, words), part) in PANELS.into_iter().zip(area.split_evenly((2, 2))) {
            let mut rows: Vec<(f64, f64, f64)> = points
                .iter()
                .filter(|point| point["series"] == series)
                .filter_map(|point| {
                    let x = point["value"].as_str()?.parse().ok()?;
                    Some((x, 1e3 / point["tokens_per_second"].as_f64()?, point["peak_bytes"].as_f64()? / 1e9))
                })
                .collect();
            rows.sort_by(|left, right| left.0.total_cmp(&right.0));
            if rows.len() > 1 {
                panel(&part, words, &rows).map_err(|error| anyhow!("{error}"))?;
            }
        }
        area.present().map_err(|error| anyhow!("{error}"))?;
    }
    Ok(text)
}

fn panel<D: DrawingBackend>(
    area: &DrawingArea<D, plotters::coord::Shift>,
    words: &str,
    rows: &[(f64, f64, f64)],
) -> Result<(), Box<dyn std::error::Error>>
where
    D::ErrorType: 'static,
{
    let highest = |of: fn(&(f64, f64, f64)) -> f64| rows.iter().map(of).fold(0.0, f64::max) * 1.15;
    let (first, last) = (rows[0].0 * 0.9, rows[rows.len() - 1].0 * 1.1);
    let (time, memory) = (highest(|row| row.1), highest(|row| row.2));
    let label = || ("sans-serif", 13).into_font().color(&GREY);
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(38)
        .y_label_area_size(52)
        .right_y_label_area_size(52)
        .build_cartesian_2d((first..last).log_scale(), 0.0..time)?
        .set_secondary_coord((first..last).log_scale(), 0.0..memory);
    let ticks: Vec<f64> = rows.iter().map(|row| row.0).collect();
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GREY.mix(0.25))
        .axis_style(GREY)
        .x_labels(ticks.len() + 2)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value:.1}"))
        .x_desc(words)
        .y_desc("ms a token")
        .label_style(label())
        .axis_desc_style(label())
        .draw()?;
    chart
        .configure_secondary_axes()
        .axis_style(GREY)
        .y_desc("GB at the peak")
        .y_label_formatter(&|value| format!("{value:.1}"))
        .label_style(label())
        .axis_desc_style(label())
        .draw()?;
    let times = rows.iter().map(|row| (row.0, row.1));
    let memories = rows.iter().map(|row| (row.0, row.2));
    chart.draw_series(LineSeries::new(times.clone(), BLUE.stroke_width(2)).point_size(3))?;
    chart.draw_secondary_series(LineSeries::new(memories.clone(), ORANGE.stroke_width(2)).point_size(3))?;
    Ok(())
}
