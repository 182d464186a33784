//! What a user should know of a run.

use crate::data_split::DataSplit;
use crate::folder::summary::Collapsed;
use crate::linear::score::Score;
use crate::settings::{Fold, Unread};
use serde::Serialize;
use std::fmt;

/// Something the user should know, though the run goes on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "notice")]
pub enum Notice {
    /// The learning rate never reaches its peak.
    WarmupLongerThanRun {
        /// Steps of the warm-up.
        warmup_steps: u64,
        /// Steps of the run.
        total_steps: u64,
        /// The highest learning rate that is reached.
        highest: f64,
    },
    /// Pairs were too long.
    Shortened {
        /// Which.
        split: DataSplit,
        /// How many were shortened.
        examples: usize,
        /// Out of how many.
        of: usize,
        /// To how many tokens.
        max_length: usize,
    },
    /// Pairs end with the token that fills up batches elsewhere.
    EndsInPadding {
        /// Its text.
        token: String,
        /// How many pairs do.
        examples: usize,
        /// Out of how many.
        of: usize,
    },
    /// Pairs are longer than the texts that the base was made for.
    BeyondPositions {
        /// Tokens of the longest.
        longest: usize,
        /// How many positions the base was made for.
        positions: usize,
    },
    /// The base is a classifier of the same labels, and its head is where training starts.
    HeadOfBase,
    /// The base is a classifier, and its head is left out.
    HeadLeftOut {
        /// Because its labels are others; else it reads something else.
        other_labels: bool,
    },
    /// Test pairs that the run chooses and calibrates by.
    AmongValidation {
        /// How many.
        pairs: usize,
        /// Test pairs.
        of: usize,
        /// Where the first of them stand, and where among the validation pairs.
        first: Vec<(String, String)>,
    },
    /// Settings were given that nothing reads beside the others.
    Unread(Unread),
    /// transformers has no class of a classifier over the base.
    OwnHead {
        /// The base's family.
        family: &'static str,
    },
    /// The processor has no instructions for the precision that was asked for.
    SlowPrecision {
        /// Its name.
        precision: String,
    },
    /// Rows were left out by their label.
    Dropped {
        /// Which.
        split: DataSplit,
        /// How many.
        rows: usize,
    },
    /// Rows were left out because they have no label.
    Unlabelled {
        /// Which.
        split: DataSplit,
        /// How many.
        rows: usize,
    },
    /// Pairs to measure on are pairs to train on, too.
    AmongTraining {
        /// Which.
        split: DataSplit,
        /// How many are.
        pairs: usize,
        /// Out of how many.
        of: usize,
        /// The places of the first, each with that of the training pair.
        first: Vec<(String, String)>,
    },
    /// Validation pairs were taken from the training pairs.
    HeldOut {
        /// Training pairs left.
        train: usize,
        /// Validation pairs.
        validation: usize,
    },
    /// A fold of the training pairs is the test set.
    Fold {
        /// Which.
        fold: Fold,
        /// Pairs outside it.
        train: usize,
        /// Pairs in it.
        test: usize,
    },
    /// A run of a cross-validation was finished before.
    FoldKept {
        /// Which.
        fold: Fold,
    },
    /// Not all training pairs are trained on.
    Subset {
        /// Pairs trained on.
        train_size: usize,
        /// Pairs there are.
        of: usize,
    },
    /// Labels count differently in the training loss.
    ClassWeights {
        /// What an example counts, by label; of several labels what having one counts beside not having it.
        weights: Vec<(String, f64)>,
    },
    /// A linear model was made of the run's pairs, which is what the run has to beat.
    Linear {
        /// How good it is on the validation pairs.
        validation: Score,
    },
    /// There is no linear model to measure the run against.
    NoLinear {
        /// Why.
        reason: String,
    },
    /// There is nothing to choose the best model by.
    NoValidation,
    /// The kept model tells all validation pairs as the same.
    Collapsed {
        /// What it tells them as.
        #[serde(rename = "label")]
        answer: Collapsed,
    },
    /// No improvement for as many evaluations as the settings allow.
    StoppedEarly {
        /// After this step.
        step: u64,
        /// Evaluations in a row without a better model.
        evaluations: u64,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::WarmupLongerThanRun { warmup_steps, total_steps, highest } => write!(
                formatter,
                "the warm-up of {warmup_steps} steps is not over when the run of {total_steps} steps ends: the \
                 learning rate gets to {highest:.3e} only; lower warmup_steps or train longer"
            ),
            Notice::EndsInPadding { token, examples, of } => write!(
                formatter,
                "{examples} of {of} pairs end with `{token}`, the base's padding token, which classifiers of transformers \
                 pass over; so this run too reads the last token before it"
            ),
            Notice::BeyondPositions { longest, positions } => write!(
                formatter,
                "the longest pair has {longest} tokens, and the base was made for {positions} positions: what lies beyond \
                 is read by rules that it never learnt; give a max_length of at most {positions}"
            ),
            Notice::HeadOfBase => formatter.write_str(
                "the base is a classifier of the same labels: training starts from its head",
            ),
            Notice::HeadLeftOut { other_labels: true } => formatter.write_str(
                "the base is a classifier of other labels: its head is left out, and a new one is drawn",
            ),
            Notice::HeadLeftOut { other_labels: false } => formatter.write_str(
                "the base is a classifier whose head reads something else than this run's: it is left out, and a new one is \
                 drawn; set head as the base was trained",
            ),
            Notice::Shortened { split, examples, of, max_length } => write!(
                formatter,
                "{examples} of {of} {split} pairs are longer than {max_length} tokens and were shortened around \
                 their change; raise max_length to keep them whole"
            ),
            Notice::Unread(Unread { names, because }) => write!(formatter, "{because} {}", names.join(", ")),
            Notice::OwnHead { family } => write!(
                formatter,
                "transformers has no classifier over {family}: PEFT loads the adapter alone, the head stands beside it in \
                 head.safetensors, and a merged model brings its own class; objective words needs no head"
            ),
            Notice::SlowPrecision { precision } => write!(
                formatter,
                "this processor has no instructions for {precision}, which will be slow; precision auto takes what it \
                 is fast in"
            ),
            Notice::Dropped { split, rows } => {
                write!(formatter, "{rows} {split} rows have a label that is left out and were dropped")
            }
            Notice::Unlabelled { split, rows } => {
                write!(formatter, "{rows} {split} rows have no label and were left out")
            }
            Notice::AmongTraining { split, pairs, of, first } => {
                write!(
                    formatter,
                    "{pairs} of {of} {split} pairs are training pairs too ({}), so figures on them are too good; \
                     `irtune data` names them all",
                    listed(first, *pairs)
                )
            }
            Notice::AmongValidation { pairs, of, first } => {
                write!(
                    formatter,
                    "{pairs} of {of} test pairs are validation pairs too ({}), by which the model is chosen and its \
                     probabilities are fitted, so figures on them are too good; `irtune data` names them all",
                    listed(first, *pairs)
                )
            }
            Notice::HeldOut { train, validation } => write!(
                formatter,
                "no validation file: {validation} of the {} training pairs are kept for validation",
                train + validation
            ),
            Notice::Fold { fold, train, test } => write!(
                formatter,
                "cross-validation, part {fold}: {test} of the {} training pairs are the test set",
                train + test
            ),
            Notice::FoldKept { fold } => {
                write!(formatter, "cross-validation, part {fold}: its run is finished and is kept")
            }
            Notice::Subset { train_size, of } => {
                write!(formatter, "training on {train_size} of {of} training pairs")
            }
            Notice::ClassWeights { weights } => {
                formatter.write_str("what labels count in the training loss: ")?;
                for (index, (label, weight)) in weights.iter().enumerate() {
                    write!(formatter, "{}{label} {weight:.3}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Notice::Linear { validation: Score { accuracy, macro_f1 } } => write!(
                formatter,
                "a linear model on the words that changed has macro-F1 {macro_f1:.3} and accuracy {accuracy:.3} on the \
                 validation pairs: that is what this run has to beat"
            ),
            Notice::NoLinear { reason } => {
                write!(
                    formatter,
                    "there is no linear model to measure this run against, or to combine it with: {reason}"
                )
            }
            Notice::NoValidation => formatter.write_str(
                "there are no validation pairs: the model of the last step is kept, not the best one",
            ),
            Notice::Collapsed { answer } => write!(
                formatter,
                "the kept model gives every validation pair {answer}: it has not learnt to tell labels apart; \
                 lower learning_rate or raise warmup_share, train for more epochs, try another prompt, or set \
                 class_weights to balanced"
            ),
            Notice::StoppedEarly { step, evaluations } => write!(
                formatter,
                "stopped after step {step}: {evaluations} evaluations in a row brought no better model"
            ),
        }
    }
}

/// The first of so many pairs, each with where it stands elsewhere.
fn listed(first: &[(String, String)], pairs: usize) -> String {
    let shown: Vec<String> = first.iter().map(|(place, other)| format!("{place} = {other}")).collect();
    shown.join(", ") + if first.len() < pairs { ", …" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::UnreadBecause;

    #[test]
    fn notices_say_what_to_do() {
        let warm_up = Notice::WarmupLongerThanRun { warmup_steps: 100, total_steps: 40, highest: 7.8e-5 };
        assert_eq!(
            warm_up.to_string(),
            "the warm-up of 100 steps is not over when the run of 40 steps ends: the learning rate gets to \
             7.800e-5 only; lower warmup_steps or train longer"
        );
        let shortened = Notice::Shortened { split: DataSplit::Train, examples: 3, of: 9, max_length: 64 };
        assert!(shortened.to_string().starts_with("3 of 9 training pairs are longer than 64 tokens"));
        let dropped = Notice::Dropped { split: DataSplit::Test, rows: 2 };
        assert_eq!(dropped.to_string(), "2 test rows have a label that is left out and were dropped");
        let unlabelled = Notice::Unlabelled { split: DataSplit::Train, rows: 3 };
        assert_eq!(unlabelled.to_string(), "3 training rows have no label and were left out");
        let first = vec![("test.csv:3".to_owned(), "train.csv:9".to_owned())];
        let among = Notice::AmongTraining { split: DataSplit::Test, pairs: 2, of: 40, first };
        assert_eq!(
            among.to_string(),
            "2 of 40 test pairs are training pairs too (test.csv:3 = train.csv:9, …), so figures on them are too good; \
             `irtune data` names them all"
        );
        let first = vec![("test.csv:3".to_owned(), "val.csv:9".to_owned())];
        let among = Notice::AmongValidation { pairs: 1, of: 40, first };
        assert!(
            among.to_string().starts_with(
                "1 of 40 test pairs are validation pairs too (test.csv:3 = val.csv:9), by which"
            ),
            "{among}"
        );
        let unread = Notice::Unread(Unread {
            names: vec!["rank".to_owned(), "alpha".to_owned()],
            because: UnreadBecause::Adapter,
        });
        assert_eq!(unread.to_string(), "what trains in this run does not read rank, alpha");
        let own = Notice::OwnHead { family: "Granite" };
        assert!(own.to_string().contains("no classifier over Granite"), "{own}");
        let slow = Notice::SlowPrecision { precision: "int8".to_owned() };
        assert!(slow.to_string().starts_with("this processor has no instructions for int8"));
        let held_out = Notice::HeldOut { train: 90, validation: 10 };
        assert_eq!(
            held_out.to_string(),
            "no validation file: 10 of the 100 training pairs are kept for validation"
        );
        assert!(Notice::NoValidation.to_string().contains("the last step is kept"));
        let linear = Notice::Linear { validation: Score { accuracy: 0.7, macro_f1: 0.5 } };
        assert!(linear.to_string().contains("macro-F1 0.500 and accuracy 0.700"));
        let none = Notice::NoLinear { reason: "no pairs".to_owned() };
        assert!(none.to_string().ends_with("combine it with: no pairs"));
        let stopped = Notice::StoppedEarly { step: 7, evaluations: 2 };
        assert!(stopped.to_string().starts_with("stopped after step 7: 2 evaluations"));
        let json = serde_json::to_string(&stopped).unwrap();
        assert_eq!(json, r#"{"notice":"stopped_early","step":7,"evaluations":2}"#);
    }
}
