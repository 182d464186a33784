//! A pair cut into stretches: what stayed, and what changed.

use crate::encoding::change::Change;
use crate::encoding::change::units::units;

/// An unchanged stretch between two changes is only worth leaving out from this length in units.
const SHORTEST_STRETCH: usize = 8;

/// Neighbouring units of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stretch<'a> {
    /// The same in both texts.
    Unchanged { units: Vec<&'a str>, place: Place },
    /// What one hunk removes and adds.
    Hunk { removed: Vec<&'a str>, added: Vec<&'a str> },
}

/// Where an unchanged stretch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Before,
    After,
    Between,
    /// Between two changes and too short to be left out by itself, or all there is because nothing changed.
    WithHunks,
}

/// Cuts a pair into stretches whose units have at most `longest` characters.
pub(crate) fn stretches<'a>(change: &Change<'a>, longest: usize) -> Vec<Stretch<'a>> {
    let hunks = change.hunks();
    let mut stretches = Vec::new();
    let mut from = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let units_between = units(&change.original()[from..hunk.removed.start], longest);
        let place = match index {
            0 => Place::Before,
            _ if units_between.len() < SHORTEST_STRETCH => Place::WithHunks,
            _ => Place::Between,
        };
        stretches.push(Stretch::Unchanged { units: units_between, place });
        let (removed, added) = (units(change.removed(hunk), longest), units(change.added(hunk), longest));
        stretches.push(Stretch::Hunk { removed, added });
        from = hunk.removed.end;
    }
    let place = if hunks.is_empty() { Place::WithHunks } else { Place::After };
    stretches.push(Stretch::Unchanged { units: units(&change.original()[from..], longest), place });
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(original: &str, revised: &str) -> Vec<(Place, String)> {
        let unchanged =
            stretches(&Change::of(original, revised), 24).into_iter().filter_map(|stretch| match stretch {
                Stretch::Unchanged { units, place } => Some((place, units.concat())),
                Stretch::Hunk { .. } => None,
            });
        unchanged.collect()
    }

    #[test]
    fn a_long_stretch_between_two_changes_can_be_left_out() {
        assert_eq!(
            places("x one a b c d e f g two y", "x 1 a b c d e f g II and III y"),
            [
                (Place::Before, "x ".to_owned()),
                (Place::Between, " a b c d e f g ".to_owned()),
                (Place::After, " y".to_owned())
            ]
        );
        assert_eq!(places("one a b two", "1 a b 2")[1], (Place::WithHunks, " a b ".to_owned()));
        assert_eq!(places("a b", "a b"), [(Place::WithHunks, "a b".to_owned())]);
    }
}
