//! The heat map of layers over steps as a picture, readable on light and dark backgrounds.

use std::fmt::Write as _;

use super::heat::Heat;

const LEFT: f64 = 64.0;
const TOP: f64 = 56.0;
const PLOT_WIDTH: f64 = 720.0;
const BAR_WIDTH: f64 = 90.0;
const GAP: f64 = 16.0;
const BOTTOM: f64 = 52.0;

/// Plain colours overridden for dark backgrounds: custom properties are unknown to several viewers.
const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #59636e; }
  .title { font-size: 15px; font-weight: 600; fill: #1f2328; }
  .heat { fill: #0550ae; }
  .paper { fill: #ffffff; }
  .frame { fill: none; stroke: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .title { fill: #f0f6fc; }
    .heat { fill: #79c0ff; }
    .paper { fill: #0d1117; }
    .frame { stroke: #3d444d; }
  }
";

/// Draws the heat map with its axes, a bar a layer of all steps together, and a legend.
pub fn draw(heat: &Heat, title: &str) -> String {
    let row = (480.0 / heat.layers().max(1) as f64).clamp(6.0, 22.0);
    let height = row * heat.layers() as f64;
    let (width_all, height_all) = (LEFT + PLOT_WIDTH + GAP + BAR_WIDTH + 52.0, TOP + height + BOTTOM);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width_all:.0} {height_all:.0}\" \
         width=\"{width_all:.0}\" height=\"{height_all:.0}\" role=\"img\">\n<title>{0}</title>\n\
         <style>{STYLE}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"24\">{0}</text>\n",
        escape(title)
    );
    cells(&mut out, heat, row);
    bars(&mut out, heat, row);
    let _ = writeln!(
        out,
        "<rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{PLOT_WIDTH}\" height=\"{height:.1}\"/>"
    );
    axes(&mut out, heat, row, height);
    legend(&mut out);
    out.push_str("</svg>\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Top edge of a layer's row: the highest layer is on top.
fn edge(heat: &Heat, layer: usize, row: f64) -> f64 {
    TOP + (heat.layers() - 1 - layer) as f64 * row
}

/// Horizontal place of a step.
fn place(heat: &Heat, step: u64) -> f64 {
    let (first, behind) =
        (heat.bounds().first().copied().unwrap_or(0), heat.bounds().last().copied().unwrap_or(1));
    LEFT + PLOT_WIDTH * (step - first) as f64 / (behind - first).max(1) as f64
}

/// One rectangle for each run of equal shares in a row: neighbours would show seams between them.
fn cells(out: &mut String, heat: &Heat, row: f64) {
    for layer in 0..heat.layers() {
        let mut start = 0;
        while start < heat.shares().len() {
            let share = heat.shares()[start][layer];
            let mut end = start + 1;
            while end < heat.shares().len() && heat.shares()[end][layer] == share {
                end += 1;
            }
            if share > 0.0 {
                let (left, right) = (place(heat, heat.bounds()[start]), place(heat, heat.bounds()[end]));
                let _ = writeln!(
                    out,
                    "<rect class=\"heat\" fill-opacity=\"{:.3}\" x=\"{left:.2}\" y=\"{:.2}\" width=\"{:.2}\" \
                     height=\"{:.2}\"/>",
                    0.12 + 0.88 * share,
                    edge(heat, layer, row),
                    right - left,
                    row - 1.0
                );
            }
            start = end;
        }
    }
}

fn bars(out: &mut String, heat: &Heat, row: f64) {
    let left = LEFT + PLOT_WIDTH + GAP;
    let _ = writeln!(out, "<text x=\"{left}\" y=\"{}\">share of all steps</text>", TOP - 8.0);
    for (layer, share) in heat.total_shares().into_iter().enumerate() {
        let top = edge(heat, layer, row);
        let _ = writeln!(
            out,
            "<rect class=\"heat\" x=\"{left}\" y=\"{top:.2}\" width=\"{:.2}\" height=\"{:.2}\"/>",
            share * BAR_WIDTH,
            row - 1.0
        );
        if labelled(heat, layer, row) {
            let _ = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\">{:.0} %</text>",
                left + share * BAR_WIDTH + 5.0,
                top + row / 2.0 + 4.0,
                share * 100.0
            );
        }
    }
}

/// Labels need 14 pixels of height each.
fn labelled(heat: &Heat, layer: usize, row: f64) -> bool {
    let every = (14.0 / row).ceil() as usize;
    layer.is_multiple_of(every.max(1)) || (layer + 1 == heat.layers() && every <= 1)
}

fn axes(out: &mut String, heat: &Heat, row: f64, height: f64) {
    for layer in (0..heat.layers()).filter(|layer| labelled(heat, *layer, row)) {
        let middle = edge(heat, layer, row) + row / 2.0 + 4.0;
        let _ =
            writeln!(out, "<text text-anchor=\"end\" x=\"{}\" y=\"{middle:.1}\">{layer}</text>", LEFT - 8.0);
    }
    let _ = writeln!(out, "<text text-anchor=\"end\" x=\"{}\" y=\"{}\">layer</text>", LEFT - 8.0, TOP - 8.0);
    let (first, behind) =
        (heat.bounds().first().copied().unwrap_or(0), heat.bounds().last().copied().unwrap_or(1));
    let distance = nice((behind - first) as f64 / 8.0);
    for step in (first..behind).filter(|step| step.is_multiple_of(distance)) {
        let left = place(heat, step);
        let _ = writeln!(
            out,
            "<path class=\"frame\" d=\"M{left:.1} {:.1}v5\"/><text text-anchor=\"middle\" x=\"{left:.1}\" \
             y=\"{:.1}\">{step}</text>",
            TOP + height,
            TOP + height + 19.0
        );
    }
    let _ = writeln!(
        out,
        "<text text-anchor=\"middle\" x=\"{}\" y=\"{:.1}\">step</text>",
        LEFT + PLOT_WIDTH / 2.0,
        TOP + height + 38.0
    );
}

/// The smallest of 1, 2, 5 times a power of ten that is not below a distance.
fn nice(distance: f64) -> u64 {
    let mut power = 1;
    loop {
        for factor in [1, 2, 5] {
            if (factor * power) as f64 >= distance {
                return factor * power;
            }
        }
        power *= 10;
    }
}

fn legend(out: &mut String) {
    let left = LEFT + PLOT_WIDTH - 196.0;
    let _ = writeln!(out, "<text text-anchor=\"end\" x=\"{}\" y=\"45\">never trained</text>", left - 6.0);
    let _ = writeln!(out, "<rect class=\"frame\" x=\"{left}\" y=\"35\" width=\"112\" height=\"12\"/>");
    for part in 1..=7 {
        let share = f64::from(part) / 7.0;
        let _ = writeln!(
            out,
            "<rect class=\"heat\" fill-opacity=\"{:.3}\" x=\"{}\" y=\"35\" width=\"14\" height=\"12\"/>",
            0.12 + 0.88 * share,
            left + 14.0 * f64::from(part)
        );
    }
    let _ = writeln!(out, "<text x=\"{}\" y=\"45\">every step</text>", left + 118.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trained_stretch_is_drawn_and_titles_are_escaped() {
        let steps: Vec<(u64, Vec<usize>)> =
            (1..=200).map(|step| (step, vec![(step / 40) as usize, 29, (step % 30) as usize])).collect();
        let heat = Heat::new(30, &steps, 100);
        let svg = draw(&heat, "a < b & c");
        assert!(svg.contains("<title>a &lt; b &amp; c</title>"));
        let rectangles = svg.matches("class=\"heat\"").count();
        assert!(rectangles > 30 + 7, "{rectangles}");
        assert_eq!(svg.matches("<svg").count(), 1);
        assert!(svg.ends_with("</svg>\n"));
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!([0.1, 1.0, 1.5, 3.0, 7.0, 24.0].map(nice), [1, 1, 2, 5, 10, 50]);
    }
}
