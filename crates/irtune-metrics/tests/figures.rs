//! Metrics against scikit-learn's, from `golden/metrics/make.py`.

use irtune_metrics::{Confusion, Figures, Metrics, MultiLabelPredictions, Predictions, Rankings, percentile};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    versions: Versions,
    seed: u64,
    tolerance: f64,
    cases: Vec<Case>,
    several: Vec<SeveralCase>,
    percentiles: Vec<Percentiles>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Versions {
    python: String,
    numpy: String,
    scikit_learn: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    classes: usize,
    labels: Vec<u32>,
    probabilities: Vec<f64>,
    metrics: Expected,
    resampled: Vec<Resampled>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeveralCase {
    name: String,
    classes: usize,
    truth: Vec<u8>,
    predicted: Vec<u8>,
    probabilities: Vec<f64>,
    metrics: ExpectedOfSeveral,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedOfSeveral {
    accuracy: f64,
    hamming_loss: f64,
    macro_precision: f64,
    macro_recall: f64,
    macro_f1: f64,
    micro_precision: f64,
    micro_recall: f64,
    micro_f1: f64,
    samples_f1: f64,
    macro_average_precision: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    average_precision: Vec<f64>,
    support: Vec<u64>,
    predicted: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resampled {
    weights: Vec<u32>,
    metrics: Expected,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Expected {
    accuracy: f64,
    macro_precision: f64,
    macro_recall: f64,
    macro_f1: f64,
    macro_average_precision: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    average_precision: Vec<f64>,
    support: Vec<u64>,
    predicted: Vec<u64>,
    confusion: Vec<Vec<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Percentiles {
    ascending: Vec<f64>,
    shares: Vec<f64>,
    values: Vec<f64>,
}

fn golden() -> Golden {
    irtune_testing::golden::case_json("metrics")
}

/// Compares numbers one by one and keeps the names of those that differ.
struct Comparison {
    tolerance: f64,
    compared: usize,
    different: Vec<&'static str>,
}

impl Comparison {
    fn new(tolerance: f64) -> Comparison {
        Comparison { tolerance, compared: 0, different: Vec::new() }
    }

    fn numbers(&mut self, name: &'static str, found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(expected.is_finite(), "{name}");
            self.compared += 1;
            // Written so that a NaN differs.
            let equal = (found - expected).abs() <= self.tolerance;
            if !equal {
                self.different.push(name);
            }
        }
    }

    fn counts(&mut self, name: &'static str, found: &[u64], expected: &[u64]) {
        self.compared += expected.len();
        if found != expected {
            self.different.push(name);
        }
    }

    fn figures(&mut self, figures: &Figures, expected: &Expected) {
        let list = |figure: fn(&irtune_metrics::ClassFigures) -> f64| -> Vec<f64> {
            figures.classes.iter().map(figure).collect()
        };
        self.numbers("accuracy", &[figures.accuracy], &[expected.accuracy]);
        self.numbers(
            "macro_precision",
            &[figures.macro_mean(|class| class.precision)],
            &[expected.macro_precision],
        );
        self.numbers("macro_recall", &[figures.macro_mean(|class| class.recall)], &[expected.macro_recall]);
        self.numbers("macro_f1", &[figures.macro_mean(|class| class.f1)], &[expected.macro_f1]);
        let area = figures.macro_average_precision();
        self.numbers("macro_average_precision", &[area], &[expected.macro_average_precision]);
        self.numbers("precision", &list(|class| class.precision), &expected.precision);
        self.numbers("recall", &list(|class| class.recall), &expected.recall);
        self.numbers("f1", &list(|class| class.f1), &expected.f1);
        self.numbers(
            "average_precision",
            &list(|class| class.average_precision),
            &expected.average_precision,
        );
        let Confusion { rows } = &figures.confusion;
        self.counts("confusion", &rows.concat(), &expected.confusion.concat());
        let classes = 0..rows.len();
        let support: Vec<u64> = classes.clone().map(|class| figures.confusion.support(class)).collect();
        let predicted: Vec<u64> = classes.map(|class| figures.confusion.predicted(class)).collect();
        self.counts("support", &support, &expected.support);
        self.counts("predicted", &predicted, &expected.predicted);
    }
}

#[test]
fn every_figure_equals_scikit_learns() {
    let golden = golden();
    let Versions { python, numpy, scikit_learn } = golden.versions;
    assert!(golden.seed > 0 && [python, numpy, scikit_learn].iter().all(|version| !version.is_empty()));
    assert_eq!(golden.tolerance, 1e-9);
    assert_eq!(golden.cases.len(), 12);
    let mut resamples = 0;
    for case in &golden.cases {
        let predictions = Predictions::new(&case.labels, &case.probabilities, case.classes).unwrap();
        let rankings = Rankings::of(&predictions);
        let plain = vec![1; case.labels.len()];
        let weighted = case.resampled.iter().map(|resampled| (&resampled.weights, &resampled.metrics));
        for (weights, expected) in [(&plain, &case.metrics)].into_iter().chain(weighted) {
            let mut comparison = Comparison::new(golden.tolerance);
            comparison.figures(&Figures::of(&predictions, &rankings, weights), expected);
            assert_eq!(comparison.different, [""; 0], "{}", case.name);
            // Five overall figures; six figures and a row of the confusion matrix for each class.
            assert_eq!(comparison.compared, 5 + case.classes * (6 + case.classes), "{}", case.name);
        }
        resamples += case.resampled.len();
    }
    assert_eq!(resamples, 13);
}

#[test]
fn metrics_hold_the_same_figures() {
    for case in golden().cases {
        let names: Vec<String> = (0..case.classes).map(|class| format!("label {class}")).collect();
        let metrics = Metrics::new(&case.labels, &case.probabilities, &names).unwrap();
        let figures = Figures {
            accuracy: metrics.accuracy,
            classes: metrics
                .classes
                .iter()
                .map(|class| irtune_metrics::ClassFigures {
                    precision: class.precision,
                    recall: class.recall,
                    f1: class.f1,
                    average_precision: class.average_precision,
                })
                .collect(),
            confusion: metrics.confusion,
        };
        let mut comparison = Comparison::new(1e-9);
        comparison.figures(&figures, &case.metrics);
        let overall = [
            metrics.macro_precision,
            metrics.macro_recall,
            metrics.macro_f1,
            metrics.macro_average_precision,
        ];
        let Expected { macro_precision, macro_recall, macro_f1, macro_average_precision, .. } = case.metrics;
        let expected = [macro_precision, macro_recall, macro_f1, macro_average_precision];
        comparison.numbers("overall", &overall, &expected);
        assert_eq!(comparison.different, [""; 0], "{}", case.name);
        assert!(metrics.classes.iter().map(|class| &class.label).eq(&names));
        assert!(metrics.classes.iter().map(|class| class.support).eq(case.metrics.support.iter().copied()));
        assert!(
            metrics.classes.iter().map(|class| class.predicted).eq(case.metrics.predicted.iter().copied())
        );
        assert_eq!(metrics.examples, case.labels.len());
        assert_eq!(metrics.intervals, None);
    }
}

#[test]
fn figures_of_several_labels_equal_scikit_learns() {
    let golden = golden();
    assert_eq!(golden.several.len(), 4);
    for SeveralCase { name, classes, truth, predicted, probabilities, metrics: expected } in golden.several {
        let has = |values: Vec<u8>| values.into_iter().map(|value| value == 1).collect();
        let predictions = MultiLabelPredictions::new(has(truth), has(predicted), probabilities, classes);
        let names: Vec<String> = (0..classes).map(|class| format!("label {class}")).collect();
        let metrics = predictions.unwrap().metrics(&names, None).unwrap();
        let several = metrics.multi_label.unwrap();
        let found = [
            metrics.accuracy,
            several.hamming_loss,
            metrics.macro_precision,
            metrics.macro_recall,
            metrics.macro_f1,
            several.micro_precision,
            several.micro_recall,
            several.micro_f1,
            several.samples_f1,
            metrics.macro_average_precision,
        ];
        let overall = [
            expected.accuracy,
            expected.hamming_loss,
            expected.macro_precision,
            expected.macro_recall,
            expected.macro_f1,
            expected.micro_precision,
            expected.micro_recall,
            expected.micro_f1,
            expected.samples_f1,
            expected.macro_average_precision,
        ];
        let mut comparison = Comparison::new(golden.tolerance);
        comparison.numbers("overall", &found, &overall);
        let list = |figure: fn(&irtune_metrics::ClassMetrics) -> f64| -> Vec<f64> {
            metrics.classes.iter().map(figure).collect()
        };
        comparison.numbers("precision", &list(|class| class.precision), &expected.precision);
        comparison.numbers("recall", &list(|class| class.recall), &expected.recall);
        comparison.numbers("f1", &list(|class| class.f1), &expected.f1);
        let areas = list(|class| class.average_precision);
        comparison.numbers("average_precision", &areas, &expected.average_precision);
        let counts = |count: fn(&irtune_metrics::ClassMetrics) -> u64| -> Vec<u64> {
            metrics.classes.iter().map(count).collect()
        };
        comparison.counts("support", &counts(|class| class.support), &expected.support);
        comparison.counts("predicted", &counts(|class| class.predicted), &expected.predicted);
        assert_eq!(comparison.different, [""; 0], "{name}");
        assert_eq!(comparison.compared, 10 + 6 * classes, "{name}");
    }
}

#[test]
fn a_perturbed_golden_is_noticed() {
    type Perturb = fn(&mut Expected);
    let perturbations: [(&str, Perturb); 12] = [
        ("accuracy", |expected| expected.accuracy += 2e-9),
        ("macro_precision", |expected| expected.macro_precision += 2e-9),
        ("macro_recall", |expected| expected.macro_recall -= 2e-9),
        ("macro_f1", |expected| expected.macro_f1 += 2e-9),
        ("macro_average_precision", |expected| expected.macro_average_precision += 2e-9),
        ("precision", |expected| expected.precision[0] += 2e-9),
        ("recall", |expected| expected.recall[0] += 2e-9),
        ("f1", |expected| expected.f1[0] += 2e-9),
        ("average_precision", |expected| expected.average_precision[0] += 2e-9),
        ("support", |expected| expected.support[0] += 1),
        ("predicted", |expected| expected.predicted[0] += 1),
        ("confusion", |expected| expected.confusion[0][0] += 1),
    ];
    for case in golden().cases {
        let predictions = Predictions::new(&case.labels, &case.probabilities, case.classes).unwrap();
        let figures = Figures::of(&predictions, &Rankings::of(&predictions), &vec![1; case.labels.len()]);
        for (name, perturb) in perturbations {
            let mut expected = case.metrics.clone();
            perturb(&mut expected);
            let mut comparison = Comparison::new(1e-9);
            comparison.figures(&figures, &expected);
            assert_eq!(comparison.different, [name], "{}", case.name);
        }
    }
}

#[test]
fn percentiles_equal_numpys() {
    let golden = golden();
    assert_eq!(golden.percentiles.len(), 4);
    for Percentiles { ascending, shares, values } in golden.percentiles {
        let found: Vec<f64> = shares.iter().map(|&share| percentile(&ascending, share)).collect();
        let mut comparison = Comparison::new(1e-12);
        comparison.numbers("percentile", &found, &values);
        assert_eq!(comparison.different, [""; 0], "of {} numbers", ascending.len());
    }
}
