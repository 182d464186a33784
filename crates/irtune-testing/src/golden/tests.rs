//! The checker of goldens itself: each way to fail is seen failing.
use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

const CLOSE: Tolerance = Tolerance {
    rung: "checker",
    precision: "f32",
    largest: 1e-3,
    whole: Some(Whole { l2: 1e-3, cosine: 1e-6 }),
};

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

/// A tensor of eight rows whose values differ.
fn rows() -> Vec<f32> {
    (0..64).map(|index| ((index * 37 % 101) as f32 - 50.0) * 0.02).collect()
}

#[test]
fn a_scale_a_sign_and_an_order_are_seen_by_the_whole() {
    let expected = rows();
    let loose = Tolerance { largest: 10.0, whole: Some(Whole { l2: 0.1, cosine: 0.01 }), ..CLOSE };
    loose.check("same", &expected, &expected).unwrap();
    let halved: Vec<f32> = expected.iter().map(|value| value / 2.0).collect();
    let errors = Errors::of(&expected, &halved).unwrap();
    assert!((errors.l2 - 0.5).abs() < 1e-6 && errors.cosine < 1e-12, "{errors:?}");
    let failure = loose.check("halved", &expected, &halved).unwrap_err();
    assert!(matches!(failure, Failure::WholeOff { measure: Measure::L2, .. }), "{failure:?}");
    assert!(
        failure.to_string().starts_with("halved as a whole is off: relative L2 error 5.00e-1"),
        "{failure}"
    );
    let mut flipped = expected.clone();
    flipped[..8].iter_mut().for_each(|value| *value = -*value);
    let lengths = Tolerance { whole: Some(Whole { l2: 10.0, cosine: 0.01 }), ..loose };
    let failure = lengths.check("flipped", &expected, &flipped).unwrap_err();
    assert!(matches!(failure, Failure::WholeOff { measure: Measure::Cosine, .. }), "{failure:?}");
    assert!(failure.to_string().contains("one minus the cosine"), "{failure}");
}

#[test]
fn errors_of_zeros_count_as_they_are() {
    let errors = Errors::of(&[0.0, 0.0], &[0.0, 0.5]).unwrap();
    assert_eq!((errors.largest, errors.index, errors.l2, errors.cosine), (0.5, 1, 0.5, 2.0));
    let errors = Errors::of(&[3.0, 4.0], &[0.0, 0.0]).unwrap();
    assert_eq!((errors.largest, errors.l2, errors.cosine), (1.0, 1.0, 2.0));
    assert_eq!(Errors::of(&[], &[]), None);
    // Next to no angle, without a digit lost.
    let errors = Errors::of(&[1.0, 0.0], &[1.0, 1e-6]).unwrap();
    assert!((errors.cosine / 5e-13 - 1.0).abs() < 1e-3, "{errors:?}");
}

#[test]
#[should_panic(expected = "checker has bounds for single values")]
fn a_rung_of_single_values_compares_no_tensor() {
    let single = Tolerance { whole: None, ..CLOSE };
    single.check("one", &[1.0], &[1.0]).unwrap();
    let _ = single.check("two", &[1.0, 2.0], &[1.0, 2.0]);
}

/// Whether what was measured is nothing, or less than a double's own rounding.
fn is_exact(bound: Bound) -> bool {
    bound.measured <= f64::EPSILON
}

/// Whether a bound lies close above what was measured.
fn is_close(bound: Bound, exact: f64) -> bool {
    let room = bound.tolerance / bound.measured;
    // What came out exactly here may come out rounded once where sums run in another order.
    is_exact(bound) && bound.tolerance <= exact || (1.5..=6.0).contains(&room)
}

#[test]
fn tolerances_stand_close_above_what_was_measured() {
    for (rung, precisions) in entries() {
        for (precision, entry) in precisions {
            let rounding: f64 = if precision.starts_with('f') { 1e-6 } else { 1.0 / 256.0 };
            assert!(is_close(entry.largest, rounding), "{rung} {precision}: {:?}", entry.largest);
            assert_eq!(entry.l2.is_some(), entry.cosine.is_some(), "{rung} {precision}");
            let (Some(l2), Some(cosine)) = (entry.l2, entry.cosine) else { continue };
            assert!(is_close(l2, rounding), "{rung} {precision} l2: {l2:?}");
            // A cosine falls off with the square of an error, and so may its room be the square of another's.
            let exact = l2.measured <= f64::EPSILON && cosine.tolerance <= rounding.powi(2);
            let room = cosine.tolerance / cosine.measured;
            assert!(exact || (1.5..=16.0).contains(&room), "{rung} {precision} cosine: {cosine:?}");
        }
    }
}

#[test]
fn a_damaged_matrix_differs_as_it_says() {
    let gradient = [1.0, 2.0, -3.0, 4.0, 0.5, 0.0];
    let damaged = |damage: Damage| damage.of(&[3, 2], &gradient).unwrap();
    assert_eq!(damaged(Damage::Halved), [0.5, 1.0, -1.5, 2.0, 0.25, 0.0]);
    assert_eq!(damaged(Damage::RowFlipped), [1.0, 2.0, 3.0, -4.0, 0.5, 0.0]);
    assert_eq!(damaged(Damage::RowsSwapped), [1.0, 2.0, 0.5, 0.0, -3.0, 4.0]);
    assert_eq!(Damage::RowsSwapped.of(&[1, 6], &gradient), None);
    assert_eq!(Damage::RowsSwapped.of(&[2, 2], &[1.0, 2.0, 1.1, 2.1]), None, "rows that are nearly alike");
    assert_eq!(Damage::RowFlipped.of(&[6], &gradient).unwrap()[3], -4.0);
}

/// Every golden's gradients, with the rung that holds them.
fn gradients() -> Vec<(String, &'static str, &'static str)> {
    let mut all = Vec::new();
    for case in ["three_layers", "six_layers"] {
        all.push((format!("tiny_llama/{case}"), "gradients", "gradients/"));
        all.push((format!("words/{case}"), "word_gradients", "gradients/"));
        all.push((format!("tuned_weights/{case}"), "weight_gradients", "gradients/"));
    }
    for case in ["rank_stabilised", "lora_plus", "pissa", "dora", "dora_with_norm", "ia3", "ia3_everywhere"] {
        all.push((format!("adapters/{case}"), "adapter_gradients", "gradients/"));
    }
    for case in ["bottleneck", "bottleneck_serial"] {
        all.push((format!("adapters/{case}"), "adapter_gradients", "gradients/"));
    }
    for case in ["llama/untied", "qwen2/tied", "qwen2/untied", "qwen3/biased", "qwen3/untied"] {
        all.push((format!("tiny_families/{case}"), "gradients", "gradients/"));
    }
    all.push(("adapters/bottleneck_relu".to_owned(), "relu_gradients", "gradients/"));
    all.push(("smollm2".to_owned(), "smollm2_gradients", "gradients/head"));
    all
}

/// The rows of a matrix, or the values of a vector, that are no shorter than a hundredth of what is usual.
fn long_rows(shape: &[usize], values: &[f32]) -> Vec<std::ops::Range<usize>> {
    let columns = if shape.len() > 1 { shape[shape.len() - 1] } else { 1 };
    let square = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>();
    let usual = square(values) / (values.len() / columns) as f32;
    let rows = (0..values.len()).step_by(columns).map(|first| first..first + columns);
    rows.filter(|row| square(&values[row.clone()]) >= usual * 1e-4).collect()
}

#[test]
fn a_damaged_gradient_is_refused_in_every_precision() {
    for (case, rung, keys) in gradients() {
        let golden = Golden::open(&case, &["gradients"]);
        let all = golden.keys("gradients");
        let keys: Vec<&String> = all.iter().filter(|key| key.starts_with(keys)).collect();
        assert!(!keys.is_empty(), "{case}");
        for key in keys {
            let (shape, expected) = (golden.shape(key).to_vec(), golden.floats(key));
            for precision in entries()[rung].keys() {
                let refused = |what: &str, damaged: &[f32]| {
                    let checked = tolerance(rung, precision).check(key, &expected, damaged);
                    assert!(checked.is_err(), "{case} {key} {precision}: {what} passes");
                };
                for damage in Damage::ALL {
                    let Some(damaged) = damage.of(&shape, &expected) else { continue };
                    refused(&format!("{damage:?}"), &damaged);
                }
                // Where there is next to no noise, any row's sign is seen.
                if precision == "f32" {
                    for row in long_rows(&shape, &expected) {
                        let mut damaged = expected.clone();
                        damaged[row].iter_mut().for_each(|value| *value = -*value);
                        refused("a row of the wrong sign", &damaged);
                    }
                }
            }
        }
        // The golden only lent its gradients, and one of its tests reads the rest.
        let _ = golden.finish();
    }
}
