//! What the figures say, and what they do not.

use super::figures::{interval, p, signed};
use super::results::{Arm, Comparison, Results};

/// Chance of a wrong rejection that is taken.
pub const ALPHA: f64 = 0.05;

/// Sentences for a person, one thing each.
pub fn sentences(results: &Results) -> Vec<String> {
    let mut out = Vec::new();
    if !results.missing.is_empty() {
        let are = if results.missing.len() == 1 { "is" } else { "are" };
        let runs = count(results.missing.len(), "run");
        out.push(format!("{runs} {are} not finished; this is what the others say."));
    }
    for (setting, arms) in results.settings() {
        let several = results.settings().len() > 1;
        let mut say = |sentence: String| {
            out.push(if several { format!("{setting}: {sentence}") } else { sentence });
        };
        let arms_here: Vec<&Arm> = arms.iter().map(|place| &results.arms[*place]).collect();
        let counts: Vec<usize> = arms_here.iter().map(|arm| arm.seeds.len()).collect();
        let (least, most) =
            (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
        let seeds =
            if least == most { count(most, "seed") } else { format!("{least} to {}", count(most, "seed")) };
        let examples = arms_here.first().map_or(0, |arm| arm.test_examples);
        say(format!(
            "{} with {seeds} each, measured on {examples} test pairs.",
            count(arms_here.len(), "row")
        ));
        if arms_here.len() > 1 {
            say(overlap(results, &arms_here));
        }
    }
    if results.comparisons.is_empty() {
        return out;
    }
    out.push(survivors(results));
    out.push(over_seeds(results));
    out
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Whether the intervals of macro F1 leave any two rows apart.
fn overlap(results: &Results, arms: &[&Arm]) -> String {
    let mut apart = Vec::new();
    for (place, one) in arms.iter().enumerate() {
        for other in &arms[place + 1..] {
            let (first, second) = (one.macro_f1.interval, other.macro_f1.interval);
            if first.high < second.low || second.high < first.low {
                apart.push(format!("{} and {}", results.label(one), results.label(other)));
            }
        }
    }
    match apart.as_slice() {
        [] => "The macro-F1 intervals of all rows overlap.".to_owned(),
        apart => {
            format!("Only these rows have macro-F1 intervals that do not overlap: {}.", apart.join("; "))
        }
    }
}

/// The tests by which a comparison survives the correction.
pub fn surviving_tests(comparison: &Comparison) -> Vec<&'static str> {
    [
        ("bootstrap", comparison.bootstrap_adjusted),
        ("McNemar", comparison.mcnemar_adjusted),
        ("seeds", comparison.seeds_adjusted),
    ]
    .into_iter()
    .filter_map(|(name, adjusted)| (adjusted < ALPHA).then_some(name))
    .collect()
}

fn survivors(results: &Results) -> String {
    let comparisons = &results.comparisons;
    let found: Vec<String> = comparisons
        .iter()
        .filter(|comparison| !surviving_tests(comparison).is_empty())
        .map(|comparison| {
            let (first, second) = (&results.arms[comparison.first], &results.arms[comparison.second]);
            let place = if results.settings().len() > 1 {
                format!(" on {}", setting_of(first))
            } else {
                String::new()
            };
            format!(
                "{} against {}{place} (macro-F1 {} {}, by {})",
                results.label(second),
                results.label(first),
                signed(comparison.macro_f1),
                interval(comparison.bootstrap.interval),
                surviving_tests(comparison).join(" and ")
            )
        })
        .collect();
    let corrected = match comparisons.len() {
        1 => "There is one comparison, which needs no correction".to_owned(),
        many => format!("After Holm's correction for {many} comparisons"),
    };
    match (found.as_slice(), comparisons.len()) {
        ([], 1) => format!("{corrected}: its difference is not significant at {ALPHA}."),
        ([], _) => {
            format!("{corrected} no difference is significant at {ALPHA}: this table does not rank the rows.")
        }
        ([found], 1) => format!("{corrected}; it is significant at {ALPHA}: {found}."),
        ([found], _) => {
            format!("{corrected} one difference is significant at {ALPHA}: {found}. The others are not.")
        }
        (found, _) => format!(
            "{corrected} {} differences are significant at {ALPHA}: {}. The others are not.",
            found.len(),
            found.join("; ")
        ),
    }
}

fn setting_of(arm: &Arm) -> String {
    match arm.train_size {
        Some(pairs) => format!("{} with {pairs} training pairs", arm.corpus),
        None => arm.corpus.clone(),
    }
}

/// What the test over seeds can show at all.
fn over_seeds(results: &Results) -> String {
    let seeds: Vec<usize> =
        results.comparisons.iter().map(|comparison| comparison.seeds_test.pairs).collect();
    let (least, most) = (seeds.iter().min().copied().unwrap_or(0), seeds.iter().max().copied().unwrap_or(0));
    let smallest =
        results.comparisons.iter().map(|comparison| comparison.seeds_test.smallest).fold(1.0, f64::min);
    let shared =
        if least == most { count(most, "shared seed") } else { format!("{least} to {most} shared seeds") };
    let reach = if smallest * results.comparisons.len() as f64 >= ALPHA {
        ", so it cannot be significant here whatever the difference; bootstrap and McNemar speak of other test pairs, \
         not of other seeds"
    } else {
        ""
    };
    format!("With {shared} the permutation test over seeds gives a p of {} at the least{reach}.", p(smallest))
}
