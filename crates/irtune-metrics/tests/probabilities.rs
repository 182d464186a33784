//! Figures of probabilities against scikit-learn's, temperatures against PyTorch's, from `golden/calibration/make.py`.

use irtune_metrics::{
    CALIBRATION_BINS, Calibration, Logits, Predictions, ProbabilityFigures, ReliabilityBin, ReliabilityBins,
    RiskCoverage, temperature,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    versions: Versions,
    seed: u64,
    tolerance: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Versions {
    python: String,
    numpy: String,
    scikit_learn: String,
    torch: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    classes: usize,
    labels: Vec<u32>,
    logits: Vec<f64>,
    temperature: f64,
    figures: Expected,
    weights: Vec<u32>,
    resampled_error: f64,
    area: f64,
    area_tolerance: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    log_loss: f64,
    brier: f64,
    uniform: Curve,
    quantile: Curve,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Curve {
    error: f64,
    counts: Vec<u64>,
    /// Of the bins that hold an example, as `confidence`.
    accuracy: Vec<f64>,
    confidence: Vec<f64>,
}

fn golden() -> Golden {
    let golden: Golden = irtune_testing::golden::case_json("calibration");
    let Versions { python, numpy, scikit_learn, torch } = &golden.versions;
    assert!(
        golden.seed > 0 && [python, numpy, scikit_learn, torch].iter().all(|version| !version.is_empty())
    );
    assert_eq!(golden.tolerance, 1e-9);
    assert_eq!(golden.cases.len(), 6);
    golden
}

impl Case {
    fn predictions(&self) -> Predictions {
        let probabilities = Calibration::none(self.classes).probabilities(&self.logits);
        Predictions::new(&self.labels, &probabilities, self.classes).unwrap()
    }
}

/// Fails where a number differs, and where one that is perturbed would not.
fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    let is_near = |expected: f64| (found - expected).abs() <= tolerance;
    assert!(is_near(expected), "{what}: {found}, not {expected}");
    assert!(!is_near(expected + 2.5 * tolerance), "{what}: a perturbed number is not noticed");
}

#[test]
fn temperatures_equal_pytorchs() {
    for case in golden().cases {
        let logits = Logits::new(&case.labels, &case.logits, case.classes).unwrap();
        let found = temperature(&logits);
        near(found, case.temperature, 1e-6 * case.temperature, &case.name);
        assert!((found - 1.0).abs() > 0.05, "{}: it would be found by doing nothing", case.name);
        let (calibration, worth) = Calibration::fit(&logits, None, 1);
        assert_eq!((calibration.temperature(), worth), (found, None), "{}", case.name);
    }
}

#[test]
fn figures_equal_scikit_learns() {
    let golden = golden();
    for case in &golden.cases {
        let predictions = case.predictions();
        let figures = ProbabilityFigures::of(&predictions, None).unwrap();
        let Expected { log_loss, brier, uniform, quantile } = &case.figures;
        for (found, expected, what) in [
            (figures.log_loss, *log_loss, "log loss"),
            (figures.brier, *brier, "Brier score"),
            (figures.calibration_error, uniform.error, "calibration error"),
            (figures.adaptive_calibration_error, quantile.error, "adaptive calibration error"),
        ] {
            near(found, expected, golden.tolerance, &format!("{}, {what}", case.name));
        }
        let equal_width = ReliabilityBins::equal_width(&predictions, CALIBRATION_BINS);
        let equal_mass = ReliabilityBins::equal_mass(&predictions, CALIBRATION_BINS);
        let plain = vec![1; case.labels.len()];
        assert_eq!(figures.reliability, equal_width.bins(&plain));
        for (bins, expected) in [(&equal_width, uniform), (&equal_mass, quantile)] {
            curve(&bins.bins(&plain), expected, golden.tolerance, &case.name);
        }
        near(equal_width.error(&case.weights), case.resampled_error, golden.tolerance, &case.name);
    }
}

fn curve(bins: &[ReliabilityBin], expected: &Curve, tolerance: f64, name: &str) {
    assert!(bins.iter().map(|bin| bin.examples).eq(expected.counts.iter().copied()), "{name}");
    let filled: Vec<&ReliabilityBin> = bins.iter().filter(|bin| bin.examples > 0).collect();
    assert_eq!((filled.len(), filled.len()), (expected.accuracy.len(), expected.confidence.len()), "{name}");
    for (bin, (accuracy, confidence)) in filled.iter().zip(expected.accuracy.iter().zip(&expected.confidence))
    {
        near(bin.accuracy, *accuracy, tolerance, name);
        near(bin.confidence, *confidence, tolerance, name);
    }
}

#[test]
fn areas_of_risk_over_coverage_are_the_mean_over_orders_of_equal_answers() {
    for case in golden().cases {
        let curve = RiskCoverage::of(&case.predictions());
        near(curve.area(), case.area, case.area_tolerance, &case.name);
        let last = curve.points()[curve.points().len() - 1];
        let wrong = case.predictions();
        let wrong =
            wrong.labels().iter().zip(wrong.predicted()).filter(|(label, found)| label != found).count();
        assert_eq!(
            (last.coverage, last.risk),
            (1.0, wrong as f64 / case.labels.len() as f64),
            "{}",
            case.name
        );
    }
}
