//! Which layer trained when, of an arm's first run.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::compare::layer_code;
use crate::compare::results::Results;
use crate::show::heat::Heat;

const LEFT: f64 = 40.0;
const TOP: f64 = 30.0;
const PLOT: f64 = 400.0;
const BAR: f64 = 60.0;
const GAP: f64 = 10.0;
const BOTTOM: f64 = 42.0;
/// Stretches of steps that are drawn as one column.
const COLUMNS: usize = 100;
/// Shades that can be told apart.
const SHADES: usize = 5;

/// The picture of an arm; nothing where its run's layers are not known.
pub fn figure(results: &Results, arm: usize) -> Markup {
    let Some(cell) = results.cells.iter().find(|cell| cell.arm == arm) else { return html! {} };
    let Some(steps) = layer_code::decode(&cell.layer_steps) else { return html! {} };
    let steps: Vec<(u64, Vec<usize>)> = (1..).zip(steps).collect();
    let heat = Heat::new(cell.layers, &steps, COLUMNS);
    let (Some(first), Some(behind)) = (heat.bounds().first(), heat.bounds().last()) else { return html! {} };
    let row = (300.0 / cell.layers.max(1) as f64).clamp(4.0, 18.0);
    let height = row * cell.layers as f64;
    let (width_all, height_all) = (LEFT + PLOT + GAP + BAR + 40.0, TOP + height + BOTTOM);
    let arm = &results.arms[arm];
    let several = results.settings().len() > 1;
    let place = if several { format!(", {}", arm.corpus) } else { String::new() };
    let size = arm.train_size.map_or_else(String::new, |pairs| format!(" ({pairs} pairs)"));
    let title = format!("{}{place}{size}, seed {}", results.label(arm), cell.seed);
    let every = (14.0 / row).ceil().max(1.0) as usize;
    html! {
        figure {
            svg viewBox=(format!("0 0 {width_all:.0} {height_all:.0}")) width=(format!("{width_all:.0}"))
                height=(format!("{height_all:.0}")) role="img" {
                title { (title) }
                text class="title" x=(LEFT) y="18" { (title) }
                @for (shade, path) in shades(&heat, row).iter().enumerate().filter(|(_, path)| !path.is_empty()) {
                    path class="heat" fill-opacity=(format!("{:.2}", (shade + 1) as f64 / SHADES as f64)) d=(path) {}
                }
                path class="heat" d=(bars(&heat, row)) {}
                rect class="frame" x=(LEFT) y=(TOP) width=(PLOT) height=(format!("{height:.1}")) {}
                @for layer in (0..cell.layers).filter(|layer| layer.is_multiple_of(every)) {
                    text text-anchor="end" x=(LEFT - 6.0) y=(format!("{:.1}", edge(&heat, layer, row) + row / 2.0 + 4.0)) { (layer) }
                }
                text x=(LEFT) y=(format!("{:.1}", TOP + height + 17.0)) { (first) }
                text text-anchor="end" x=(LEFT + PLOT) y=(format!("{:.1}", TOP + height + 17.0)) { (behind - 1) }
                text text-anchor="middle" x=(LEFT + PLOT / 2.0) y=(format!("{:.1}", TOP + height + 33.0)) { "step" }
                text x=(LEFT + PLOT + GAP) y=(format!("{:.1}", TOP + height + 17.0)) { (format!("{:.0} % in all", 100.0 * cell.trained_share)) }
            }
        }
    }
}

/// Top edge of a layer's row: the highest layer is on top.
fn edge(heat: &Heat, layer: usize, row: f64) -> f64 {
    TOP + (heat.layers() - 1 - layer) as f64 * row
}

/// One path a shade, of a rectangle for each run of alike stretches in a row.
fn shades(heat: &Heat, row: f64) -> Vec<String> {
    let (first, behind) = (heat.bounds()[0], heat.bounds()[heat.bounds().len() - 1]);
    let place = |step: u64| LEFT + PLOT * (step - first) as f64 / (behind - first).max(1) as f64;
    let shade = |share: f64| (share * SHADES as f64).ceil() as usize;
    let mut paths = vec![String::new(); SHADES];
    for layer in 0..heat.layers() {
        let mut start = 0;
        while start < heat.shares().len() {
            let this = shade(heat.shares()[start][layer]);
            let mut end = start + 1;
            while end < heat.shares().len() && shade(heat.shares()[end][layer]) == this {
                end += 1;
            }
            if this > 0 {
                let (left, right) = (place(heat.bounds()[start]), place(heat.bounds()[end]));
                rectangle(
                    &mut paths[this.min(SHADES) - 1],
                    left,
                    edge(heat, layer, row),
                    right - left,
                    row - 0.6,
                );
            }
            start = end;
        }
    }
    paths
}

/// The share of all steps, a bar a layer.
fn bars(heat: &Heat, row: f64) -> String {
    let mut path = String::new();
    for (layer, share) in heat.total_shares().into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
        rectangle(&mut path, LEFT + PLOT + GAP, edge(heat, layer, row), share * BAR, row - 0.6);
    }
    path
}

fn rectangle(path: &mut String, left: f64, top: f64, width: f64, height: f64) {
    let _ = write!(path, "M{left:.1} {top:.1}h{width:.1}v{height:.1}h-{width:.1}z");
}
