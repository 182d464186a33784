//! How a run's probabilities were fitted, as a person reads it.

use irtune_metrics::OffsetTarget;
use irtune_train::{CalibrationSummary, KeyFigures};

use super::text_table::table;

/// What was fitted, what the offsets are worth, and the test pairs without and with it.
pub fn calibration(found: &CalibrationSummary) -> String {
    let CalibrationSummary { fitted, offsets, test } = found;
    let mut out = format!(
        "\nProbabilities, fitted to the validation pairs (calibration.json): temperature {:.3}\n",
        fitted.temperature
    );
    if let (Some(worth), Some(target)) = (offsets, fitted.metric) {
        let several = !fitted.thresholds.is_empty();
        let metric = metric(target, several);
        let (what, none) = match several {
            false => ("Offsets of the labels", "there are none"),
            true => ("Thresholds of the labels", "each is one half"),
        };
        out += &match worth.share > 0.0 {
            true => {
                let signed = |offset: &f64| format!("{offset:+.2}").replace('-', "−");
                let offsets =
                    fitted.offsets.iter().map(|(label, offset)| format!("{label} {}", signed(offset)));
                let thresholds =
                    fitted.thresholds.iter().map(|(label, threshold)| format!("{label} {threshold:.2}"));
                let each: Vec<String> = offsets.chain(thresholds).collect();
                format!(
                    "{what}, which raise {metric} from {:.3} to {:.3} on pairs they were not tuned on:\n  {}\n",
                    worth.plain,
                    worth.cross_fitted,
                    each.join(", ")
                )
            }
            false => format!("{what} raise no {metric} on pairs they were not tuned on: {none}.\n"),
        };
    }
    if let Some(test) = test {
        let (untuned, accuracy) = match fitted.thresholds.is_empty() {
            true => ("without offsets", "accuracy"),
            false => ("with thresholds of one half", "subset accuracy"),
        };
        let row = |name: &str, figures: &KeyFigures| {
            let KeyFigures { accuracy, macro_f1, log_loss, calibration_error } = figures;
            let figures =
                [accuracy, macro_f1, log_loss, calibration_error].map(|figure| format!("{figure:.4}"));
            [vec![name.to_owned()], figures.to_vec()].concat()
        };
        let rows = [
            row("plain outputs", &test.plain),
            row(untuned, &test.without_offsets),
            row("calibrated", &test.calibrated),
        ];
        let header = ["test pairs", accuracy, "macro F1", "log loss", "calibration error"];
        out += &table(&header, &rows);
    }
    out
}

fn metric(target: OffsetTarget, several: bool) -> &'static str {
    match (target, several) {
        (OffsetTarget::MacroF1, _) => "macro-F1",
        (OffsetTarget::Accuracy, false) => "accuracy",
        (OffsetTarget::Accuracy, true) => "subset accuracy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_metrics::OffsetWorth;
    use irtune_train::{CalibrationEffect, StoredCalibration};

    fn found(share: f64) -> CalibrationSummary {
        let figures =
            |accuracy| KeyFigures { accuracy, macro_f1: 0.5, log_loss: 0.75, calibration_error: 0.125 };
        CalibrationSummary {
            fitted: StoredCalibration {
                temperature: 1.5,
                offsets: [("clarity".to_owned(), -0.25), ("meaning-changed".to_owned(), 0.25)].into(),
                thresholds: [].into(),
                metric: Some(OffsetTarget::MacroF1),
            },
            offsets: Some(OffsetWorth { plain: 0.5, cross_fitted: 0.5 + share / 10.0, share }),
            test: Some(CalibrationEffect {
                plain: figures(0.625),
                without_offsets: figures(0.625),
                calibrated: figures(0.75),
            }),
        }
    }

    #[test]
    fn it_says_what_was_fitted_and_what_it_changes() {
        let expected = "
Probabilities, fitted to the validation pairs (calibration.json): temperature 1.500
Offsets of the labels, which raise macro-F1 from 0.500 to 0.550 on pairs they were not tuned on:
  clarity −0.25, meaning-changed +0.25
  test pairs       accuracy  macro F1  log loss  calibration error
  plain outputs      0.6250    0.5000    0.7500             0.1250
  without offsets    0.6250    0.5000    0.7500             0.1250
  calibrated         0.7500    0.5000    0.7500             0.1250
";
        assert_eq!(calibration(&found(0.5)), expected);
        let none = calibration(&CalibrationSummary { test: None, ..found(0.0) });
        assert!(none.ends_with(
            "Offsets of the labels raise no macro-F1 on pairs they were not tuned on: there are none.\n"
        ));
        let mut several = found(0.5);
        several.fitted.offsets.clear();
        several.fitted.thresholds = [("clarity".to_owned(), 0.25), ("style".to_owned(), 0.625)].into();
        several.fitted.metric = Some(OffsetTarget::Accuracy);
        let text = calibration(&several);
        assert!(text.contains(
            "\nThresholds of the labels, which raise subset accuracy from 0.500 to 0.550 on pairs they were not tuned on:\n  \
             clarity 0.25, style 0.62\n"
        ));
        assert!(text.contains("test pairs                   subset accuracy  macro F1"), "{text}");
    }
}
