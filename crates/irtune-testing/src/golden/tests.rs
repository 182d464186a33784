//! The checker of goldens itself: each way to fail is seen failing.
use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

const CLOSE: Tolerance = Tolerance { rung: "checker", limit: 1e-3 };

fn golden(values: &[f32]) -> Golden {
    let tensors = BTreeMap::from([
        ("here/values".to_owned(), Stored::floats(&[values.len()], values)),
        ("here/zeros".to_owned(), Stored::floats(&[2], &[0.0, 0.0])),
        ("elsewhere/unread".to_owned(), Stored::floats(&[1], &[1.0])),
    ]);
    let golden = Golden::of("checker", Value::Null, tensors, &["here"]);
    golden.compare("here/zeros", &[0.0, 0.0], CLOSE);
    golden
}

#[test]
fn equal_values_pass_and_other_sections_are_not_asked_for() {
    let golden = golden(&[1.0, 100.0]);
    golden.compare("here/values", &[1.05, 100.05], CLOSE);
    assert_eq!(golden.finish(), Ok(4));
}

#[test]
fn a_difference_beyond_the_tolerance_fails() {
    let golden = golden(&[1.0, 100.0]);
    golden.compare("here/values", &[1.2, 100.0], CLOSE);
    let failures = golden.finish().unwrap_err();
    assert!(matches!(&failures[..], [Failure::Off { index: 0, .. }]), "{failures:?}");
    assert!(failures[0].to_string().starts_with("here/values[0] is 1.2, PyTorch has 1: off by 2.00e-3"));
}

#[test]
fn zeros_admit_no_relative_error() {
    let golden = golden(&[0.0]);
    golden.compare("here/values", &[0.002], CLOSE);
    assert!(matches!(&golden.finish().unwrap_err()[..], [Failure::Off { .. }]));
}

#[test]
fn values_that_are_not_finite_fail_on_either_side() {
    let ours = golden(&[1.0]);
    ours.compare("here/values", &[f32::NAN], CLOSE);
    let failure = Failure::NotFinite { key: "here/values".to_owned(), index: 0, expected: false };
    assert_eq!(ours.finish(), Err(vec![failure]));
    let theirs = golden(&[f32::INFINITY]);
    theirs.compare("here/values", &[f32::INFINITY], CLOSE);
    assert!(matches!(theirs.finish().unwrap_err()[0], Failure::NotFinite { index: 0, expected: true, .. }));
}

#[test]
fn another_number_of_values_fails() {
    let golden = golden(&[1.0, 2.0]);
    golden.compare("here/values", &[1.0], CLOSE);
    assert_eq!(
        golden.finish(),
        Err(vec![Failure::Size { key: "here/values".to_owned(), expected: 2, found: 1 }])
    );
}

#[test]
fn an_unread_key_fails() {
    let golden = golden(&[1.0]);
    assert_eq!(golden.finish(), Err(vec![Failure::Unread(vec!["here/values".to_owned()])]));
}

#[test]
fn comparing_nothing_fails() {
    let tensors = BTreeMap::from([("here/input".to_owned(), Stored::floats(&[1], &[1.0]))]);
    let golden = Golden::of("checker", Value::Null, tensors, &["here"]);
    golden.floats("here/input");
    assert_eq!(golden.finish(), Err(vec![Failure::NothingCompared]));
}

#[test]
fn a_perturbed_golden_fails() {
    let mut golden = golden(&[1.0, -100.0]);
    golden.perturb("here/values", 0, 2e-3);
    golden.compare("here/values", &[1.0, -100.0], CLOSE);
    assert!(matches!(&golden.finish().unwrap_err()[..], [Failure::Off { index: 0, .. }]));
}

#[test]
#[should_panic(expected = "was opened and never finished")]
fn a_golden_that_is_not_finished_panics() {
    drop(golden(&[1.0]));
}

#[test]
#[should_panic(expected = "has no section nowhere")]
fn a_section_that_is_not_there_panics() {
    let _golden = Golden::of("checker", Value::Null, BTreeMap::new(), &["nowhere"]);
}

#[test]
fn tolerances_stand_close_above_what_was_measured() {
    for (rung, precisions) in entries() {
        for (precision, entry) in precisions {
            // What came out exactly here may come out rounded once where sums run in another order.
            let rounding = if precision == "f32" { 1e-6 } else { 1.0 / 256.0 };
            let exact = entry.measured == 0.0 && entry.tolerance <= rounding;
            let room = entry.tolerance / entry.measured;
            assert!(
                exact || (1.5..=6.0).contains(&room),
                "{rung} {precision}: {room} times the measured error"
            );
        }
    }
}
