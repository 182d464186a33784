//! Figures of pairs that add, delete and modify text.

use irtune_train::KindFigures;

use super::text_table::table;

/// A line for each kind of pair; nothing when all pairs are of one kind. `accuracy` is what the accuracy is called.
pub fn kinds(figures: &[KindFigures], accuracy: &str) -> String {
    if figures.len() < 2 {
        return String::new();
    }
    let rows: Vec<Vec<String>> = figures
        .iter()
        .map(|of| {
            let shares = [of.accuracy, of.macro_f1].map(|share| format!("{share:.3}"));
            [of.kind.to_string(), of.examples.to_string()].into_iter().chain(shares).collect()
        })
        .collect();
    "\n".to_owned() + &table(&["pairs", "number", accuracy, "macro F1"], &rows)
}

#[cfg(test)]
mod tests {
    use irtune_data::PairKind;

    use super::*;

    #[test]
    fn kinds_are_shown_where_there_are_several() {
        let figures = |kind, examples| KindFigures { kind, examples, accuracy: 0.5, macro_f1: 1.0 / 3.0 };
        let (added, modified) = (figures(PairKind::Added, 4), figures(PairKind::Modified, 12));
        assert_eq!(kinds(&[modified], "accuracy"), "");
        assert_eq!(
            kinds(&[added, modified], "accuracy"),
            "\n  pairs     number  accuracy  macro F1\n  added          4     0.500     0.333\n  \
             modified      12     0.500     0.333\n"
        );
    }
}
