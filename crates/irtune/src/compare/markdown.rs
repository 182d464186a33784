//! The tables of a comparison in Markdown.

use std::fmt::Write as _;

use super::figures::{estimate, interval, p, signed, spread};
use super::reading;
use super::results::{Arm, Comparison, Results};

/// All tables, each corpus and training size under a heading of its own, and what they say.
///
/// `level` is that of the headings.
pub fn tables(results: &Results, level: usize) -> String {
    let settings = results.settings();
    let mut out = String::new();
    for (setting, arms) in &settings {
        if settings.len() > 1 {
            let _ = writeln!(out, "{} {}\n", "#".repeat(level), escape(setting));
        }
        out += &arms_table(results, arms);
        out.push('\n');
        let comparisons: Vec<&Comparison> = results.comparisons_of(arms).collect();
        if !comparisons.is_empty() {
            out += &comparisons_table(results, &comparisons);
            out.push('\n');
        }
    }
    for sentence in reading::sentences(results) {
        let _ = writeln!(out, "- {}", escape(&sentence));
    }
    let _ = write!(out, "\n{}", legend(results));
    out
}

/// How to read the tables.
fn legend(results: &Results) -> String {
    let bootstrap = results.bootstrap;
    let percent = (bootstrap.confidence * 1000.0).round() / 10.0;
    let mut text = format!(
        "Mean ± standard deviation over seeds; in brackets the {percent} % interval of the mean over {} resamples of \
         seeds and test pairs.",
        thousands(bootstrap.resamples)
    );
    if !results.comparisons.is_empty() {
        text += " p: bootstrap of the macro-F1 difference over test pairs, McNemar's test over test pairs (of several \
                 seeds twice the mean p), exact permutation test of macro-F1 over seeds; all by Holm for the number of \
                 comparisons.";
    }
    let machines = results.machines.join("; ");
    format!("{text} Times and memory: {}.\n", escape(&machines))
}

fn arms_table(results: &Results, places: &[usize]) -> String {
    let peaks = places.iter().any(|place| results.arms[*place].peak_bytes.is_some());
    let adapters = results.adapters();
    let mut header = vec!["method"];
    header.extend(adapters.then_some("adapter"));
    header.extend(["seeds", "accuracy", "macro-F1", "AU-PRC", "layers trained", "s a step", "examples/s"]);
    header.extend(peaks.then_some("peak memory, GB"));
    let rows = places.iter().map(|place| {
        let arm: &Arm = &results.arms[*place];
        let mut row = vec![escape(&arm.method)];
        row.extend(adapters.then(|| escape(&arm.adapter)));
        row.extend([
            arm.seeds.len().to_string(),
            estimate(&arm.accuracy),
            estimate(&arm.macro_f1),
            estimate(&arm.average_precision),
            of_layers(arm, format!("{:.0} %", 100.0 * arm.trained_share.mean)),
            of_layers(arm, spread(&arm.step_seconds, 2)),
            spread(&arm.examples_per_second, 1),
        ]);
        row.extend(
            peaks.then(|| arm.peak_bytes.map_or("–".to_owned(), |peak| format!("{:.2}", peak.mean / 1e9))),
        );
        row
    });
    table(&header, rows)
}

/// A figure of layers and steps, which a linear model has none of.
fn of_layers(arm: &Arm, figure: String) -> String {
    if arm.is_linear() { "–".to_owned() } else { figure }
}

fn comparisons_table(results: &Results, comparisons: &[&Comparison]) -> String {
    let header =
        ["second against first", "seeds", "accuracy", "macro-F1", "bootstrap p", "McNemar p", "seeds p"];
    let rows = comparisons.iter().map(|comparison| {
        let label = |place: usize| escape(&results.label(&results.arms[place]));
        let strong = |value: f64| if value < reading::ALPHA { format!("**{}**", p(value)) } else { p(value) };
        vec![
            format!("{} against {}", label(comparison.second), label(comparison.first)),
            comparison.seeds.len().to_string(),
            signed(comparison.accuracy),
            format!("{} {}", signed(comparison.macro_f1), interval(comparison.bootstrap.interval)),
            strong(comparison.bootstrap_adjusted),
            strong(comparison.mcnemar_adjusted),
            strong(comparison.seeds_adjusted),
        ]
    });
    table(&header, rows)
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = format!("| {} |\n{}|\n", header.join(" | "), "|---".repeat(header.len()));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out
}

/// A count with a separator before its last three digits.
fn thousands(count: usize) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) }
}

/// Text that Markdown would read as markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_in_names_is_shown_as_text() {
        assert_eq!(escape("a|b <c> *d*"), "a\\|b &lt;c> \\*d\\*");
    }
}
