//! Statistics of comparisons against SciPy's, statsmodels' and NumPy's, from `golden/statistics/make.py`.

use irtune_metrics::{Bootstrap, McNemar, SignFlip, Spread, holm};
use irtune_testing::golden::{case_json, is_close};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    versions: Versions,
    seed: u64,
    tolerance: f64,
    mcnemar: Vec<McNemarCase>,
    sign_flip: Vec<SignFlipCase>,
    holm: Vec<HolmCase>,
    spread: Vec<SpreadCase>,
    difference: Vec<DifferenceCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Versions {
    python: String,
    numpy: String,
    scipy: String,
    statsmodels: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct McNemarCase {
    only_first: u64,
    only_second: u64,
    p: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignFlipCase {
    differences: Vec<f64>,
    p: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolmCase {
    plain: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpreadCase {
    figures: Vec<f64>,
    mean: f64,
    deviation: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DifferenceCase {
    confidence: f64,
    first: Vec<Vec<f64>>,
    second: Vec<Vec<f64>>,
    low: f64,
    high: f64,
    p: f64,
}

fn golden() -> Golden {
    case_json("statistics")
}

#[test]
fn the_golden_is_complete() {
    let Golden { versions: Versions { python, numpy, scipy, statsmodels }, .. } = golden();
    assert!([python, numpy, scipy, statsmodels].iter().all(|version| !version.is_empty()));
    let golden = golden();
    assert_eq!((golden.seed, golden.tolerance), (20253, 1e-12));
    let counts = [golden.mcnemar.len(), golden.sign_flip.len(), golden.holm.len(), golden.spread.len()];
    assert_eq!(counts, [11, 5, 4, 4]);
    assert_eq!(golden.difference.len(), 3);
}

#[test]
fn mcnemars_test_is_that_of_statsmodels_and_scipy() {
    for McNemarCase { only_first, only_second, p } in golden().mcnemar {
        for (first, second) in [(only_first, only_second), (only_second, only_first)] {
            let found = McNemar::of_counts(first, second).p;
            assert!(is_close(found, p), "{first} and {second}: {found}, not {p}");
            assert!(!is_close(found + 3e-12, p));
        }
    }
}

#[test]
fn the_sign_flip_test_is_scipys() {
    for SignFlipCase { differences, p } in golden().sign_flip {
        let found = SignFlip::of(&differences).p;
        assert!(is_close(found, p), "{differences:?}: {found}, not {p}");
    }
}

#[test]
fn holms_correction_is_statsmodels() {
    for HolmCase { plain, adjusted } in golden().holm {
        let found = holm(&plain);
        assert_eq!(found.len(), adjusted.len());
        assert!(
            found.iter().zip(&adjusted).all(|(found, expected)| is_close(*found, *expected)),
            "{found:?}"
        );
    }
}

#[test]
fn spreads_are_numpys() {
    for SpreadCase { figures, mean, deviation } in golden().spread {
        let found = Spread::of(&figures).unwrap();
        assert_eq!(found.count, figures.len());
        assert!(is_close(found.mean, mean));
        assert_eq!(found.deviation.is_some(), deviation.is_some());
        assert!(found.deviation.zip(deviation).is_none_or(|(found, expected)| is_close(found, expected)));
    }
}

#[test]
fn differences_are_numpys() {
    for DifferenceCase { confidence, first, second, low, high, p } in golden().difference {
        let bootstrap = Bootstrap { confidence, ..Bootstrap::default() };
        let first: Vec<&[f64]> = first.iter().map(Vec::as_slice).collect();
        let second: Vec<&[f64]> = second.iter().map(Vec::as_slice).collect();
        let found = bootstrap.difference(&first, &second);
        assert!(is_close(found.interval.low, low) && is_close(found.interval.high, high), "{found:?}");
        assert!(is_close(found.p, p), "{found:?}");
    }
}
