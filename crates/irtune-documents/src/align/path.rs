//! The cheapest pairing of a stretch of both drafts.

use super::guide::Guide;
use super::unit::Unit;
use super::{Drafts, Pairing};
use std::collections::VecDeque;
use std::ops::Range;

/// What a sentence that has no counterpart costs, as a share of its weight: so two sentences belong together from a
/// similarity of `1 - UNPAIRED` on.
const UNPAIRED: f64 = 0.7;

/// What each further sentence in a pairing costs: about the weight of a word.
const FURTHER: f64 = 2.0;

/// What any step costs, so that of equal paths the one of fewer steps wins.
const STEP: f64 = 1e-3;

/// Each of the sentences that belong to one has at least this much in common with it.
const SHARED: f64 = 0.1;

/// The most sentences of each draft in a stretch of which all are looked at.
const WHOLE: usize = 500;

/// The sentences on each side of the guide that are looked at in a longer stretch.
const NEAR: usize = 64;

/// The most sentences that a step takes.
const FURTHEST: usize = 3;

/// How many sentences of each draft a step takes.
const STEPS: [(usize, usize); 7] = [(1, 1), (1, 0), (0, 1), (1, 2), (2, 1), (1, 3), (3, 1)];

/// A row of the table: what it costs to get to each column, and how alike the row's sentence and the column's are.
struct Row {
    /// The first column that is looked at.
    start: usize,
    costs: Vec<f64>,
    alike: Vec<f64>,
}

impl Row {
    fn cost(&self, column: usize) -> Option<f64> {
        self.costs.get(column.checked_sub(self.start)?).copied()
    }

    /// 0 where it wasn't looked at.
    fn alike(&self, column: usize) -> f64 {
        column.checked_sub(self.start).and_then(|at| self.alike.get(at)).copied().unwrap_or(0.0)
    }
}

/// A stretch of both drafts.
struct Stretch<'a> {
    drafts: Drafts<'a>,
    old: Range<usize>,
    new: Range<usize>,
    /// Where to look, if not everywhere.
    guide: Option<Guide>,
}

impl Stretch<'_> {
    /// The columns of a row that are looked at: all, or those near the guide, so many that rows overlap.
    fn bounds(&self, row: usize) -> Range<usize> {
        let (rows, columns) = (self.old.len(), self.new.len());
        let Some(guide) = &self.guide else { return 0..columns + 1 };
        let (from, to) = (guide.column(row.saturating_sub(1)), guide.column((row + 1).min(rows)));
        from.saturating_sub(NEAR)..(to + NEAR).min(columns) + 1
    }

    /// How alike the last sentence of a row and of a column are.
    fn alike(&self, row: usize, column: usize) -> f64 {
        let (Some(from), Some(to)) = (row.checked_sub(1), column.checked_sub(1)) else { return 0.0 };
        let (from, to) = (self.old.start + from, self.new.start + to);
        match self.drafts.old[from].text == self.drafts.new[to].text {
            true => 1.0,
            false => self.drafts.words.similarity(from..from + 1, to..to + 1),
        }
    }

    /// What a step costs that ends at a row and a column; nothing where it can't be made. `shared` is how alike the
    /// sentences of the step are, one with one: the least of it.
    fn cost(&self, step: (usize, usize), row: usize, column: usize, shared: f64) -> Option<f64> {
        let from = self.old.start + row - step.0..self.old.start + row;
        let to = self.new.start + column - step.1..self.new.start + column;
        let Drafts { old, new, words, elsewhere, .. } = self.drafts;
        let (old, new) = (&old[from.clone()], &new[to.clone()]);
        let mass = words.old_mass(from.clone()) + words.new_mass(to.clone());
        let paired = |similarity: f64| {
            let further = FURTHER * (step.0 + step.1 - 2) as f64;
            Some((1.0 - similarity) * mass + further + STEP)
        };
        match step {
            (_, 0) | (0, _) => Some(UNPAIRED * mass + STEP),
            _ if !is_one_block(old) || !is_one_block(new) || old[0].heading != new[0].heading => None,
            // What stands elsewhere as it was belongs to nothing here.
            _ if (step != (1, 1) || old[0].text != new[0].text)
                && elsewhere.has(from.clone(), to.clone()) =>
            {
                None
            }
            // Sentences without words in common, or without words at all, belong to nothing.
            (1, 1) => paired(shared).filter(|_| shared > 0.0),
            _ => paired(words.similarity(from, to)).filter(|_| shared >= SHARED),
        }
    }
}

/// Pairs the sentences `old` and `new` of both drafts, in order, and those that have no counterpart alone; nothing once
/// nobody waits.
pub(super) fn pair(
    drafts: Drafts<'_>,
    old: Range<usize>,
    new: Range<usize>,
    pairings: &mut Vec<Pairing>,
) -> Option<()> {
    let (rows, columns) = (old.len(), new.len());
    let is_long = rows.min(columns) > 0 && rows.max(columns) > WHOLE;
    let guide = is_long.then(|| Guide::find(drafts, &old, &new));
    let stretch = Stretch { drafts, old: old.clone(), new: new.clone(), guide };
    // The step that leads to each cell, and the rows that steps can come from.
    let mut steps: Vec<(usize, Vec<u8>)> = Vec::with_capacity(rows + 1);
    let mut recent: VecDeque<Row> = VecDeque::new();
    for row in 0..=rows {
        if !(drafts.goes_on)() {
            return None;
        }
        let bounds = stretch.bounds(row);
        let mut own = Row { start: bounds.start, costs: Vec::new(), alike: Vec::new() };
        let mut chosen = Vec::with_capacity(bounds.len());
        for column in bounds {
            own.alike.push(stretch.alike(row, column));
            let mut best = if (row, column) == (0, 0) { (0.0, 0) } else { (f64::INFINITY, 0) };
            for (index, &step) in STEPS.iter().enumerate() {
                if step.0 > row || step.1 > column {
                    continue;
                }
                let back = |rows: usize| if rows == 0 { &own } else { &recent[recent.len() - rows] };
                let Some(so_far) = back(step.0).cost(column - step.1).filter(|so_far| *so_far < best.0)
                else {
                    continue;
                };
                // Of one sentence with several, each of them.
                let along_old = (0..step.0).map(|rows| back(rows).alike(column));
                let along_new = (0..step.1).map(|columns| own.alike(column - columns));
                let shared = along_old.chain(along_new).fold(1.0, f64::min);
                if let Some(cost) = stretch.cost(step, row, column, shared).map(|cost| so_far + cost)
                    && cost < best.0
                {
                    best = (cost, index as u8);
                }
            }
            own.costs.push(best.0);
            chosen.push(best.1);
        }
        steps.push((own.start, chosen));
        recent.push_back(own);
        if recent.len() > FURTHEST {
            recent.pop_front();
        }
    }
    let (mut row, mut column) = (rows, columns);
    let first = pairings.len();
    while (row, column) != (0, 0) {
        let (start, chosen) = &steps[row];
        let step = STEPS[usize::from(chosen[column - start])];
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
    Some(())
}

/// Whether sentences stand in one block.
fn is_one_block(units: &[Unit<'_>]) -> bool {
    units.windows(2).all(|pair| pair[0].block == pair[1].block)
}
