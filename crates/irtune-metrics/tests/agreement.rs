//! Agreement of annotators against scikit-learn's, statsmodels' and krippendorff's, from `golden/agreement/make.py`.

use irtune_metrics::Annotations;
use irtune_testing::golden::{case_json, is_close};
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
    statsmodels: String,
    krippendorff: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    classes: usize,
    items: Vec<Vec<Option<u32>>>,
    cohen: Vec<Cohen>,
    fleiss: Option<f64>,
    krippendorff: f64,
    accuracy: f64,
    macro_f1: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cohen {
    first: usize,
    second: usize,
    kappa: f64,
}

fn golden() -> Golden {
    case_json("agreement")
}

#[test]
fn the_golden_is_complete() {
    let Golden { versions, seed, tolerance, cases } = golden();
    let Versions { python, numpy, scikit_learn, statsmodels, krippendorff } = versions;
    assert!(
        [python, numpy, scikit_learn, statsmodels, krippendorff].iter().all(|version| !version.is_empty())
    );
    assert_eq!((seed, tolerance, cases.len()), (20254, 1e-12, 7));
    assert!(cases.iter().any(|case| case.fleiss.is_none()));
}

#[test]
fn every_figure_of_agreement_is_that_of_its_reference() {
    for case in golden().cases {
        let Case { name, classes, items, cohen, fleiss, krippendorff, accuracy, macro_f1 } = case;
        let annotations = Annotations::new(items, classes).unwrap();
        assert_eq!(cohen.len(), annotations.annotators() * (annotations.annotators() - 1) / 2);
        for Cohen { first, second, kappa } in &cohen {
            for (first, second) in [(*first, *second), (*second, *first)] {
                let found = annotations.cohen_kappa(first, second).unwrap();
                assert!(is_close(found, *kappa), "{name}: {first} and {second}: {found}, not {kappa}");
            }
        }
        let mean = cohen.iter().map(|pair| pair.kappa).sum::<f64>() / cohen.len() as f64;
        assert!(is_close(annotations.mean_cohen_kappa().unwrap(), mean), "{name}");
        let found = annotations.fleiss_kappa();
        assert_eq!(found.is_some(), fleiss.is_some(), "{name}");
        assert!(
            found.zip(fleiss).is_none_or(|(found, expected)| is_close(found, expected)),
            "{name}: {found:?}"
        );
        let found = annotations.krippendorff_alpha().unwrap();
        assert!(is_close(found, krippendorff), "{name}: {found}, not {krippendorff}");
        let found = annotations.ceiling().unwrap();
        assert!(
            is_close(found.accuracy, accuracy) && is_close(found.macro_f1, macro_f1),
            "{name}: {found:?}"
        );
    }
}
