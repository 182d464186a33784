//! Confident learning against cleanlab's, from `golden/label_issues/make.py`.

use irtune_metrics::{ConfidentLearning, Predictions};
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
#[serde(deny_unknown_fields)]
struct Versions {
    python: String,
    numpy: String,
    cleanlab: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    classes: usize,
    labels: Vec<u32>,
    probabilities: Vec<f64>,
    thresholds: Vec<f64>,
    joint: Vec<Vec<u64>>,
    issues: Vec<Issue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    example: usize,
    margin: f64,
}

fn golden() -> Golden {
    case_json("label_issues")
}

#[test]
fn the_golden_is_complete() {
    let Golden { versions: Versions { python, numpy, cleanlab }, seed, tolerance, cases } = golden();
    assert!([python, numpy, cleanlab].iter().all(|version| !version.is_empty()));
    assert_eq!((seed, tolerance, cases.len()), (20255, 1e-12, 4));
    assert!(cases.iter().all(|case| !case.issues.is_empty()));
}

#[test]
fn issues_thresholds_and_joint_are_cleanlabs() {
    for Case { name, classes, labels, probabilities, thresholds, joint, issues } in golden().cases {
        let predictions = Predictions::new(&labels, &probabilities, classes).unwrap();
        let found = ConfidentLearning::of(&predictions);
        assert_eq!(found.thresholds.len(), thresholds.len());
        for (found, expected) in found.thresholds.iter().zip(thresholds) {
            assert!(is_close(found.unwrap(), expected), "{name}: {found:?}, not {expected}");
        }
        // cleanlab has at least one example on the diagonal.
        for (given, row) in joint.iter().enumerate() {
            for (suggested, &expected) in row.iter().enumerate() {
                let count = found.joint[given][suggested];
                assert_eq!(if given == suggested { count.max(1) } else { count }, expected, "{name}");
            }
        }
        let order: Vec<usize> = found.issues.iter().map(|issue| issue.example).collect();
        assert_eq!(order, issues.iter().map(|issue| issue.example).collect::<Vec<_>>(), "{name}");
        for (found, expected) in found.issues.iter().zip(issues) {
            assert!(is_close(found.margin, expected.margin), "{name}: {found:?}");
        }
    }
}
