//! The cheapest pairing of a stretch of both drafts.

use super::Pairing;
use super::similarity::Words;
use super::unit::Unit;
use std::ops::Range;

/// What a sentence that has no counterpart costs, as a share of its weight: so two sentences belong together from a
/// similarity of `1 - UNPAIRED` on.
const UNPAIRED: f64 = 0.7;

/// What each further sentence in a pairing costs: about the weight of a word.
const FURTHER: f64 = 2.0;

/// What any step costs, so that of equal paths the one of fewer steps wins.
const STEP: f64 = 1e-3;

/// The most sentences that are looked at around the diagonal of a long stretch.
const BAND: usize = 1500;

/// How many sentences of each draft a step takes.
const STEPS: [(usize, usize); 7] = [(1, 1), (1, 0), (0, 1), (1, 2), (2, 1), (1, 3), (3, 1)];

/// Pairs the sentences `old` and `new` of both drafts, in order, and those that have no counterpart alone.
pub(super) fn pair(
    old_units: &[Unit<'_>],
    new_units: &[Unit<'_>],
    words: &Words,
    old: Range<usize>,
    new: Range<usize>,
    pairings: &mut Vec<Pairing>,
) {
    let (rows, columns) = (old.len(), new.len());
    let cost = |step: (usize, usize), row: usize, column: usize| {
        let from = old.start + row - step.0..old.start + row;
        let to = new.start + column - step.1..new.start + column;
        match step {
            (_, 0) => Some(UNPAIRED * words.old_mass(from) + STEP),
            (0, _) => Some(UNPAIRED * words.new_mass(to) + STEP),
            _ if !fits(&old_units[from.clone()]) || !fits(&new_units[to.clone()]) => None,
            _ if old_units[from.start].heading != new_units[to.start].heading => None,
            _ => {
                let further = FURTHER * (step.0 + step.1 - 2) as f64;
                let mass = words.old_mass(from.clone()) + words.new_mass(to.clone());
                let same = from.len() == 1
                    && to.len() == 1
                    && old_units[from.start].text == new_units[to.start].text;
                let similarity = if same { 1.0 } else { words.similarity(from, to) };
                // Sentences without words in common, or without words at all, belong to nothing.
                (similarity > 0.0).then_some((1.0 - similarity) * mass + further + STEP)
            }
        }
    };
    // Of each row the columns that are looked at, and for each the cost so far and the step that led there.
    let bounds = |row: usize| {
        let middle = (row * columns).checked_div(rows).unwrap_or(0);
        match columns > BAND {
            true => middle.saturating_sub(BAND / 2)..(middle + BAND / 2).min(columns) + 1,
            false => 0..columns + 1,
        }
    };
    let mut table: Vec<(usize, Vec<(f64, u8)>)> = Vec::with_capacity(rows + 1);
    for row in 0..=rows {
        let bounds = bounds(row);
        let mut cells: Vec<(f64, u8)> = Vec::with_capacity(bounds.len());
        for column in bounds.clone() {
            let mut best = if (row, column) == (0, 0) { (0.0, 0) } else { (f64::INFINITY, 0) };
            for (index, &step) in
                STEPS.iter().enumerate().filter(|(_, step)| step.0 <= row && step.1 <= column)
            {
                let before = column - step.1;
                let earlier = match step.0 {
                    0 => before.checked_sub(bounds.start).and_then(|at| cells.get(at)),
                    back => {
                        let (start, cells) = &table[row - back];
                        before.checked_sub(*start).and_then(|at| cells.get(at))
                    }
                };
                let Some(&(so_far, _)) = earlier else { continue };
                if so_far < best.0
                    && let Some(own) = cost(step, row, column)
                    && so_far + own < best.0
                {
                    best = (so_far + own, index as u8);
                }
            }
            cells.push(best);
        }
        table.push((bounds.start, cells));
    }
    let (mut row, mut column) = (rows, columns);
    let first = pairings.len();
    while (row, column) != (0, 0) {
        let (start, cells) = &table[row];
        let step = STEPS[cells[column - start].1 as usize];
        let (from, to) = (row - step.0, column - step.1);
        pairings.push(Pairing {
            old: old.start + from..old.start + row,
            new: new.start + to..new.start + column,
        });
        (row, column) = (from, to);
    }
    pairings[first..].reverse();
    // Equally cheap orders: what is gone before what is new.
    let alone = |pairing: &Pairing| pairing.old.is_empty() || pairing.new.is_empty();
    for run in pairings[first..].chunk_by_mut(|one, next| alone(one) && alone(next)) {
        run.sort_by_key(|pairing| pairing.old.is_empty());
    }
}

/// Whether sentences stand in one block.
fn fits(units: &[Unit<'_>]) -> bool {
    units.windows(2).all(|pair| pair[0].block == pair[1].block)
}
