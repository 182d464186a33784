//! Which layer trained when: steps gathered into columns, one row a layer.

use std::fmt::Write as _;

use super::numbers::percent;
use super::strip::shade;

/// How often each layer trained, in stretches of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat {
    layers: usize,
    /// The first step of each stretch, and after the last one the step behind it.
    bounds: Vec<u64>,
    /// `[stretch][layer]`, the share of its steps in which the layer trained.
    shares: Vec<Vec<f64>>,
    totals: Vec<u64>,
    steps: u64,
}

impl Heat {
    /// Gathers steps (their number and the layers that trained in them) into at most `width` stretches.
    pub fn new(layers: usize, steps: &[(u64, Vec<usize>)], width: usize) -> Self {
        let stretches = width.min(steps.len());
        let mut heat = Self {
            layers,
            bounds: Vec::new(),
            shares: Vec::new(),
            totals: vec![0; layers],
            steps: steps.len() as u64,
        };
        for stretch in 0..stretches {
            let part = &steps[stretch * steps.len() / stretches..(stretch + 1) * steps.len() / stretches];
            let mut counts = vec![0u64; layers];
            for layer in
                part.iter().flat_map(|(_, training)| training).copied().filter(|layer| *layer < layers)
            {
                counts[layer] += 1;
                heat.totals[layer] += 1;
            }
            heat.bounds.push(part[0].0);
            heat.shares.push(counts.iter().map(|count| *count as f64 / part.len() as f64).collect());
        }
        heat.bounds.extend(steps.last().map(|(step, _)| step + 1));
        heat
    }

    /// The number of layers.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// The first step of each stretch, then the step behind the last.
    pub fn bounds(&self) -> &[u64] {
        &self.bounds
    }

    /// `[stretch][layer]`, the share of its steps in which the layer trained.
    pub fn shares(&self) -> &[Vec<f64>] {
        &self.shares
    }

    /// In how many steps each layer trained.
    pub fn totals(&self) -> &[u64] {
        &self.totals
    }

    /// The share of all steps in which each layer trained.
    pub fn total_shares(&self) -> Vec<f64> {
        self.totals.iter().map(|total| *total as f64 / self.steps.max(1) as f64).collect()
    }

    /// Draws it for a terminal, the highest layer on top.
    pub fn text(&self) -> String {
        let (Some(first), Some(behind)) = (self.bounds.first(), self.bounds.last()) else {
            return String::new();
        };
        let mut out = String::new();
        let totals = self.total_shares();
        for layer in (0..self.layers).rev() {
            let row: String = self.shares.iter().map(|stretch| shade(stretch[layer])).collect();
            let _ =
                writeln!(out, "  {layer:>3} │{row}│ {:>7}  {}", percent(totals[layer]), self.totals[layer]);
        }
        let (first, last) = (format!("step {first}"), (behind - 1).to_string());
        let gap = self.shares.len().saturating_sub(first.len() + last.len()).max(1);
        let _ = writeln!(out, "       {first}{}{last}", " ".repeat(gap));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat() -> Heat {
        let steps: Vec<(u64, Vec<usize>)> =
            (1..=8).map(|step| (step, vec![2, (step % 2) as usize])).collect();
        Heat::new(3, &steps, 4)
    }

    #[test]
    fn every_step_is_counted_once() {
        let heat = heat();
        assert_eq!(heat.totals(), [4, 4, 8]);
        assert_eq!(heat.bounds(), [1, 3, 5, 7, 9]);
        assert_eq!(heat.shares()[0], [0.5, 0.5, 1.0]);
        assert_eq!(heat.total_shares(), [0.5, 0.5, 1.0]);
    }

    #[test]
    fn the_highest_layer_is_on_top() {
        assert_eq!(
            heat().text(),
            "    2 │████│ 100.0 %  8\n    1 │▒▒▒▒│  50.0 %  4\n    0 │▒▒▒▒│  50.0 %  4\n       step 1 8\n"
        );
    }

    #[test]
    fn no_steps_draw_nothing() {
        assert_eq!(Heat::new(3, &[], 10).text(), "");
    }
}
