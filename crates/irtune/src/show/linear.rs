//! What a linear model is and knows, as a person reads it, and how a run stands against it.

use irtune_linear::{LabelWeights, LinearModel, TermWeight};
use irtune_train::{RunFolder, RunFolderError, Score, Summary};

use super::calibration::calibration;
use super::numbers::{count, seconds};
use super::report;

/// Words of each kind that are shown for a label.
const WORDS: usize = 12;
/// Counters that are shown for a label.
const COUNTERS: usize = 4;

/// The end of a linear run.
///
/// # Errors
/// When the run folder cannot be read.
pub fn summary(run: &RunFolder, summary: &Summary) -> Result<String, RunFolderError> {
    let mut out = format!(
        "\nDone: {} pairs in {}, {} numbers{}.\n",
        summary.examples,
        seconds(summary.step_seconds),
        count(summary.parameters as u64),
        run.linear_model()?.map_or_else(String::new, |model| format!(", {}", penalty(&model))),
    );
    if let Some(Score { accuracy, macro_f1 }) = summary.validation {
        out += &format!("Validation pairs: macro-F1 {macro_f1:.3}, accuracy {accuracy:.3}.\n");
    }
    if let Some(test) = &summary.test {
        out += &format!("\nTest pairs:\n{}", report::metrics(&test.metrics));
    }
    out += &summary.calibration.as_ref().map_or_else(String::new, calibration);
    let path = run.path().display();
    out += &format!("\nIn {path}:\n  linear.safetensors  the model\n  summary.json        the figures\n");
    if summary.calibration.is_some() {
        out += "  calibration.json    how outputs become probabilities; eval and predict apply it\n";
    }
    out += &report::next_steps(run.path(), None);
    Ok(out)
}

/// How strongly a model is held small.
pub fn penalty(model: &LinearModel) -> String {
    format!("C = {}", model.penalty().c)
}

/// The words and counters that say most about each label.
pub fn weights(model: &LinearModel) -> String {
    let mut out = String::new();
    for LabelWeights { label, removed, added, mut counters } in model.explain(WORDS) {
        counters.truncate(COUNTERS);
        out += &format!("\n  {label}\n");
        for (name, terms) in [("removed", &removed), ("added", &added)] {
            if !terms.is_empty() {
                let terms: Vec<String> = terms.iter().map(|TermWeight { term, .. }| term.clone()).collect();
                out += &format!("    {name:<8} {}\n", terms.join("  "));
            }
        }
        let counter = |TermWeight { term, weight }: &TermWeight| format!("{term} {weight:+.2}");
        let counters: Vec<String> = counters.iter().map(counter).collect();
        out += &format!("    counters {}\n", counters.join(", "));
    }
    out
}

/// How a run stands against the linear model of its pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Both, side by side, in a line or two.
    pub text: String,
    /// What to try, for a run that stays below.
    pub advice: Option<&'static str>,
}

/// How a run stands against the linear model; `None` where there is nothing to compare.
pub fn standing(summary: &Summary) -> Option<Standing> {
    let linear = summary.linear?;
    let stack = summary.stack;
    let alone = |test: Option<Score>| stack.map_or(test, |stack| stack.test_alone);
    let test = alone(summary.test.as_ref().map(|test| Score::from(&test.metrics)));
    let mut text = String::new();
    let mut below = None;
    for (pairs, linear, run, stacked) in [
        ("validation", linear.validation, summary.validation, stack.map(|stack| stack.validation)),
        ("test", linear.test, test, stack.and_then(|stack| stack.test)),
    ] {
        let (Some(linear), Some(run)) = (linear, run) else { continue };
        let both =
            stacked.map_or_else(String::new, |score| format!("; both combined: {:.3}", score.macro_f1));
        text += &format!(
            "On the {pairs} pairs, a linear model on the words that changed: macro-F1 {:.3}; this run: {:.3}{both}.\n",
            linear.macro_f1, run.macro_f1
        );
        // What is chosen by validation is judged by it; test pairs alone only where there are no others.
        below.get_or_insert(run.macro_f1 < linear.macro_f1);
    }
    let advice = below?.then_some(
        match stack {
            Some(_) => {
                "This run stays below the linear model. Try a head that reads the change (--head edit), a prompt that \
                 shows it (--prompt changes), or more epochs.\n"
            }
            None => {
                "This run stays below the linear model. Try a head that reads the change (--head edit), a prompt that \
                 shows it (--prompt changes), more epochs, or --stack, which combines both models.\n"
            }
        },
    );
    Some(Standing { text, advice })
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_train::{BestMetric, LinearSummary, StackSummary};

    fn score(macro_f1: f64) -> Score {
        Score { accuracy: 0.7, macro_f1 }
    }

    fn run(validation: f64) -> Summary {
        Summary {
            method: "ir".to_owned(),
            steps: 3,
            stopped_early: false,
            best_metric: BestMetric::MacroF1,
            best_step: 3,
            best_value: Some(validation),
            validation: Some(score(validation)),
            test: None,
            training_labels: Vec::new(),
            layer_steps: vec![3],
            parameters: 1,
            examples: 12,
            tokens: 99,
            step_seconds: 1.0,
            evaluation_seconds: 1.0,
            examples_per_second: 12.0,
            tokens_per_second: 99.0,
            peak_bytes: None,
            collapsed: None,
            calibration: None,
            linear: Some(LinearSummary { validation: Some(score(0.5)), test: Some(score(0.4)) }),
            stack: None,
        }
    }

    #[test]
    fn a_run_below_the_linear_model_is_told_what_to_try() {
        let above = standing(&run(0.58)).unwrap();
        let line = "On the validation pairs, a linear model on the words that changed: macro-F1 0.500; this run: 0.580.\n";
        assert_eq!(above, Standing { text: line.to_owned(), advice: None });
        let below = standing(&run(0.42)).unwrap();
        assert!(below.advice.unwrap().contains("--stack"));
        assert_eq!(standing(&Summary { linear: None, ..run(0.58) }), None);
    }

    #[test]
    fn a_stack_is_told_beside_the_model_alone() {
        let stack = StackSummary { validation: score(0.61), test_alone: None, test: None };
        let text = standing(&Summary { stack: Some(stack), ..run(0.58) }).unwrap().text;
        assert!(text.ends_with("this run: 0.580; both combined: 0.610.\n"), "{text}");
    }
}
